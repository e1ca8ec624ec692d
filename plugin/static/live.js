// Keeps an open page up to date: asks for its live part once a second while it is visible (304 when nothing moved) and changes
// only what differs, so that focus, scroll position, open details and half-filled forms stay as they are.
// Everything works without this file; then a page shows what was true when it was loaded.
"use strict";

(() => {
  const EVERY_MS = 1000;
  const SLOWEST_MS = 15000;
  const live = document.getElementById("bw-live");
  const announcer = document.getElementById("bw-announcer");
  const lost = document.getElementById("bw-stale");

  const matches = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id || "") === (other.id || "");

  // What the person in front of the page has changed is theirs.
  const isTheirs = (element, name) =>
    (name === "open" && element.nodeName === "DETAILS") ||
    (element.matches("input, select, textarea, option") && ["value", "checked", "selected"].includes(name));

  const setAttributes = (element, wanted) => {
    for (const { name, value } of wanted.attributes) {
      if (!isTheirs(element, name) && element.getAttribute(name) !== value) element.setAttribute(name, value);
    }
    for (const { name } of [...element.attributes]) {
      if (!isTheirs(element, name) && !wanted.hasAttribute(name)) element.removeAttribute(name);
    }
  };

  const morph = (element, wanted) => {
    setAttributes(element, wanted);
    let current = element.firstChild;
    for (const next of [...wanted.childNodes]) {
      const found = next.id ? [...element.childNodes].find((child) => child.id === next.id) : null;
      if (found && found !== current) {
        element.insertBefore(found, current);
        current = found;
      }
      if (current && matches(current, next)) {
        if (next.nodeType === Node.ELEMENT_NODE) morph(current, next);
        else if (current.data !== next.data) current.data = next.data;
        current = current.nextSibling;
      } else {
        element.insertBefore(next, current);
      }
    }
    while (current) {
      const rest = current.nextSibling;
      current.remove();
      current = rest;
    }
  };

  // Spoken are changes of state alone: each element with an id says in data-bw-say what it would say.
  const sayings = () => new Map([...live.querySelectorAll("[data-bw-say][id]")].map((e) => [e.id, e.dataset.bwSay]));

  const announce = (before) => {
    const news = [...sayings()].filter(([id, said]) => before.get(id) !== said).map(([, said]) => said);
    if (news.length) announcer.textContent = news.slice(0, 4).join(". ");
  };

  const swap = (markup) => {
    const before = sayings();
    const wanted = document.createElement("div");
    wanted.innerHTML = markup;
    for (const { name, value } of live.attributes) wanted.setAttribute(name, value);
    // What was said after an action stays until the next page, however soon something else changes.
    const notice = live.querySelector("#bw-notice");
    if (notice) wanted.querySelector(".bw-tabs")?.after(notice.cloneNode(true));
    morph(live, wanted);
    count();
    announce(before);
  };

  const count = () => {
    for (const button of document.querySelectorAll("[data-bw-count]")) {
      const n = document.querySelectorAll(`[data-bw-counted="${button.id}"]:checked`).length;
      button.textContent = button.dataset.bwCount.replace("{n}", n);
      button.disabled = n === 0;
    }
  };

  let wait = EVERY_MS;
  let timer = 0;

  const ask = async () => {
    const answer = await fetch(live.dataset.bwLive, {
      cache: "no-store",
      headers: { "If-None-Match": `"${live.dataset.bwEtag}"` },
      redirect: "error",
      signal: AbortSignal.timeout(10000),
    });
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const markup = await answer.text();
    live.dataset.bwEtag = (answer.headers.get("ETag") || "").replace(/^W\//, "").replaceAll('"', "");
    swap(markup);
  };

  const poll = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      await ask();
      wait = EVERY_MS;
    } catch {
      wait = Math.min(wait * 2, SLOWEST_MS);
    }
    lost.hidden = wait === EVERY_MS;
    timer = setTimeout(poll, wait);
  };

  // A notice is said once: reloading the page must not say it again.
  const forgetNotice = () => {
    const address = new URL(location.href);
    if (address.searchParams.has("notice")) {
      address.searchParams.delete("notice");
      history.replaceState(null, "", address);
    }
  };

  // On a narrow screen the tab of this page may lie outside the row.
  const showTab = () => {
    const tab = live.querySelector(".bw-tabs [aria-current]");
    if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
  };

  if (!live) return;
  showTab();
  document.addEventListener("change", count);
  count();
  forgetNotice();
  document.querySelector("[data-bw-focus]")?.focus();
  if (live.dataset.bwLive) {
    document.addEventListener("visibilitychange", poll);
    timer = setTimeout(poll, EVERY_MS);
  }
})();
