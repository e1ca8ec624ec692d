// Ties what is played to the timeline and the map: both follow, and each moment on them is a place to go to in the player.
// Without this file the same links load the page again, with the player at that moment.
"use strict";

(() => {
  const videos = [...document.querySelectorAll("video[data-bw-at]")];
  const timeline = document.querySelector("[data-bw-timeline]");
  const now = document.querySelector("[data-bw-now]");
  const here = document.querySelector("[data-bw-here]");
  const map = document.querySelector("[data-bw-track]");
  const spots = map ? map.dataset.bwTrack.trim().split(" ").map((spot) => spot.split(",").map(Number)) : [];

  const begin = (video) => Number(video.dataset.bwAt);
  const length = (video) => Math.max(Number(video.dataset.bwSeconds), video.duration || 0);

  const placeAt = (at) => {
    const after = spots.findIndex(([seconds]) => seconds >= at);
    if (after === 0) return spots[0];
    if (after < 0) return spots[spots.length - 1];
    const [[from, x, y], [to, nextX, nextY]] = [spots[after - 1], spots[after]];
    const part = to > from ? (at - from) / (to - from) : 0;
    return [at, x + (nextX - x) * part, y + (nextY - y) * part];
  };

  const show = (at) => {
    const x = Math.min(1000, Math.max(0, (at / (Number(timeline.dataset.bwTimeline) || 1)) * 1000));
    now.setAttribute("x1", x);
    now.setAttribute("x2", x);
    now.removeAttribute("visibility");
    if (!spots.length) return;
    const [, cx, cy] = placeAt(at);
    here.setAttribute("cx", cx);
    here.setAttribute("cy", cy);
    here.removeAttribute("visibility");
  };

  const play = (video, at) => {
    for (const other of videos) if (other !== video) other.pause();
    const go = () => {
      video.currentTime = Math.min(Math.max(0, at - begin(video)), video.duration || Infinity);
      video.play().catch(() => {}); // the browser may want a click on the player itself
    };
    if (video.readyState >= HTMLMediaElement.HAVE_METADATA) go();
    else {
      video.addEventListener("loadedmetadata", go, { once: true });
      video.load();
    }
  };

  const seek = (at) => {
    const video = videos.findLast((one) => !one.hidden && begin(one) <= at && at <= begin(one) + length(one) + 1);
    if (!video) return false;
    play(video, at);
    show(at);
    video.focus({ preventScroll: true });
    video.scrollIntoView({ block: "nearest" });
    return true;
  };

  // Within the drawing of a clip the pointer says how far into it.
  const momentOf = (link, event) => {
    const at = Number(link.dataset.bwSeek);
    const box = link.getBoundingClientRect();
    if (!link.dataset.bwWithin || !box.width) return at;
    return at + Number(link.dataset.bwWithin) * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-bw-seek]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (seek(momentOf(link, event))) event.preventDefault();
  });

  videos.forEach((video, index) => {
    const follow = () => show(begin(video) + video.currentTime);
    for (const moved of ["timeupdate", "seeking"]) {
      video.addEventListener(moved, () => { if (!video.paused || moved === "seeking") follow(); });
    }
    video.addEventListener("play", () => {
      for (const other of videos) if (other !== video) other.pause();
    });
    video.addEventListener("ended", () => {
      const next = videos.slice(index + 1).find((one) => !one.hidden);
      if (next) play(next, begin(next));
    });
  });

  for (const still of document.querySelectorAll("[data-bw-still]")) {
    const explain = () => {
      const words = document.createElement("span");
      words.className = "bw-still bw-still--none";
      words.textContent = still.dataset.bwStill;
      still.replaceWith(words);
    };
    if (still.complete && !still.naturalWidth && still.currentSrc) explain();
    else still.addEventListener("error", explain);
  }
})();
