// Pictures, which the server has drawn as SVG: shown in the page, and saved as they are.

const shown = new Map();

/** Shows pictures by name, or says why there are none. */
export function show(pictures, neuron) {
  for (const [name, picture] of Object.entries(pictures)) {
    const figure = document.getElementById(name);
    const text = JSON.stringify(picture);
    if (shown.get(name)?.text === text) continue;
    shown.set(name, { text, picture, neuron });
    if (picture.missing) {
      const reason = document.createElement("p");
      reason.className = "missing";
      reason.textContent = picture.missing;
      figure.replaceChildren(reason);
      continue;
    }
    const parsed = new DOMParser().parseFromString(picture.svg, "image/svg+xml");
    const svg = document.importNode(parsed.documentElement, true);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${neuron}: ${figure.dataset.name}`);
    figure.replaceChildren(svg, saver(figure));
  }
}

function saver(figure) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "save";
  button.textContent = "SVG";
  button.title = "Save as SVG";
  button.setAttribute("aria-label", `Save as SVG: ${figure.dataset.name}`);
  button.addEventListener("click", () => save(figure.id));
  return button;
}

function save(name) {
  const { picture, neuron } = shown.get(name);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([picture.svg], { type: "image/svg+xml" }));
  link.download = `${neuron}-${name}.svg`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Marks all pictures as being of an earlier text, or not. */
export function stale(isStale) {
  document.body.classList.toggle("stale", isStale);
}

/** The widths of all pictures, for which they are drawn; `changed` is called when they change. */
export function widths(changed) {
  const widths = {};
  const observer = new ResizeObserver((entries) => {
    let isChanged = false;
    for (const { target, contentRect } of entries) {
      const width = Math.round(contentRect.width);
      // A scrollbar is no reason to draw again.
      if (width > 0 && Math.abs((widths[target.id] ?? 0) - width) > 2) {
        widths[target.id] = width;
        isChanged = true;
      }
    }
    if (isChanged) changed();
  });
  for (const figure of document.querySelectorAll("figure")) observer.observe(figure);
  return widths;
}
