// The Write tool: a text token by token, each drawn by a needle that falls on the probabilities; another token at any
// place makes a branch. Tokens come faster than they are shown: what is here is played at the speed that was chosen.

import { h } from "../common/dom.js";
import { stylesheet } from "../common/sheet.js";
import { forcedOf } from "./branches.js";
import { createDesk, Transport, USUAL } from "./desk.js";
import { createExport } from "./export.js";
import { Ink, legend } from "./ink.js";
import { Manuscript } from "./manuscript.js";
import { Needle } from "./needle.js";
import { Others } from "./others.js";
import { SETTINGS, settingsOf } from "./settings.js";
import { Tree } from "./tree.js";

const LATE_MS = 250; // a longer gap between two frames was another tab, or a window that slept
const SEEN_FALLING = 10; // tokens a second: quicker needles are not seen to fall
const MOST = 1024; // tokens of a text
const KEYS = ["model", "prompt", "seed", ...Object.keys(SETTINGS)];
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const ENDED = { end: "The model ended the text here.", context: "The text is as long as this model can read." };

const OWN_ARROWS = "input, select, textarea, dialog, [role=tab], [role=tree], [role=group], [role=slider], [contenteditable]";
const OWN_SPACE = "a, button:not([role=tab][aria-selected=true]), input:not([type=range]), select, textarea, summary, dialog, [role=treeitem], [contenteditable]";

class Writer {
  constructor({ host, side, store, data, say }) {
    Object.assign(this, { host, side, store, say, shown: 0, wanted: 0, at: null, speed: USUAL, playing: false, visible: false, own: false, rush: false, mistaken: false });
    this.text = new Manuscript({ data, wanted: () => store.get("n"), heard: { grown: () => this.soon(), followed: () => this.tell(), failed: (sentence) => this.failed(sentence), told: say } });
    this.ink = new Ink((at) => this.look(at));
    this.needle = new Needle();
    this.others = new Others({ choose: (id) => this.choose(id), leave: () => this.ink.tokens.focus() });
    this.tree = new Tree((branch) => this.turnTo(branch));
    this.transport = new Transport({ toggle: () => this.toggle(), step: () => this.step(), speed: (speed) => { this.speed = speed; } });
    this.desk = createDesk({ store, say: (sentence, kind) => { this.mistaken = kind === "error"; say(sentence, kind); }, another: () => { store.set({ seed: Math.floor(Math.random() * 1e6) }); this.begin(); } });
    this.saving = createExport(this);
    this.stale = h("p", { class: "wr-stale", role: "note", hidden: true }, h("span", {}, "What stands here was written with other settings."), " ",
      h("button", { type: "button", class: "wr-link", onclick: () => this.restore() }, "Back to those"));
    this.stage = h("div", { class: "wr" }, h("div", { class: "wr-top" }, this.transport.element, legend()), this.stale,
      h("div", { class: "wr-middle" }, this.ink.element, this.others.element), this.needle.element);
    this.keys = h("p", { class: "wr-note wr-keys" }, ...[["space", "play, pause"], ["→", "one more"], ["←", "back"], ["Enter", "alternatives"], ["Esc", "newest"]].flatMap(([key, does]) => [h("kbd", {}, key), ` ${does}  `]));
    this.listening = store.on("*", (state, changed) => this.heard(state, changed));
    this.onkey = (event) => this.key(event);
  }

  get texts() { return this.text.texts; }
  get current() { return this.text.current; }
  get vocabulary() { return this.text.vocabulary; }

  // --- the address -------------------------------------------------------------------------------------------------

  about() {
    const state = this.store.get();
    return { ...Object.fromEntries(KEYS.map((key) => [key, state[key]])), settings: settingsOf(state) };
  }

  differs() { return Boolean(this.texts) && KEYS.some((key) => this.texts.about[key] !== this.store.get(key)); }

  /** Whether the text that stands was written with other settings than those that are set. */
  isStale() { return this.differs() && this.texts.root.steps.length > 0; }

  // The address names the branch as long as the text is of these settings; play: it is written when the page opens.
  tell() {
    if (!this.texts) return;
    const fresh = !this.differs();
    this.set({ branch: fresh ? this.current.key : "", play: fresh });
  }

  set(patch) {
    this.own = true;
    try {
      this.store.set(patch);
    } finally {
      this.own = false;
    }
  }

  heard(state, changed) {
    if (this.own) return;
    if (this.mistaken && this.visible) this.say(""); // something else is set: the mistake in typing is over
    this.mistaken = false;
    if ((changed.has("play") && state.play) || (changed.has("branch") && state.branch)) {
      if (this.visible) this.begin(state.branch);
      return;
    }
    if (KEYS.some((key) => changed.has(key)) && (this.texts || state.play)) {
      if (this.differs()) {
        this.text.stop();
        this.pause();
      }
      this.tell();
    }
    if (changed.has("n")) this.wanted = Math.min(this.wanted, this.text.length());
    if (this.visible) this.render();
  }

  /** The settings that the text was written with. */
  restore() {
    const { about } = this.texts;
    this.set(Object.fromEntries(KEYS.map((key) => [key, about[key]])));
    this.tell();
    this.render();
  }

  // --- writing -----------------------------------------------------------------------------------------------------

  /** Writes from the prompt on, and along the tokens that `key` names: such a text was here before, and is not played
      but shown as it comes. one: only the first token is shown. */
  begin(key = "", one = false) {
    const forced = forcedOf(key).filter(([place]) => place < MOST);
    this.text.open(this.about());
    Object.assign(this, { shown: 0, wanted: one ? 1 : 0, at: null, playing: !one, rush: forced.length > 0, clock: performance.now() });
    this.set({ branch: key, play: true });
    this.say("Reading the prompt …", "busy");
    this.text.write(forced);
    this.render();
    if (this.playing) requestAnimationFrame((now) => this.tick(now));
  }

  // Play goes on from what is written.
  failed(sentence) {
    this.wanted = this.text.have();
    this.render();
    this.rest();
    this.say(sentence, "error");
  }

  // --- where one is ------------------------------------------------------------------------------------------------

  state() {
    if (this.text.blank()) return "new";
    if (this.playing) return "playing";
    if (this.isStale()) return "stale";
    return this.text.whole() && this.shown >= this.text.have() ? "done" : "paused";
  }

  toggle() {
    const state = this.state();
    if (state === "playing") return this.pause();
    if (state === "new" || state === "stale") return this.begin();
    this.look(null);
    if (state === "done") this.wanted = this.shown = 0; // the same seed, the same text
    this.play();
  }

  play() {
    Object.assign(this, { playing: true, clock: performance.now() });
    this.text.need();
    this.render();
    requestAnimationFrame((now) => this.tick(now));
  }

  pause() {
    if (!this.playing) return;
    this.rest();
    this.say("Paused.");
  }

  rest() {
    this.playing = this.rush = false;
    this.wanted = this.shown;
    this.render();
  }

  step() {
    const state = this.state();
    if (state === "new" || state === "stale") return this.begin("", true);
    this.pause();
    this.at = null;
    if (state === "done") {
      if (this.current.ended || this.text.length() >= MOST) return this.say(this.current.ended ? ENDED[this.current.ended] : `A text has ${MOST} tokens at most.`);
      this.set({ n: this.text.length() + 1 });
    }
    this.wanted = this.shown + 1;
    this.text.need();
    this.render();
  }

  tick(now) {
    if (!this.playing || !this.visible) return;
    const late = Math.max(0, Math.min(now - this.clock, LATE_MS));
    this.clock = now;
    this.wanted = this.speed && !this.rush ? Math.min(this.wanted + (late / 1000) * this.speed, this.text.have() + 0.999) : this.text.have();
    this.render();
    if (!this.text.following && this.text.whole() && this.shown >= this.text.have()) {
      this.rest();
      this.say(ENDED[this.current.ended] ?? this.text.summary());
    } else requestAnimationFrame((next) => this.tick(next));
  }

  // --- branches ----------------------------------------------------------------------------------------------------

  look(at) {
    this.at = at;
    this.ink.mark(at);
    this.render();
  }

  async choose(id) {
    const place = this.place();
    if (place < 0 || this.current.steps[place].id === id) return;
    if (this.isStale()) return this.say("What stands here was written with other settings: write it again, or go back to those, and then choose.", "error");
    this.turnTo(await this.text.choose(place, id), place);
    this.say(`From token ${place + 1} on it goes another way; the luck is the same.`);
  }

  /** Another branch is shown; from `place` on it is played, or all of it is shown at once where none is given. */
  turnTo(branch, place = null) {
    if (branch === this.current && place === null) return;
    this.text.turnTo(branch);
    this.at = place;
    this.wanted = place === null ? this.text.have() : place + 1;
    this.tell();
    this.render();
    this.ink.mark(this.at);
    if (this.text.whole() && this.wanted >= this.text.have()) this.rest();
    else if (!this.isStale()) this.play();
  }

  // --- the page ----------------------------------------------------------------------------------------------------

  /** The token that is looked at: the chosen one, or the newest. */
  place() { return this.at !== null && this.at < this.shown ? this.at : this.shown - 1; }

  soon() {
    this.due ??= requestAnimationFrame(() => { this.due = null; this.render(); });
  }

  render() {
    if (!this.visible) return;
    const { ink, texts, current, vocabulary } = this;
    this.desk.render();
    this.stale.hidden = !this.isStale();
    ink.setPrompt(texts ? texts.about.prompt : this.store.get("prompt"));
    const before = this.shown;
    this.shown = vocabulary && texts ? Math.max(0, Math.min(Math.floor(this.wanted + 1e-6), this.text.have())) : 0;
    ink.show(current?.steps ?? [], this.shown, vocabulary);
    if (this.shown !== before && this.at === null) ink.follow();
    const state = this.state();
    ink.element.dataset.state = state;
    this.transport.show(state, this.shown, this.text.length());
    const place = this.place();
    const step = place < 0 ? null : current.steps[place];
    const name = vocabulary?.shown;
    this.needle.show(step, name, !still() && state !== "done" && (!this.playing || (this.speed && this.speed <= SEEN_FALLING)));
    this.others.show(step, place, name);
    this.tree.show(texts, current, name);
    this.saving.render(this.shown > 0);
  }

  // Space and the right arrow work wherever nothing else takes them.
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { target } = event;
    const inText = target === this.ink.tokens;
    if (target.closest(event.key === " " ? OWN_SPACE : OWN_ARROWS) && !inText) return;
    const acts = { " ": () => this.toggle(), ArrowRight: () => (inText && this.at !== null && this.at < this.shown - 1 ? this.look(this.at + 1) : this.step()) };
    if (inText && this.shown) Object.assign(acts, {
      ArrowLeft: () => { this.pause(); this.look(Math.max(0, this.at === null ? this.shown - 1 : this.at - 1)); },
      Home: () => { this.pause(); this.look(0); }, End: () => this.look(this.shown - 1), Enter: () => this.others.focus(), Escape: () => this.look(null),
    });
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  async show() {
    this.visible = true;
    await (this.dressed ??= stylesheet(new URL("./write.css", import.meta.url)));
    if (!this.visible) return; // left while it was dressing
    this.host.replaceChildren(this.stage);
    this.side.replaceChildren(this.desk.element, this.tree.element, this.saving.element, this.keys);
    document.addEventListener("keydown", this.onkey);
    const { play, branch } = this.store.get();
    const here = this.texts && !this.isStale() && this.current.key === branch;
    this.render();
    this.host.dataset.ready = "true";
    if ((play || branch) && !here) this.begin(branch);
    else this.say(this.texts ? "" : "Press space, and the model goes on from the prompt.");
  }

  hide() {
    this.visible = false;
    this.text.stop();
    this.playing = false;
    document.removeEventListener("keydown", this.onkey);
  }

  destroy() {
    this.hide();
    this.listening();
    this.needle.destroy();
  }
}

export function createWriter(given) {
  return new Writer(given);
}
