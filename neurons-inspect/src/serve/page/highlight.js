// Colours for declarations, Rust and CUDA. The tokens are those of Rust, which are near enough to C++'s.

// What is not closed goes on to the end: to try every quote in vain would take the square of the length.
const TOKEN =
  /(\/\/[^\n]*|\/\*[^]*?(?:\*\/|$))|("(?:[^"\\\n]|\\.)*(?:"|$|(?=\n)))|(\b\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?[a-z]?\d*\b)|(#\w+)|([\p{L}_][\p{L}\p{N}_]*!?)/gu;

const words = (text) => new Set(text.split(" "));

const DECLARATION = {
  keywords: words("pub struct param array learnable flag input state let charge spike threshold output update reset where if else true false"),
  special: words("v h x hard soft none v_threshold v_reset neuron!"),
};
const RUST = {
  keywords: words("pub fn let mut for in if else while loop match return impl where use const static as ref move true false self crate mod struct"),
  special: words("f32 f64 usize u32 bool E Params Rows RowsMut Element Real"),
};
const CUDA = {
  keywords: words("const constexpr void for if else while return template typename static inline struct using auto extern unsigned true false do break __global__ __device__ __forceinline__ __restrict__ __shared__ __launch_bounds__"),
  special: words("float double int real data bool size_t uint32_t int64_t"),
};
export const LANGUAGES = { declaration: DECLARATION, rust: RUST, cuda: CUDA };

function kind(match, text, language) {
  const [whole, comment, string, number, directive] = match;
  if (comment) return comment.startsWith("///") ? "doc" : "comment";
  if (string || number) return "number";
  if (directive || language.keywords.has(whole)) return "keyword";
  if (language.special.has(whole)) return "special";
  return text[match.index + whole.length] === "(" ? "function" : null;
}

/**
 * A text as nodes. `marks` are ranges with a class, in order, as those of problems; they may share a beginning with tokens
 * or lie across several.
 */
export function highlight(text, language, marks = []) {
  const spans = [];
  for (const match of text.matchAll(TOKEN)) {
    const name = kind(match, text, language);
    if (name) spans.push([match.index, match.index + match[0].length, name]);
  }
  const edges = new Set([0, text.length]);
  for (const [start, end] of [...spans, ...marks.map((mark) => [mark.start, mark.end])]) edges.add(start).add(end);
  const sorted = [...edges].sort((a, b) => a - b);
  const fragment = document.createDocumentFragment();
  let place = 0;
  for (let i = 0; i + 1 < sorted.length; i += 1) {
    const [start, end] = [sorted[i], sorted[i + 1]];
    while (place < spans.length && spans[place][1] <= start) place += 1;
    const span = spans[place];
    const mark = marks.findIndex((mark) => mark.start <= start && end <= mark.end);
    const name = span && span[0] <= start && end <= span[1] ? span[2] : null;
    const piece = document.createTextNode(text.slice(start, end));
    if (!name && mark < 0) {
      fragment.append(piece);
      continue;
    }
    const node = document.createElement(mark < 0 ? "span" : "mark");
    if (name) node.classList.add(name);
    if (mark >= 0) {
      node.classList.add(marks[mark].level);
      node.dataset.problem = mark;
    }
    node.append(piece);
    fragment.append(node);
  }
  return fragment;
}
