// A pad on which the course of the input is drawn.

const COUNT = 64;
const [LOW, HIGH] = [-1, 3];
const [WIDTH, HEIGHT] = [COUNT - 1, 40];
const NAMESPACE = "http://www.w3.org/2000/svg";

const y = (value) => (HEIGHT * (HIGH - value)) / (HIGH - LOW);

function element(name, attributes) {
  const node = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** What is on the pad before anything has been drawn: two pulses. */
export const FIRST = Array.from({ length: COUNT }, (_, i) => (i >= 6 && i < 26 ? 1 : i >= 36 && i < 58 ? 1.6 : 0));

/** The pad; `changed` gets the points. Returns a function that shows points, in units of an amplitude with a label. */
export function pad(changed) {
  const root = document.getElementById("pad");
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const line = element("polyline", { class: "drawn" });
  const cursor = element("line", { class: "cursor", y1: 0, y2: HEIGHT });
  for (const value of [0, 1]) {
    svg.append(element("line", { class: "level", x1: 0, x2: WIDTH, y1: y(value), y2: y(value) }));
  }
  svg.append(cursor, line);
  const [zero, one] = [0, 1].map((value) => {
    const label = document.createElement("span");
    label.style.setProperty("top", `${(100 * y(value)) / HEIGHT}%`);
    label.textContent = value;
    return label;
  });
  root.append(svg, zero, one);

  let points = [...FIRST];
  let chosen = 0;
  let last = null;
  let unit = (value) => String(value);

  function show() {
    line.setAttribute("points", points.map((value, i) => `${i},${y(value)}`).join(" "));
    cursor.setAttribute("x1", chosen);
    cursor.setAttribute("x2", chosen);
    root.setAttribute("aria-valuemin", LOW);
    root.setAttribute("aria-valuemax", HIGH);
    root.setAttribute("aria-valuenow", points[chosen]);
    root.setAttribute("aria-valuetext", `point ${chosen + 1} of ${points.length}: ${unit(points[chosen])}`);
    one.textContent = unit(1);
  }

  function set(from, to) {
    const [left, right] = from.i <= to.i ? [from, to] : [to, from];
    for (let i = left.i; i <= right.i; i += 1) {
      const part = right.i === left.i ? 1 : (i - left.i) / (right.i - left.i);
      points[i] = Number((left.value + part * (right.value - left.value)).toFixed(3));
    }
    points[to.i] = Number(to.value.toFixed(3));
  }

  function at(event) {
    const box = svg.getBoundingClientRect();
    const part = (value, length) => Math.min(1, Math.max(0, value / length));
    const i = Math.round(part(event.clientX - box.left, box.width) * (points.length - 1));
    return { i, value: HIGH - part(event.clientY - box.top, box.height) * (HIGH - LOW) };
  }

  root.addEventListener("pointerdown", (event) => {
    root.setPointerCapture(event.pointerId);
    last = at(event);
    set(last, last);
    chosen = last.i;
    show();
    changed([...points]);
  });
  root.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = at(event);
    set(last, next);
    last = next;
    chosen = next.i;
    show();
    changed([...points]);
  });
  for (const end of ["pointerup", "pointercancel"]) root.addEventListener(end, () => (last = null));
  root.addEventListener("keydown", (event) => {
    const along = { ArrowLeft: -1, ArrowRight: 1, PageUp: -8, PageDown: 8 }[event.key];
    const up = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
    if (!along && !up) return;
    event.preventDefault();
    if (along) chosen = Math.min(points.length - 1, Math.max(0, chosen + along));
    if (up) {
      points[chosen] = Number(Math.min(HIGH, Math.max(LOW, points[chosen] + up)).toFixed(3));
      changed([...points]);
    }
    show();
  });

  return (given, label) => {
    if (!last) points = [...given];
    chosen = Math.min(chosen, points.length - 1);
    svg.setAttribute("viewBox", `0 0 ${points.length - 1} ${HEIGHT}`);
    unit = label;
    show();
  };
}
