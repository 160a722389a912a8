// The surrogate gradient: one of the library or of the text.

import { sliders } from "./controls.js";

/**
 * The menu of surrogates and the sliders of their parameters. `offered` are those of the library; `changed` is called with what
 * is chosen, `{ name, values }`.
 */
export function surrogates(offered, changed) {
  const menu = document.getElementById("surrogates");
  let own = [];
  let chosen = null;

  /** Those of the text hide those of the library that are called like them. */
  const all = () => [...own, ...offered.filter(({ name }) => !own.some((declared) => declared.name === name))];
  const find = (name) => all().find((known) => known.name === name);
  const defaults = ({ name, params }) => ({ name, values: params.map(([, value]) => value) });

  const showParameters = sliders(document.getElementById("surrogate-parameters"), (name, value) => {
    const values = [...chosen.values];
    values[find(chosen.name).params.findIndex(([known]) => known === name)] = value;
    choose({ ...chosen, values });
  });
  menu.addEventListener("change", () => choose(defaults(find(menu.value))));

  function choose(surrogate) {
    show(surrogate);
    changed(surrogate);
  }

  /** Shows what is chosen. */
  function show(surrogate) {
    chosen = surrogate;
    const names = all().map(({ name }) => name);
    if ([...menu.options].map(({ value }) => value).join() !== names.join()) {
      menu.replaceChildren(...names.map((name) => new Option(name)));
    }
    const known = find(surrogate.name) ?? offered[0];
    menu.value = known.name;
    showParameters(
      known.params.map(([name, original, range], place) => {
        const value = surrogate.values[place] ?? original;
        const ends = [original === 0 ? 1 : 4 * original, value];
        const [low, high] = [Math.min(Math.max(...ends) / 1000, ...ends), Math.max(...ends)];
        return { name, range, value, low, high, default: original, original, isOriginal: value === original };
      }),
    );
  }

  /** What the text declares; what was chosen among that stays so under another name, with the values that were set. */
  function declare(declared) {
    const place = own.findIndex(({ name }) => name === chosen.name);
    const before = own[place];
    own = declared;
    const isRenamed = before && !find(before.name);
    const now = isRenamed ? (declared[place] ?? offered[0]) : declared.find(({ name }) => name === chosen.name);
    const kept = (name, original) => {
      const at = before.params.findIndex(([known]) => known === name);
      return at >= 0 && chosen.values[at] !== before.params[at][1] ? chosen.values[at] : original;
    };
    const values = () => now.params.map(([name, value]) => kept(name, value));
    const next = before && now ? { name: now.name, values: values() } : chosen;
    if (JSON.stringify(next) === JSON.stringify(chosen)) show(chosen);
    else choose(next);
  }

  return { show, declare };
}
