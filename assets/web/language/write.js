// The Write tool: a text token by token, each drawn by a needle that falls on the probabilities; another token at any
// place makes a branch. Tokens come faster than they are shown: what is here is played at the speed that was chosen.

import { h } from "../common/dom.js";
import { stylesheet } from "../common/sheet.js";
import { Branches, forcedOf, tells } from "./branches.js";
import { createDesk, Transport, USUAL } from "./desk.js";
import { createExport } from "./export.js";
import { Ink, legend } from "./ink.js";
import { Needle } from "./needle.js";
import { Others } from "./others.js";
import { write } from "./run.js";
import { SETTINGS, settingsOf } from "./settings.js";
import { Tree } from "./tree.js";
import { createWarper } from "./warp.js";

const LATE_MS = 250; // a longer gap between two frames was another tab, or a window that slept
const SEEN_FALLING = 10; // tokens a second: quicker needles are not seen to fall
const MOST = 1024; // tokens of a text
const KEYS = ["model", "prompt", "seed", ...Object.keys(SETTINGS)];
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const ENDED = { end: "The model ended the text here.", context: "The text is as long as this model can read." };

class Writer {
  constructor({ host, side, store, data, say }) {
    Object.assign(this, { host, side, store, data, say, texts: null, current: null, vocabulary: null, shown: 0, wanted: 0, at: null, speed: USUAL, playing: false, visible: false, own: false, following: false, rush: false });
    this.ink = new Ink((at) => this.look(at));
    this.needle = new Needle();
    this.others = new Others({ choose: (id) => this.choose(id), leave: () => this.ink.tokens.focus() });
    this.tree = new Tree((branch) => this.turnTo(branch));
    this.transport = new Transport({ toggle: () => this.toggle(), step: () => this.step(), speed: (speed) => { this.speed = speed; } });
    this.desk = createDesk({ store, say, another: () => { store.set({ seed: Math.floor(Math.random() * 1e6) }); this.begin(); } });
    this.saving = createExport(this);
    this.stale = h("p", { class: "wr-stale", role: "note", hidden: true }, h("span", {}, "What stands here was written with other settings."), " ",
      h("button", { type: "button", class: "wr-link", onclick: () => this.restore() }, "Back to those"));
    this.stage = h("div", { class: "wr" }, h("div", { class: "wr-top" }, this.transport.element, legend()), this.stale,
      h("div", { class: "wr-middle" }, this.ink.element, this.others.element), this.needle.element);
    this.keys = h("p", { class: "wr-note wr-keys" }, ...[["space", "play, pause"], ["→", "one more"], ["←", "back"], ["Enter", "alternatives"], ["Esc", "newest"]].flatMap(([key, does]) => [h("kbd", {}, key), ` ${does}  `]));
    this.listening = store.on("*", (state, changed) => this.heard(state, changed));
    this.onkey = (event) => this.key(event);
  }

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
    if ((changed.has("play") && state.play) || (changed.has("branch") && state.branch)) {
      if (this.visible) this.begin(state.branch);
      return;
    }
    if (KEYS.some((key) => changed.has(key)) && (this.texts || state.play)) {
      if (this.differs()) {
        this.stop();
        this.pause();
      }
      this.tell();
    }
    if (changed.has("n")) this.wanted = Math.min(this.wanted, this.length());
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
  async begin(key = "", one = false) {
    const about = this.about();
    this.stop();
    const forced = forcedOf(key).filter(([place]) => place < MOST);
    const texts = new Branches(about);
    Object.assign(this, { texts, current: texts.root, shown: 0, wanted: one ? 1 : 0, at: null, playing: !one, following: forced.length > 0, rush: forced.length > 0, clock: performance.now() });
    this.set({ branch: key, play: true });
    this.render();
    this.say("Reading the prompt …", "busy");
    const mine = (this.run = new AbortController());
    if (this.playing) requestAnimationFrame((now) => this.tick(now));
    await this.guarded(mine, async () => {
      this.vocabulary = await this.data.vocabulary(about.model);
      mine.signal.throwIfAborted();
      await this.follow(forced, mine);
      await this.fill(mine);
    });
  }

  // A branch out of an address: each text as far as it is left, then the token that was chosen there.
  async follow(forced, mine) {
    let trouble = "";
    for (const [place, id] of forced) {
      await this.fill(mine, place + 1);
      if (this.current.steps.length <= place) trouble = `The text ends before token ${place + 1}, where another was chosen.`;
      else if (id >= this.vocabulary.size) trouble = `This model has no token ${id}: the text goes on as it is drawn.`;
      if (trouble) break;
      const known = await this.found(place, id);
      mine.signal.throwIfAborted();
      this.current = this.texts.choose(this.current, place, id, known);
    }
    this.following = false;
    if (forced.length) this.tell();
    if (trouble) this.say(trouble, "error");
  }

  /** Writes the current branch to its length, or to `length` tokens. */
  fill(mine, length = this.length()) {
    let first = true;
    return write(this.data, this.texts.about, this.current, length, mine.signal, {
      grown: () => {
        if (first && !this.following) this.say("");
        first = false;
        this.soon();
      },
      waiting: (sentence) => this.say(sentence, "busy"),
    });
  }

  // What fails keeps what is written; play goes on from there.
  async guarded(mine, work) {
    try {
      await work();
      if (this.run === mine) this.run = null;
    } catch (fault) {
      if (fault.name === "AbortError" || this.run !== mine) return;
      Object.assign(this, { run: null, following: false, wanted: this.have() });
      this.render();
      this.rest();
      this.say(fault.message, "error");
    }
    this.soon();
  }

  // More is asked for if the branch is not whole and nobody is writing it.
  need() {
    if (this.run || this.whole()) return;
    const mine = (this.run = new AbortController());
    this.guarded(mine, () => this.fill(mine));
  }

  stop() {
    this.run?.abort();
    this.run = null;
  }

  // p and q of a token that the step does not tell of: worked out from the logits, as the distribution is.
  async found(place, id) {
    const end = this.vocabulary.end;
    const { about } = this.texts;
    if (tells(this.current.steps[place], id)) return { end };
    try {
      const reading = await this.data.read(about.model, about.prompt, this.current.steps.slice(0, place).map((step) => step.id));
      const warper = createWarper(reading.logits, reading.ids);
      const { order, q } = warper.warp(about.settings);
      const at = order.indexOf(id);
      return { end, found: { p: warper.before.p[id], q: q[at], low: q.subarray(0, at).reduce((sum, each) => sum + each, 0) } };
    } catch {
      return { end }; // shown without its numbers
    }
  }

  // --- where one is ------------------------------------------------------------------------------------------------

  length() {
    const forced = this.current?.forced.at(-1)?.[0] ?? -1;
    return Math.max(this.store.get("n"), forced + 1);
  }

  whole() { return Boolean(this.current) && (Boolean(this.current.ended) || this.current.steps.length >= this.length()); }
  have() { return Math.min(this.current?.steps.length ?? 0, this.length()); }

  state() {
    if (!this.texts || (!this.run && !this.texts.root.steps.length)) return "new";
    if (this.playing) return "playing";
    if (this.isStale()) return "stale";
    return this.whole() && this.shown >= this.have() ? "done" : "paused";
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
    this.need();
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
      if (this.current.ended || this.length() >= MOST) return this.say(this.current.ended ? ENDED[this.current.ended] : `A text has ${MOST} tokens at most.`);
      this.set({ n: this.length() + 1 });
    }
    this.wanted = this.shown + 1;
    this.need();
    this.render();
  }

  tick(now) {
    if (!this.playing || !this.visible) return;
    const late = Math.max(0, Math.min(now - this.clock, LATE_MS));
    this.clock = now;
    this.wanted = this.speed && !this.rush ? Math.min(this.wanted + (late / 1000) * this.speed, this.have() + 0.999) : this.have();
    this.render();
    if (!this.following && this.whole() && this.shown >= this.have()) {
      this.rest();
      this.say(ENDED[this.current.ended] ?? this.summary());
    } else requestAnimationFrame((next) => this.tick(next));
  }

  // The mean surprise of a text is what its perplexity is made of.
  summary() {
    const drawn = this.current.steps.slice(0, this.have()).filter(({ p }) => p > 0);
    const mean = drawn.reduce((sum, { p }) => sum - Math.log(p), 0) / drawn.length;
    return `${this.have()} tokens written; their perplexity under the model is ${Math.exp(mean).toFixed(1)}.`;
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
    this.stop();
    const branch = this.texts.choose(this.current, place, id, await this.found(place, id));
    this.turnTo(branch, place);
    this.say(`From token ${place + 1} on it goes another way; the luck is the same.`);
  }

  /** Another branch is shown; from `place` on it is played, or all of it is shown at once where none is given. */
  turnTo(branch, place = null) {
    if (branch === this.current && place === null) return;
    this.stop();
    this.current = branch;
    this.at = place;
    this.wanted = place === null ? this.have() : place + 1;
    this.tell();
    this.render();
    this.ink.mark(this.at);
    if (this.whole() && this.wanted >= this.have()) this.rest();
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
    this.shown = vocabulary && texts ? Math.max(0, Math.min(Math.floor(this.wanted + 1e-6), this.have())) : 0;
    ink.show(current?.steps ?? [], this.shown, vocabulary);
    if (this.shown !== before && this.at === null) ink.follow();
    const state = this.state();
    ink.element.dataset.state = state;
    this.transport.show(state, this.shown, this.length());
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
    if (target !== document.body && !this.stage.contains(target)) return;
    if (target.matches("input, select, textarea")) return;
    if (event.key === " " && target.matches("button")) return; // the button's own
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
    this.stop();
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
