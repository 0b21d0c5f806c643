// The Branch tool: from one step of the run, one thing changes; both futures stand side by side, and below them what had
// come of it, had it changed earlier or later.

import { h } from "../common/dom.js";
import { readTheme } from "../common/theme.js";
import { stylesheet } from "../common/sheet.js";
import { createControls, row } from "./controls.js";
import { nameOf, pictureFilm, placeIn, strip } from "./film.js";
import { SETTINGS } from "./main.js";
import { paint } from "./mosaic.js";
import { createOutcomes } from "./outcomes.js";
import { Player, seconds } from "./player.js";
import { Strip } from "./strip.js";
import { Take, listen } from "./take.js";
import { Transport } from "./transport.js";
import { what } from "./words.js";

const CHANGES = ["label", "guidance", "sampler", "eta", "seed"];
const SETTLE_MS = 150;
const FORKS = 9; // pictures in the row of outcomes, the last of them unchanged

class Branch {
  constructor(panel, app) {
    this.app = app;
    this.visible = false;
    this.player = new Player((index) => this.seen(index), (playing) => this.transport.playing(playing));
    this.build(panel);
    this.strip = new Strip(this.film, [(step) => this.take.frames[step]?.x_0, (step) => this.future(step)?.x_0], (index) => this.player.seek(index), () => {
      const { accent, wall } = readTheme();
      return { accent, wall, soft: getComputedStyle(document.body).getPropertyValue("--soft").trim() };
    });
    app.main.on((event, data) => this.heard(event, data));
    app.store.on(["fork", "then"], () => { if (this.visible) { this.tell(); this.soon(); } });
    addEventListener("gallery:theme", () => this.strip.soon());
  }

  // --- what is asked -----------------------------------------------------------------------------------------------

  // What changes: as chosen, or until then another class, so that there is something to see.
  then() {
    const { then, label } = this.app.store.get();
    if (Object.keys(then).length) return then;
    const classes = this.app.config()?.classes?.length ?? 0;
    return classes > 1 ? { label: ((typeof label === "number" ? Math.max(label, 0) : 0) + 3) % classes } : { sampler: "ddpm" };
  }

  fork() {
    const { fork, at, steps } = this.app.store.get();
    return Math.min(fork ?? (at > 0 && at < steps ? at : Math.round(steps / 2)), steps); // the step on screen, if it is half-way
  }

  // The store as the controls of a branch see it: what changes lies over what the run was made with.
  overlay() {
    const { store } = this.app;
    const over = (key) => { const then = this.then(); return CHANGES.includes(key) && key in then ? then[key] : store.get(key); };
    return {
      get: (key) => (key === undefined ? Object.fromEntries(Object.keys(store.get()).map((each) => [each, over(each)])) : over(key)),
      set: (patch) => store.set({ then: Object.fromEntries(Object.entries({ ...this.then(), ...patch }).filter(([key, value]) => value !== "each" && value !== store.get(key))) }),
      on: (keys, fn) => store.on(keys === "*" ? [...SETTINGS, "then"] : [...[].concat(keys), "then"], fn),
    };
  }

  build(panel) {
    const { app } = this;
    this.run = h("p", { class: "dx-words" });
    this.range = h("input", { class: "g-range", type: "range", min: 0, max: 50, step: 1, "aria-label": "Step of the fork",
      oninput: () => app.store.set({ fork: Number(this.range.value) }) });
    this.where = h("output", { class: "dx-value" });
    this.note = h("p", { class: "dx-note", hidden: true }, "This sampler adds no noise on the way, so a new seed changes nothing: choose DDPM, or raise η.");
    const controls = createControls({ ...app, store: this.overlay() }, CHANGES);
    panel.append(this.run, row("Fork", this.range, this.where), h("h3", { class: "g-h3 dx-then" }, "from there on"), controls.element, this.note,
      h("p", { class: "dx-note dx-moral" }, "What is drawn is decided early, while there is little but noise; how it is drawn, late. The row below the film shows where one turns into the other."));
    const pane = (key, sign, below, words, about) => {
      this.panes ??= {};
      this.panes[key] = h("canvas", { class: "dx-picture", role: "img", "aria-label": about });
      const told = h("span", {}, words);
      return [told, h("div", { class: "dx-pane" }, h("div", { class: "dx-cap" }, h("b", { class: "dx-sign" }, sign, h("sub", {}, below)), told), h("div", { class: "dx-frame" }, this.panes[key]))];
    };
    const [forkWords, first] = pane("x_t", "x", "t", "where they part", "The noisy state at the fork");
    const [asWas, second] = pane("base", "x̂", "0", "as it was", "What the network believes in the run as it was");
    const [changed, third] = pane("branch", "x̂", "0", "changed", "What the network believes after the change");
    Object.assign(this, { forkWords, asWas, changed });
    this.transport = new Transport({ toggle: () => (this.player.playing ? this.player.pause() : this.player.play()), seek: (index) => this.player.seek(index),
      step: (by) => this.player.step(by), speed: (speed) => { this.player.speed = speed; } });
    this.film = h("canvas", { class: "dx-film", role: "img", "aria-label": "Film of both futures: as it was above, changed below" });
    this.outcomes = createOutcomes(app, { title: "What comes of it, by the step it changes at", choose: (fork) => app.store.set({ fork }),
      nameOf: (fork) => (fork === 0 ? "at once" : fork === this.take.steps ? "never" : `step ${fork}`) });
    this.stage = h("div", { class: "dx-reverse dx-fork" }, h("div", { class: "dx-panes" }, first, second, third), this.transport.element,
      h("div", { class: "dx-filmrow" }, h("div", { class: "dx-rows dx-two", "aria-hidden": "true" }, h("span", {}, "was"), h("span", {}, "now")), this.film), this.outcomes.element);
  }

  tell() {
    const { app, range } = this;
    const steps = app.store.get("steps");
    const fork = this.fork();
    range.max = String(steps);
    range.value = String(fork);
    this.where.textContent = String(fork);
    range.setAttribute("aria-valuetext", `step ${fork} of ${steps}`);
    const then = this.then();
    const sampler = then.sampler ?? app.store.get("sampler");
    const draws = sampler === "ddpm" || (sampler === "ddim" && (then.eta ?? app.store.get("eta")) > 0);
    this.note.hidden = !("seed" in then) || draws;
    this.forkWords.textContent = `where they part, step ${fork}`;
    const words = { label: () => `“${app.className(then.label)}” from here`, guidance: () => `guidance ${then.guidance}`, sampler: () => ({ ddpm: "DDPM", ddim: "DDIM", "dpm++": "DPM++", euler: "Euler" })[then.sampler], eta: () => `η = ${then.eta}`, seed: () => "other noise" };
    this.change = Object.keys(then).map((key) => words[key]()).join(", ");
    this.changed.textContent = this.change;
    this.strip.fork = fork;
  }

  // --- the run, and its other future -------------------------------------------------------------------------------

  heard(event, data) {
    if (!this.visible) return;
    const here = this.take === this.app.main.take; // not while the run before is still on its way
    if (event === "new") this.arrived(data);
    else if (event === "step") { if (here) this.grown(); }
    else if (event === "end") { if (here) { this.grown(); this.soon(); } }
    else if (event === "failed") { this.app.status(data.error, "error"); this.app.ready(); }
    else if (event === "status" && data.state !== "running") this.app.status(data.sentence, "busy");
  }

  arrived(take) {
    this.take = take;
    this.branch = null;
    this.strip.load(take);
    this.transport.load(take.first, take.steps);
    if (!this.player.loaded) this.player.wanted = take.steps;
    this.player.load(take.first, take.steps, take.newest);
    this.run.textContent = `The run: ${take.steps} steps, ${what(this.app, take.about)}.`;
    this.asWas.textContent = take.about.labels.length === 1 && take.about.labels[0] >= 0 ? `as it was, “${this.app.className(take.about.labels[0])}”` : "as it was";
    this.tell();
    this.grown();
    this.app.ready();
    if (take.state === "done") this.soon();
  }

  grown() {
    const newest = Math.min(this.take.newest, this.branch?.newest >= 0 ? this.branch.newest : this.take.newest);
    this.player.newest = this.take.newest;
    this.player.arrived(this.take.newest);
    this.transport.arrived(newest);
    this.strip.arrived();
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.part(), SETTLE_MS);
  }

  async part() {
    const { app, take } = this;
    if (!this.visible || take?.state !== "done" || app.main.coming !== take) return;
    const asked = { parent: take.token, index: this.fork(), ...this.then() };
    const same = JSON.stringify(asked);
    if (same === this.parted) return;
    this.parted = same;
    this.abort?.abort();
    if (JSON.stringify([take.token, this.then()]) !== this.compared) this.outcomes.stop();
    const mine = (this.abort = new AbortController());
    const branch = new Take();
    const current = (fn) => (data) => { if (this.abort === mine) fn(data); };
    app.status(`From step ${asked.index} on: ${this.change} …`, "busy");
    const failed = current(({ error, gone }) => {
      this.parted = "";
      app.status(gone ? `${error.split(". ")[0]}. It is run again from the start.` : error, "error");
      if (gone) app.main.start();
    });
    try {
      await listen(`${app.base}/run`, { ...asked, session: app.session }, mine.signal, branch, {
        step: current((frame) => {
          if (this.branch !== branch) { this.branch = branch; this.strip.renew(1); }
          if (this.player.shown === frame.index) this.paint(frame.index);
          this.transport.arrived(branch.newest);
          this.strip.arrived();
        }),
        end: current(() => { this.paint(this.player.shown); this.compare(take); }),
        failed,
      });
    } catch (fault) {
      if (fault.name !== "AbortError") failed({ error: "The connection to the branch was lost. Change something to try again." });
    }
  }

  // The same change at other steps. Where the fork alone has moved, the row is here already.
  async compare(take) {
    const { app } = this;
    const then = this.then();
    const asked = JSON.stringify([take.token, then]);
    if (asked === this.compared) {
      this.outcomes.near(this.fork());
      return app.status(this.moral);
    }
    app.status("Trying the same change earlier and later …", "busy");
    const places = [...new Set(Array.from({ length: FORKS }, (_, i) => Math.round((i * take.steps) / (FORKS - 1))))];
    const asking = this.outcomes.ask("outcomes", { parent: take.token, ...then }, places, then.label);
    this.outcomes.near(this.fork());
    const seen = await asking;
    if (!seen) return;
    this.compared = asked;
    this.moral = this.sentence(seen, take.steps, then);
    app.status(this.moral);
  }

  // The latest step at which the change still turned the picture into what it asks for.
  sentence(seen, steps, { label }) {
    const order = [...seen.values()].sort((a, b) => a.place - b.place);
    if (label === undefined || label < 0 || !order[0]?.verdicts.length) return `${this.change}: the same change, made at ${order.length} different steps.`;
    const name = `“${this.app.className(label)}”`;
    const turned = order.filter(({ verdicts, place }) => verdicts[0].label === label && place < steps);
    if (!turned.length) return `No step is early enough here: the picture does not become a ${name}.`;
    const last = turned[turned.length - 1].place;
    const next = order.find(({ place }) => place > last).place;
    return `Changed at step ${last} of ${steps} it still becomes a ${name}; ${next === steps ? "it is never too late" : `at step ${next} it is decided`}.`;
  }

  // The other future at a step: before the fork there is only one.
  future(step) {
    return step < this.fork() ? this.take.frames[step] : this.branch?.frames[step];
  }

  // --- the place ---------------------------------------------------------------------------------------------------

  seen(index) {
    const frame = this.take?.frames[index];
    if (!frame) return;
    this.paint(index);
    this.transport.show(this.player.playing ? index : Math.round(this.player.wanted), frame);
    this.strip.show(index);
  }

  paint(index) {
    const { take, panes } = this;
    const frame = take?.frames[index];
    if (!frame) return;
    paint(panes.x_t, (take.frames[this.fork()] ?? frame).x_t, take.about);
    paint(panes.base, frame.x_0, take.about);
    const other = this.future(index) ?? this.branch?.at(index);
    panes.branch.classList.toggle("dx-empty", !other);
    if (other) paint(panes.branch, other.x_0, take.about);
  }

  /** Both futures so far, side by side. */
  keep() {
    const { take } = this;
    if (!take || take.newest < 0) return null;
    const at = (index) => take.first + index;
    const was = (step) => take.frames[step]?.x_0;
    const now = (step) => (this.future(step) ?? this.branch?.at(step))?.x_0;
    return pictureFilm({
      name: `${nameOf(take)}-branch-${this.fork()}`, shape: take.about, count: take.newest - take.first + 1, seconds: seconds(take.steps - take.first + 1),
      panes: [{ words: () => this.asWas.textContent, bytes: (index) => was(at(index)) }, { words: () => this.change, bytes: (index) => now(at(index)) }],
      line: (index) => `${placeIn(take, at(index))}${at(index) < this.fork() ? "" : ` · parted at ${this.fork()}`}`,
      still: () => strip(take, [{ sign: "was", bytes: was }, { sign: "now", bytes: now }]),
    });
  }

  async show() {
    this.visible = true;
    await (this.dressed ??= stylesheet(new URL("./branch.css", import.meta.url)));
    if (!this.visible) return; // left while it was dressing
    const { main } = this.app;
    main.need();
    if (main.take && main.take === main.coming && main.take !== this.take) this.arrived(main.take);
    else if (this.take && this.take === main.coming) { this.tell(); this.soon(); }
  }

  hide() {
    this.visible = false;
    this.player.pause();
    this.abort?.abort();
    this.outcomes.stop();
    this.parted = "";
    this.app.main.rest();
  }
}

export default function mount(panel, app) {
  const tool = new Branch(panel, app);
  window.__diffusion.branch = tool;
  return { stage: tool.stage, show: () => tool.show(), hide: () => tool.hide(), keep: () => tool.keep() };
}
