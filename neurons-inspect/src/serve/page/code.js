// The generated kernels.

import { highlight, LANGUAGES } from "./highlight.js";

const select = document.getElementById("kernel");
const panes = { rust: document.getElementById("rust"), cuda: document.getElementById("cuda") };

/** Calls `chosen` with the name of a kernel. */
export function onKernel(chosen) {
  select.addEventListener("change", () => chosen(select.value));
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(panes[button.dataset.copy].textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
  }
}

/** Offers these kernels. */
export function offer(kernels, chosen) {
  const known = [...select.options].map((option) => option.value);
  if (known.join() !== kernels.join()) select.replaceChildren(...kernels.map((name) => new Option(name)));
  select.value = kernels.includes(chosen) ? chosen : kernels[0];
}

export function show(code) {
  for (const [language, text] of Object.entries(code)) {
    if (panes[language].textContent !== text) {
      panes[language].replaceChildren(highlight(text, LANGUAGES[language]));
    }
  }
}
