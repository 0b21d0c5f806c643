// A token looked for in the whole vocabulary, by its text, or by its number as #123. Where several tokens look alike, its
// number is what the address keeps.

import { h } from "../common/dom.js";

const MOST = 8;
const plain = (text) => text.replaceAll(" ", "·").replaceAll("\n", "↵").toLowerCase();

const indexes = new WeakMap(); // vocabulary -> {shown, lower, first}
function indexOf(vocabulary) {
  if (!indexes.has(vocabulary)) {
    const shown = vocabulary.tokens.map((_, id) => vocabulary.shown(id));
    const first = new Map();
    shown.forEach((text, id) => { if (!first.has(text)) first.set(text, id); });
    indexes.set(vocabulary, { shown, lower: shown.map((text) => text.toLowerCase()), first });
  }
  return indexes.get(vocabulary);
}

/** The token that the address names, -1 where the vocabulary has none such. */
export function lookup(vocabulary, words) {
  const number = /^#(\d{1,7})$/.exec(words);
  if (number && Number(number[1]) < vocabulary.size) return Number(number[1]);
  const { first, lower } = indexOf(vocabulary);
  const marked = words.replaceAll(" ", "·").replaceAll("\n", "↵");
  return first.get(marked) ?? first.get(`·${marked}`) ?? lower.indexOf(plain(words));
}

/** Numbers of tokens that fit what was typed: the same, then those that begin so, then those that hold it; likelier first. */
export function matches(vocabulary, words, p, most = MOST) {
  const wanted = plain(words);
  if (!wanted) return [];
  const number = /^#(\d{1,7})$/.exec(words);
  if (number) return Number(number[1]) < vocabulary.size ? [Number(number[1])] : [];
  const found = [];
  indexOf(vocabulary).lower.forEach((text, id) => {
    const at = text.indexOf(wanted);
    if (at < 0) return;
    const bare = text.startsWith("·") ? text.slice(1) : text;
    found.push([text === wanted || bare === wanted ? 0 : at === 0 || bare.startsWith(wanted) ? 1 : 2, id]);
  });
  return found.sort(([a, i], [b, j]) => a - b || (p ? p[j] - p[i] : 0) || i - j).slice(0, most).map(([, id]) => id);
}

/** now(): {vocabulary, warper} or null. Returns {element, render()}. */
export function createFinder({ store, now, rankText }) {
  const list = h("div", { class: "lx-hits", id: "lx-hits", role: "listbox", "aria-label": "Tokens found", hidden: true });
  const input = h("input", { class: "lx-find", type: "search", role: "combobox", "aria-expanded": "false", "aria-controls": "lx-hits", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", maxlength: 80,
    placeholder: "Find a token", "aria-label": "Find a token in the whole vocabulary" });
  let hits = [], at = -1;

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
  function take(id) {
    const { vocabulary } = now();
    const text = vocabulary.shown(id);
    store.set({ find: indexOf(vocabulary).first.get(text) === id && text.length <= 80 ? text : `#${id}` });
    input.value = text;
    close();
  }
  function show() {
    const there = now();
    if (!there) return;
    hits = matches(there.vocabulary, input.value, there.warper.before.p);
    at = hits.length ? 0 : -1;
    list.replaceChildren(...(hits.length ? hits.map((id, i) => h("div", { role: "option", id: `lx-hit-${i}`, "aria-selected": String(i === at), onpointerdown: (event) => { event.preventDefault(); take(id); } },
      h("bdi", {}, there.vocabulary.shown(id)), h("small", {}, rankText(id)))) : [h("p", {}, "No token holds this; longer words are several tokens.")]));
    list.hidden = !input.value;
    input.setAttribute("aria-expanded", String(!list.hidden));
    point();
  }
  function point() {
    [...list.children].forEach((each, i) => each.setAttribute("aria-selected", String(i === at)));
    if (at >= 0) input.setAttribute("aria-activedescendant", `lx-hit-${at}`);
  }
  input.addEventListener("input", () => (input.value ? show() : (store.set({ find: "" }), close())));
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) { event.stopPropagation(); event.preventDefault(); return close(); }
    if (event.key === "Enter" && at >= 0 && !list.hidden) return take(hits[at]);
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    if (list.hidden) return show();
    if (hits.length) at = (at + by + hits.length) % hits.length;
    point();
  });
  return { element: h("div", { class: "lx-finder" }, input, list), render: () => { if (document.activeElement !== input) input.value = store.get("find"); } };
}
