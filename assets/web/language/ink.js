// The text as it is written: a token is a span tinted by its probability, and can be chosen. The bytes of all tokens are
// read as one, so that a letter of several tokens stands where its last byte does; the tokens before that show their bytes.

import { h, seen } from "../common/dom.js";
import "../common/tip.js";
import { percent } from "./bars.js";

/** From which probability on a tint holds; the last is for all below. */
export const TINTS = [0.5, 0.2, 0.05, 0.01, 0.001, 0];
export const TINT_WORDS = ["50 %", "20 %", "5 %", "1 %", "0.1 %", "less"];
// What would turn the text round, or has no shape: shown by its number. Line breaks and tabs stay.
const UNRULY = /[\u202a-\u202e\u2066-\u2069\u200e\u200f]|(?![\n\t])\p{Cc}/gu;
const number = (letter) => `<U+${letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}>`;

export const tint = (p) => (p == null ? TINTS.length - 1 : TINTS.findIndex((from) => p >= from));

export const share = (p) => (p == null ? "?" : percent(p));

/** What each token adds to the text. Special tokens add nothing. */
export function pieces(steps, vocabulary) {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return steps.map(({ id }) => (vocabulary.special.has(id) ? "" : decoder.decode(vocabulary.tokens[id] ?? new Uint8Array(), { stream: true })));
}

export class Ink {
  /** choose(place): a token was clicked. */
  constructor(choose) {
    this.prompt = h("span", { class: "wr-prompt" });
    this.tokens = h("span", { class: "wr-tokens", role: "group", tabindex: "0", "aria-label": "The tokens written",
      onclick: (event) => { const at = event.target.closest?.("[data-at]"); if (at) choose(Number(at.dataset.at)); } });
    this.caret = h("span", { class: "wr-caret", "aria-hidden": "true" });
    this.element = h("div", { class: "wr-text", dir: "auto" }, this.prompt, this.tokens, this.caret);
    this.steps = [];
    this.chosen = null;
  }

  setPrompt(text) {
    const safe = text.replace(UNRULY, number);
    if (this.prompt.textContent !== safe) this.prompt.textContent = safe;
  }

  /** The first `count` of the steps. What stands already is left alone. */
  show(steps, count, vocabulary) {
    let same = 0;
    while (same < Math.min(count, this.steps.length) && this.steps[same] === steps[same]) same++;
    while (this.tokens.childElementCount > same) this.tokens.lastElementChild.remove();
    if (same < count) {
      const texts = pieces(steps.slice(0, count), vocabulary);
      for (let at = same; at < count; at++) this.tokens.append(this.token(steps[at], at, texts[at], vocabulary));
    }
    this.tokens.setAttribute("role", count ? "listbox" : "group"); // a list has something in it
    this.steps = steps.slice(0, count);
    if (this.chosen !== null) this.mark(this.chosen < count ? this.chosen : null);
  }

  token(step, at, text, vocabulary) {
    const name = vocabulary.shown(step.id);
    const about = `p ${share(step.p)} · q ${share(step.q)}${step.drawn === undefined ? "" : " · chosen by hand"}`;
    const span = h("span", { id: `wr-t${at}`, class: "wr-token", role: "option", "aria-selected": "false", "data-at": at,
      "data-tip": `${name} · ${about}`, "aria-label": `${name}, ${about}` });
    if (step.drawn !== undefined) span.classList.add("wr-hand");
    const space = /^ (?=.*\S)/s.test(text) ? " " : ""; // before a word it bears no tint: at a line's end it would look like a token
    const inked = h("span", { class: `wr-inked wr-p${tint(step.p)}` });
    span.append(space, inked);
    if (text === "") {
      span.classList.add("wr-bytes");
      inked.append(name);
    } else {
      text.slice(space.length).replace(UNRULY, number).split("\n").forEach((part, i) => inked.append(...(i ? [h("span", { class: "wr-break" }, "↵"), "\n"] : []), part));
    }
    return span;
  }

  /** The token that is chosen, or none. */
  mark(at) {
    this.tokens.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
    this.chosen = at;
    const span = at === null ? null : this.tokens.children[at];
    span?.setAttribute("aria-selected", "true");
    if (span) this.tokens.setAttribute("aria-activedescendant", span.id);
    else this.tokens.removeAttribute("aria-activedescendant");
    seen(span, this.element);
  }

  /** To the newest word, within the text's own window. */
  follow() { this.element.scrollTop = this.element.scrollHeight; }
}

/** What the tints mean. */
export const legend = () => h("div", { class: "wr-legend", role: "note", "aria-label": "Tint: the probability p that the model gave the token" },
  h("span", { class: "wr-of" }, "tint: ", h("i", {}, "p"), " ≥"), ...TINT_WORDS.map((words, i) => h("span", { class: `wr-key wr-p${i}` }, words)));
