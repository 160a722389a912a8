// The editor: a text area over the same text in colour, with its problems underlined.

import { highlight, LANGUAGES } from "./highlight.js";

const text = document.getElementById("text");
const marked = document.getElementById("marked");
const hint = document.getElementById("hint");
const list = document.getElementById("problems");
const editor = document.getElementById("editor");

let problems = [];
let rows = 0;

/** Calls `changed` with the text whenever it changes. */
export function onText(changed) {
  text.addEventListener("input", () => {
    // Problems move with the text once the server has read it; until then they are not underlined.
    problems = [];
    paint();
    changed(text.value);
  });
  text.addEventListener("scroll", follow);
  text.addEventListener("keydown", indent);
  document.addEventListener("selectionchange", () => {
    if (document.activeElement === text) tell(text.selectionStart);
  });
  text.addEventListener("blur", () => (hint.hidden = true));
  editor.addEventListener("pointermove", ({ clientX, clientY }) => {
    const below = document.elementsFromPoint(clientX, clientY);
    const mark = below.find((node) => node.dataset.problem);
    if (mark) tellOf(Number(mark.dataset.problem));
    else if (document.activeElement === text) tell(text.selectionStart);
    else hint.hidden = true;
  });
  editor.addEventListener("pointerleave", () => {
    if (document.activeElement !== text) hint.hidden = true;
  });
}

/** Puts another text into the editor. */
export function setText(value) {
  text.value = value;
  text.setSelectionRange(0, 0);
  text.scrollTop = 0;
  problems = [];
  paint();
}

/** Shows the problems of the text as it is now. */
export function setProblems(found) {
  problems = found;
  paint();
  text.setAttribute("aria-invalid", found.some(({ level }) => level === "error"));
  list.replaceChildren(...found.map(row));
  if (document.activeElement === text) tell(text.selectionStart);
}

function paint() {
  // At the end of the text there is nothing to underline but its last character.
  const end = text.value.length;
  const marks = problems.map(({ start, end: last, level }) => ({
    start: Math.min(start, Math.max(0, end - 1)),
    end: Math.max(Math.min(last, end), Math.min(start + 1, end)),
    level,
  }));
  // A last empty line has a height in the text area only.
  marked.replaceChildren(highlight(text.value, LANGUAGES.declaration, marks), "\n");
  const count = text.value.split("\n").length;
  if (count !== rows) {
    rows = count;
    text.rows = Math.min(26, Math.max(12, rows + 1));
  }
  follow();
}

function follow() {
  marked.scrollTop = text.scrollTop;
  marked.scrollLeft = text.scrollLeft;
  hint.hidden = true;
}

/** A new line begins below the last one. */
function indent(event) {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  event.preventDefault();
  const before = text.value.slice(0, text.selectionStart);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const space = line.match(/^ */)[0] + (/[{(]\s*$/.test(line) ? "    " : "");
  // Not `value`, so that it can be undone.
  document.execCommand("insertText", false, `\n${space}`);
}

function row(problem) {
  const item = document.createElement("li");
  item.className = problem.level;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `Line ${problem.line}, column ${problem.column}`;
  button.addEventListener("click", () => {
    text.focus();
    text.setSelectionRange(problem.start, problem.start);
  });
  const excerpt = document.createElement("pre");
  excerpt.textContent = problem.rendered;
  item.append(button, excerpt);
  return item;
}

/** Says what is wrong at an offset. */
function tell(offset) {
  tellOf(problems.findIndex(({ start, end }) => start <= offset && offset <= end));
}

function tellOf(place) {
  const problem = problems[place];
  const mark = marked.querySelector(`[data-problem="${place}"]`);
  const [box, outer] = [mark, editor].map((node) => node?.getBoundingClientRect());
  // It may have been scrolled out of the editor.
  hint.hidden = !problem || !mark || box.bottom < outer.top || box.top > outer.bottom;
  if (hint.hidden) return;
  const hints = problem.hints.map((text) => {
    const line = document.createElement("span");
    line.textContent = text;
    return line;
  });
  const message = document.createElement("strong");
  message.textContent = problem.message;
  hint.className = problem.level;
  hint.replaceChildren(message, ...hints);
  hint.style.top = `${box.bottom - outer.top + 4}px`;
  const left = Math.min(box.left - outer.left, outer.width - hint.offsetWidth - 8);
  hint.style.left = `${Math.max(8, left)}px`;
}
