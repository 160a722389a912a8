// Sliders, choices and flags.

/** A number as it is read: with four digits, unless it has fewer. */
export function short(value) {
  return String(Number(value.toPrecision(4)));
}

/**
 * A slider with a field for numbers that it does not reach. `spec` has `name`, `doc`, `unit`, `range`, `low`, `high`,
 * `value`, `original` (what its button sets; null for what suits the neuron), and `isOriginal`.
 */
class Slider {
  constructor(changed) {
    this.root = document.createElement("div");
    this.root.className = "slider";
    this.label = document.createElement("label");
    this.range = Object.assign(document.createElement("input"), { type: "range", step: "any" });
    this.field = Object.assign(document.createElement("input"), { type: "number", step: "any" });
    this.reset = Object.assign(document.createElement("button"), { type: "button", className: "reset" });
    this.root.append(this.label, this.range, this.field, this.reset);
    this.range.addEventListener("input", () => changed(this.spec.name, this.rounded()));
    this.field.addEventListener("input", () => {
      if (Number.isFinite(this.field.valueAsNumber)) changed(this.spec.name, this.field.valueAsNumber);
    });
    this.reset.addEventListener("click", () => changed(this.spec.name, this.spec.original));
  }

  /** No more digits than the slider has positions. */
  rounded() {
    const { low, high, whole } = this.spec;
    if (!(low < high)) return low;
    const digits = Math.max(0, 3 - Math.ceil(Math.log10(high - low)));
    const value = whole ? Math.round(this.range.valueAsNumber) : Number(this.range.valueAsNumber.toFixed(digits));
    return Math.min(high, Math.max(low, value));
  }

  show(spec) {
    this.spec = spec;
    const { name, doc, unit, range, low, high, value, isOriginal } = spec;
    this.label.textContent = unit ? `${name} (${unit})` : name;
    const about = [doc, range && `Range: ${range}`].filter(Boolean).join(" ");
    this.root.title = about;
    this.range.setAttribute("aria-description", about);
    this.range.min = low;
    this.range.max = high;
    this.range.setAttribute("aria-label", name);
    this.field.setAttribute("aria-label", `${name}, number`);
    if (document.activeElement !== this.range) this.range.value = value;
    if (document.activeElement !== this.field) this.field.value = short(value);
    this.range.setAttribute("aria-valuetext", short(value));
    this.reset.textContent = spec.action ?? "↺";
    this.reset.setAttribute("aria-label", `${spec.action ?? "Default"}: ${name}`);
    this.reset.title = spec.action ? "What suits the neuron" : `Default: ${short(spec.default)}`;
    this.reset.classList.toggle("used", isOriginal);
    this.reset.disabled = isOriginal;
  }
}

/** Sliders below an element, kept as long as their names are the same. */
export function sliders(root, changed) {
  const known = new Map();
  return (specs) => {
    const names = specs.map((spec) => spec.name);
    for (const name of names) if (!known.has(name)) known.set(name, new Slider(changed));
    const wanted = names.map((name) => known.get(name).root);
    const isSame = root.children.length === wanted.length && wanted.every((node, i) => root.children[i] === node);
    if (!isSame) root.replaceChildren(...wanted);
    for (const spec of specs) known.get(spec.name).show(spec);
  };
}

/** One of several, as buttons of which one is pressed. */
export function choice(root, changed) {
  return (names, chosen) => {
    const buttons = [...root.querySelectorAll("label")];
    if (buttons.map((label) => label.textContent).join() !== names.join()) {
      buttons.forEach((label) => label.remove());
      for (const name of names) {
        const label = document.createElement("label");
        const input = Object.assign(document.createElement("input"), { type: "radio", name: root.id, value: name });
        input.addEventListener("change", () => changed(name));
        label.append(input, name);
        root.append(label);
      }
    }
    for (const input of root.querySelectorAll("input")) input.checked = input.value === chosen;
    root.hidden = names.length < 2;
  };
}

/** Checkboxes below an element. */
export function flags(root, changed) {
  return (specs) => {
    const labels = specs.map(({ name, doc, value }) => {
      const label = document.createElement("label");
      label.className = "flag";
      label.title = doc;
      const input = Object.assign(document.createElement("input"), { type: "checkbox", checked: value });
      input.addEventListener("change", () => changed(name, input.checked));
      const code = document.createElement("code");
      code.textContent = name;
      label.append(input, " ", code);
      return label;
    });
    const isSame = [...root.children].map((label) => label.textContent).join() ===
      labels.map((label) => label.textContent).join();
    if (!isSame) return root.replaceChildren(...labels);
    specs.forEach(({ value }, i) => (root.children[i].querySelector("input").checked = value));
  };
}
