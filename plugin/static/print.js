// A button that prints, for browsers whose menu nobody finds. Without this file the button stays hidden.
"use strict";

for (const button of document.querySelectorAll("[data-bw-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
