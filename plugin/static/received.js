// Says so where a browser cannot play a clip, instead of leaving a dead player.
"use strict";

for (const video of document.querySelectorAll("[data-bw-video]")) {
  const explain = () => {
    video.hidden = true;
    video.parentElement.querySelector("[data-bw-unplayable]").hidden = false;
  };
  video.addEventListener("error", explain);
  video.querySelector("source").addEventListener("error", explain);
  if (video.error || video.networkState === HTMLMediaElement.NETWORK_NO_SOURCE) explain();
}
