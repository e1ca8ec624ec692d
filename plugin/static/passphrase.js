// Forms in which a passphrase is chosen: says how good it is while it is entered, and shows it when asked.
// Without this script the server says it when the form is sent.
"use strict";

(() => {
  const QUIET_MS = 300;
  const field = document.querySelector("[data-bw-judged]");
  const told = document.querySelector("[data-bw-strength]");
  const reveal = document.querySelector("[data-bw-reveal]");
  if (!field || !told) return;

  let timer = 0;
  let asked = 0;

  const judge = async () => {
    const number = ++asked;
    const body = new URLSearchParams({ wanted: field.value, csrf_token: field.form.elements.csrf_token?.value || "" });
    try {
      const answer = await fetch(told.dataset.bwStrength, { method: "POST", body, redirect: "error", cache: "no-store" });
      if (answer.ok && number === asked) told.innerHTML = await answer.text();
    } catch {
      // whoever is offline is told when the form is sent
    }
  };

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(judge, QUIET_MS);
  });

  if (reveal) {
    reveal.hidden = false;
    reveal.querySelector("input").addEventListener("change", (event) => {
      for (const one of field.form.querySelectorAll('input[autocomplete="new-password"]')) {
        one.type = event.target.checked ? "text" : "password";
      }
    });
  }
})();
