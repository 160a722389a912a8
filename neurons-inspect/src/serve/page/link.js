// What is shown as the fragment of a link: JSON, compressed, in letters that links may have.

/** Longest JSON that is read from a link. */
const MAX_LENGTH = 1 << 18;

async function through(bytes, stream) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > MAX_LENGTH) throw new Error("too long");
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** The fragment, without its hash sign. */
export async function encode(shown) {
  const bytes = new TextEncoder().encode(JSON.stringify(shown));
  const packed = await through(bytes, new CompressionStream("deflate-raw"));
  const text = Array.from(packed, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** What a fragment says, as far as it has the types that are expected; nothing if it is none. */
export async function decode(fragment) {
  try {
    const text = atob(fragment.replaceAll("-", "+").replaceAll("_", "/"));
    const packed = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const bytes = await through(packed, new DecompressionStream("deflate-raw"));
    return checked(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return null;
  }
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const isText = (value) => typeof value === "string";
const isList = (value) => Array.isArray(value) && value.length <= 1000 && value.every(isNumber);
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isSet = (value) =>
  isObject(value) && Object.values(value).every((one) => isNumber(one) || typeof one === "boolean");

/** What may be in a link. */
const FIELDS = {
  text: isText,
  neuron: isText,
  set: isSet,
  reset: isText,
  amplitude: isNumber,
  steps: Number.isInteger,
  shape: (value) => ["step", "ramp", "noise", "drawn"].includes(value),
  seed: (value) => Number.isInteger(value) && value >= 0,
  drawn: (value) => isList(value) && value.length > 1,
  surrogate: (value) => isObject(value) && isText(value.name) && isList(value.values),
  axes: (value) => Array.isArray(value) && value.length === 2 && value.every(isText),
  detach: (value) => typeof value === "boolean",
  kernel: isText,
};

function checked(given) {
  if (!isObject(given) || !isText(given.text)) return null;
  const kept = Object.entries(FIELDS).filter(([name, isRight]) => isRight(given[name]));
  return Object.fromEntries(kept.map(([name]) => [name, given[name]]));
}
