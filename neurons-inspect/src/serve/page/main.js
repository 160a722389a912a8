// What is shown, and what follows from it.

import { ask, latest, menu } from "./client.js";
import * as code from "./code.js";
import { choice, flags, short, sliders } from "./controls.js";
import { FIRST, pad } from "./draw.js";
import { onText, setProblems, setText } from "./editor.js";
import * as equations from "./equations.js";
import * as figures from "./figures.js";
import { decode, encode } from "./link.js";
import { surrogates } from "./surrogates.js";

const $ = (id) => document.getElementById(id);
const offered = await menu();

/** Everything that a link contains. `null` is what suits the neuron. */
const shown = {
  text: "",
  neuron: null,
  set: {},
  reset: null,
  amplitude: null,
  steps: null,
  shape: "step",
  seed: 1,
  drawn: FIRST,
  surrogate: { name: "ATan", values: [2] },
  detach: false,
  axes: null,
  kernel: "bptt",
};

/** What the last answer said of the neuron, and what suits it. */
let about = null;
let suits = { amplitude: 1.5, steps: 100 };
/** When the last key was pressed. */
let pressed = null;

const widths = figures.widths(() => refresh());

function question(show) {
  const { shape, seed, drawn, detach, text, neuron, set, reset, amplitude, steps, surrogate, axes, kernel } = shown;
  const input = { step: "step", ramp: "ramp", noise: { noise: seed }, drawn: { drawn } }[shape];
  return { text, neuron, set, reset, amplitude, steps, surrogate, axes, kernel, input, detach_reset: detach, widths, show };
}

/** First what belongs to the text, then the rest; what has changed meanwhile goes first again. */
const refresh = latest(async (isOutdated) => {
  try {
    const first = await ask(question(["trace", "equations"]));
    apply(first);
    if (isOutdated() || !first.neuron) return;
    const rest = [["fi", "rust", "cuda"], ["phase", "gradient", "surrogate"]].map((show) => ask(question(show)));
    for (const answer of await Promise.all(rest)) applyRest(answer);
    if (!isOutdated()) measured("all");
  } catch (error) {
    $("state").textContent = error.message;
    $("state").className = "error";
    figures.stale(true);
  }
});

function apply(answer) {
  setProblems(answer.problems);
  refuse(answer.refused);
  const errors = answer.problems.filter((problem) => problem.level === "error").length;
  const warnings = answer.problems.length - errors;
  const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;
  const parts = [
    errors && count(errors, "error"),
    warnings && count(warnings, "warning"),
    answer.omitted && `${answer.omitted} more not shown`,
  ].filter(Boolean);
  $("state").textContent = parts.join(", ") || (answer.neuron ? `${answer.neuron.name}: ${answer.neuron.summary}` : "");
  $("state").className = errors ? "error" : "";
  figures.stale(!answer.neuron || Boolean(answer.refused));
  if (!errors) chooser.declare(answer.surrogates);
  if (!answer.neuron) return;
  describe(answer);
  if (answer.refused) return;
  equations.show("equations", answer.equations);
  equations.show("derivatives", answer.derivatives);
  figures.show(answer.pictures, about.name);
  measured("first");
}

function applyRest(answer) {
  if (!answer.neuron) return;
  figures.show(answer.pictures, answer.neuron.name);
  code.show(answer.code);
}

/** For whoever measures: milliseconds from a key to its picture, on `document.body.dataset`. */
function measured(what) {
  if (pressed !== null) document.body.dataset[what] = (performance.now() - pressed).toFixed(1);
}

function refuse(reason) {
  $("refused").hidden = !reason;
  $("refused").textContent = reason ?? "";
}

function change(values) {
  pressed = performance.now();
  Object.assign(shown, values);
  refresh();
}

function set(name, value) {
  const { [name]: _, ...others } = shown.set;
  change({ set: value === undefined ? others : { ...others, [name]: value } });
}

const showParameters = sliders($("parameters"), set);
const showFlags = flags($("flags"), set);
const showResets = choice($("resets"), (reset) => change({ reset }));
const showShapes = choice($("shapes"), (shape) => {
  change({ shape });
  stimulus();
});
const showStimulus = sliders($("stimulus"), (name, value) => change({ [name.split(" ")[0]]: value }));
const chooser = surrogates(offered.surrogates, (surrogate) => change({ surrogate }));
const showPad = pad((drawn) => change({ drawn }));

function describe(answer) {
  const { neuron, names } = answer;
  // A value that was set is that of the parameter, until its default is changed in the text.
  for (const param of neuron.params) {
    const before = about?.name === neuron.name && about.params.find(({ name }) => name === param.name);
    if (before && before.default !== param.default && param.name in shown.set) set(param.name, undefined);
  }
  about = neuron;
  document.title = `${neuron.name} – neurons`;
  for (const name of ["amplitude", "steps"]) {
    if (answer[name] !== null && shown[name] === null) suits[name] = answer[name];
  }
  const params = neuron.params.map((param) => {
    const isOriginal = param.value === param.default;
    const [low, high] = [Math.min(param.low, param.value), Math.max(param.high, param.value)];
    return { ...param, low, high, isOriginal, original: undefined };
  });
  const inputs = neuron.inputs.map(({ name, value }) => {
    const [low, high] = [Math.min(-1, value), Math.max(1, value)];
    const isOriginal = value === 0;
    return { name, doc: "A constant input.", low, high, value, default: 0, isOriginal, original: undefined };
  });
  showParameters([...params, ...inputs]);
  showFlags(neuron.flags);
  showResets(neuron.resets, neuron.reset);
  const select = $("which").querySelector("select");
  $("which").hidden = names.length < 2;
  select.replaceChildren(...names.map((name) => new Option(name, name, false, name === neuron.name)));
  planes(neuron.states);
  code.offer(neuron.kernels, shown.kernel);
  stimulus();
}

/** The pairs of states that have a phase plane, if there are several. */
function planes(states) {
  const pairs = states.flatMap((across, place) => states.slice(place + 1).map((up) => [across, up]));
  const chosen = pairs.findIndex((pair) => pair.join() === shown.axes?.join());
  const select = $("axes").querySelector("select");
  $("axes").hidden = pairs.length < 2;
  const option = (pair, place) => {
    return new Option(pair.join(", "), JSON.stringify(pair), false, place === Math.max(chosen, 0));
  };
  select.replaceChildren(...pairs.map(option));
}

function stimulus() {
  const { amplitude, steps } = suits;
  const level = shown.amplitude ?? amplitude;
  const [, unit] = about?.input.match(/\((.*)\)$/) ?? [];
  const ends = [0, 4 * amplitude, level];
  const specs = [
    { name: "amplitude", unit, value: level, low: Math.min(...ends), high: Math.max(...ends) },
    { name: "steps", value: shown.steps ?? steps, low: 2, high: Math.max(4 * steps, shown.steps ?? 0), whole: true },
  ].map((spec) => ({ ...spec, action: "auto", original: null, isOriginal: shown[spec.name] === null }));
  if (shown.shape === "noise") {
    const { seed } = shown;
    const isOriginal = seed === 1;
    specs.push({ name: "seed", value: seed, low: 0, high: 99, whole: true, default: 1, original: 1, isOriginal });
  }
  showShapes(["step", "ramp", "noise", "drawn"], shown.shape);
  showStimulus(specs);
  $("drawing").hidden = shown.shape !== "drawn";
  showPad(shown.drawn, (part) => short(part * level) + (unit ? ` ${unit}` : ""));
}

/** Shows something else from the start. */
function start(values) {
  about = null;
  Object.assign(shown, { neuron: null, set: {}, reset: null, amplitude: null, steps: null, axes: null }, values);
  setText(shown.text);
  chooser.show(shown.surrogate);
  $("detach").checked = shown.detach;
  change({});
}

$("start").append(
  new Option("…", "", true, true),
  ...offered.neurons.map(({ name, summary }, place) => Object.assign(new Option(name, place), { title: summary })),
);
$("start").addEventListener("change", () => {
  const chosen = offered.neurons[Number($("start").value)];
  if ($("start").value && chosen) start({ text: chosen.text });
});
onText((text) => {
  $("start").value = "";
  change({ text });
});
$("which").addEventListener("change", (event) => change({ neuron: event.target.value, set: {}, reset: null }));
$("detach").addEventListener("change", () => change({ detach: $("detach").checked }));
$("axes").addEventListener("change", (event) => change({ axes: JSON.parse(event.target.value) }));
code.onKernel((kernel) => change({ kernel }));

$("share").addEventListener("click", async () => {
  history.replaceState(null, "", `#${await encode(shown)}`);
  try {
    await navigator.clipboard.writeText(location.href);
    $("said").textContent = "Copied";
  } catch {
    $("said").textContent = "The link is in the address bar";
  }
  setTimeout(() => ($("said").textContent = ""), 3000);
});

/** The theme that was chosen before; a browser may be told to remember nothing. */
function remembered() {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
}

const dark = matchMedia("(prefers-color-scheme: dark)");
function theme(chosen) {
  const isDark = chosen ? chosen === "dark" : dark.matches;
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  $("theme").setAttribute("aria-pressed", isDark);
}
theme(remembered());
dark.addEventListener("change", () => theme(remembered()));
$("theme").addEventListener("click", () => {
  const chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  theme(chosen);
  try {
    localStorage.setItem("theme", chosen);
  } catch {
    // It is chosen again next time.
  }
});

/** What a link says, or the first neuron with an adaptation worth looking at. */
async function open() {
  const linked = location.hash.length > 1 ? await decode(location.hash.slice(1)) : null;
  if (location.hash.length > 1 && !linked) $("said").textContent = "The link cannot be read";
  const first = offered.neurons.findIndex(({ name }) => name === "Adaptive");
  if (!linked) $("start").value = first;
  start(linked ?? { text: offered.neurons[first].text });
}
addEventListener("hashchange", open);
await open();
