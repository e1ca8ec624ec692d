// Pages on which a password is chosen: says how strong it is while it is entered, and takes a suggestion over.
"use strict";
(() => {
  const field = document.getElementById("new-password");
  const again = document.getElementById("new-again");
  const said = document.getElementById("password-strength");
  const use = document.getElementById("use-suggestion");
  const PAUSE_MS = 350;
  let timer = 0;
  let asked = 0;

  async function weigh() {
    const mine = ++asked;
    const password = field.value;
    if (!password) {
      said.replaceChildren();
      return;
    }
    const name = field.form.elements.name;
    const body = new URLSearchParams({ password, name: name ? name.value : "" });
    try {
      const answer = await fetch(field.dataset.strength, { method: "POST", body, headers: { "X-CSRF-Token": field.dataset.token } });
      if (answer.ok && mine === asked) show(await answer.json());
    } catch {
      said.replaceChildren(); // advice is not worth a complaint; the form says what is wrong
    }
  }

  function show(weighed) {
    const meter = document.createElement("meter");
    Object.assign(meter, { min: 0, max: 4, low: 2, high: 3, optimum: 4, value: weighed.score });
    meter.setAttribute("aria-hidden", "true");
    const words = document.createElement("span");
    words.textContent = weighed.words;
    said.replaceChildren(meter, words);
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(weigh, PAUSE_MS);
  }

  field.addEventListener("input", later);
  use.hidden = false;
  use.addEventListener("click", () => {
    field.value = again.value = document.getElementById("suggested-password").textContent;
    weigh();
  });
})();
