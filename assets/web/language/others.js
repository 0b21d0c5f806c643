// What else might have stood at a place: the likeliest tokens with p, what the model said, and q, what the settings made
// of it. Choosing one makes a branch.

import { h, seen } from "../common/dom.js";
import { share } from "./ink.js";

export class Others {
  /** choose(id): a token was chosen. leave(): the keyboard goes back to the text. */
  constructor({ choose, leave }) {
    this.title = h("h2", { class: "g-h3 wr-at" }, "Alternatives");
    this.list = h("div", { class: "wr-list", role: "group", "aria-label": "Alternatives: choose one and the text goes on from it", onkeydown: (event) => this.key(event, leave) });
    this.note = h("p", { class: "wr-note" }, "Choose a token of the text to see what else might have stood there.");
    this.element = h("div", { class: "wr-others" }, this.title, h("div", { class: "wr-heads", "aria-hidden": "true" }, h("i", { class: "wr-ph" }, "p, the model’s"), h("i", { class: "wr-qh" }, "q, after the settings")), this.list, this.note);
    this.choose = choose;
    this.step = null;
  }

  show(step, place, name) {
    if (step === this.step) return;
    this.step = step;
    this.list.hidden = !step;
    this.element.classList.toggle("wr-none", !step);
    this.title.textContent = step ? `Token ${place + 1}: what else?` : "Alternatives";
    this.note.hidden = Boolean(step);
    if (!step) return;
    const rows = step.others.map(([id, p, q]) => ({ id, p, q }));
    if (!rows.some(({ id }) => id === step.id)) rows.push({ id: step.id, p: step.p, q: step.q });
    const held = this.list.contains(document.activeElement);
    this.longest = Math.max(...rows.flatMap(({ p, q }) => [p ?? 0, q ?? 0])); // it fills its row
    this.list.replaceChildren(...rows.map((row) => this.row(row, row.id === step.id, name)));
    const chosen = this.list.querySelector('[aria-pressed="true"]') ?? this.list.firstElementChild;
    chosen.tabIndex = 0;
    this.list.scrollTop = 0;
    seen(chosen, this.list);
    if (held) this.focus();
  }

  row({ id, p, q }, here, name) {
    const cut = q === 0;
    const width = (value) => ({ width: `${Math.max(value > 0 ? 0.6 : 0, (100 * (value ?? 0)) / this.longest)}%` });
    const words = `${name(id)}: p ${share(p)}, q ${share(q)}${here ? ", stands in the text" : cut ? ", cut off by the settings" : ""}`;
    return h("button", { type: "button", class: `wr-other${cut ? " wr-cut" : ""}`, "aria-pressed": String(here), "aria-label": words, tabindex: "-1", "data-id": id, onclick: () => this.choose(id) },
      h("span", { class: "wr-name" }, h("bdi", {}, name(id))),
      h("span", { class: "wr-bars" }, h("i", { class: "wr-pbar", style: width(p) }), h("i", { class: "wr-qbar", style: width(q) })),
      h("span", { class: "wr-value" }, share(p)), h("span", { class: "wr-value wr-q" }, cut ? "cut" : share(q)));
  }

  focus() { this.list.querySelector('[tabindex="0"]')?.focus(); }

  key(event, leave) {
    const all = [...this.list.children];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape") leave();
    else if (to === undefined) return;
    else {
      for (const each of all) each.tabIndex = -1;
      const next = all[Math.max(0, Math.min(all.length - 1, to))];
      next.tabIndex = 0;
      next.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
