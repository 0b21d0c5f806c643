// What a game suffers from, in words, at the moment that is on screen.

import { h } from "../common/dom.js";
import { inWords } from "./rules.js";

const EARLY = 600; // steps in which every game looks ill
const QUIET = "No verdict on this moment: the game is moving.";
const WAITING = `What the game suffers from is said here, soon after step ${EARLY}.`;

export class Illness {
  /** change(rules): what is advised is to be tried; without it nothing is advised. */
  constructor(change) {
    this.change = change;
    this.element = h("div", { class: "gx-diagnosis", role: "note", "aria-label": "Diagnosis", hidden: true });
  }

  /** step: where it has a place of its own that says also that there is nothing to say; else it comes and goes. */
  show(said, step = null) {
    this.element.hidden = !said && step === null;
    const key = said ? JSON.stringify(said) : step < EARLY ? WAITING : QUIET;
    if (key === this.shown) return;
    this.shown = key;
    this.element.dataset.kind = said?.kind ?? "none";
    if (!said) return this.element.replaceChildren(h("p", {}, key));
    const advised = this.change && Object.keys(said.change ?? {}).length > 0;
    const button = advised && h("button", { type: "button", class: "g-btn", title: `Set ${inWords(said.change)}`, onclick: () => this.change(said.change) }, "Try it");
    this.element.replaceChildren(h("p", {}, h("b", {}, `${said.title}. `), `${said.saw} ${this.change ? said.advice ?? "" : ""}`), ...(advised ? [button] : []));
  }
}
