// Asks before somebody leaves a form with changes that were not saved. Without this file, leaving loses them unasked.
"use strict";

for (const form of document.querySelectorAll("[data-bw-unsaved]")) {
  const entered = () => new URLSearchParams(new FormData(form)).toString();
  const before = entered();
  let saving = false;
  form.addEventListener("submit", () => { saving = true; });
  window.addEventListener("pageshow", () => { saving = false; });
  window.addEventListener("beforeunload", (event) => {
    if (!saving && (form.dataset.bwUnsaved === "always" || entered() !== before)) event.preventDefault();
  });
}
