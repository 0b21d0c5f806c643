// The Reverse tool, the instrument: the state, the noise that the network sees in it and the picture that it believes in,
// side by side, at any step of the run.

import { h } from "../common/dom.js";
import { sentence } from "../common/room.js";
import { readTheme } from "../common/theme.js";
import { createControls } from "./controls.js";
import { nameOf, pictureFilm, placeIn, strip } from "./film.js";
import { paint, pictureAt, placeOf } from "./mosaic.js";
import { createReadout } from "./readout.js";
import { Player, seconds } from "./player.js";
import { createSchedule } from "./schedule.js";
import { Strip } from "./strip.js";
import { Transport } from "./transport.js";
import { what } from "./words.js";

const CALM_MS = 400; // without a move: the place is written into the address
const PANES = [
  ["x_t", "𝑥", "t", "what is there", "The noisy state x at step t"],
  ["eps", "ε̂", "", "the noise it sees", "The noise that the network predicts"],
  ["x_0", "x̂", "0", "what it believes", "The clean picture that the prediction implies"],
];

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

class Reverse {
  constructor(panel, app) {
    this.app = app;
    this.visible = false;
    this.player = new Player((index) => this.seen(index), (playing) => this.rested(playing));
    this.schedule = createSchedule(app);
    this.controls = createControls(app, ["model", "label", "guidance", "sampler", "eta", "steps", "schedule", "seed"]);
    panel.append(this.controls.element, this.schedule.element);
    this.build();
    this.strip = new Strip(this.film, ["x_t", "x_0"], (index) => this.seek(index), () => this.colours());
    app.main.on((event, data) => this.heard(event, data));
    app.store.on("both", () => this.branches());
    app.store.on(["at", "play"], (state, changed) => this.asked(state, changed));
    addEventListener("gallery:theme", () => this.strip.soon());
  }

  colours() {
    const { accent, wall } = readTheme();
    return { accent, wall, soft: getComputedStyle(document.body).getPropertyValue("--soft").trim() };
  }

  // --- what stands on the stage ------------------------------------------------------------------------------------

  build() {
    this.panes = {};
    this.rings = [];
    const panes = PANES.map(([name, letter, below, words, about]) => {
      const canvas = (this.panes[name] = h("canvas", { class: "dx-picture", role: "img", "aria-label": about }));
      const sign = h("b", { class: "dx-sign" }, letter === "𝑥" ? "x" : letter, h("sub", {}, below));
      return h("div", { class: "dx-pane", "data-pane": name }, h("div", { class: "dx-cap" }, sign, h("span", {}, words), name === "eps" ? this.switch() : null),
        h("div", { class: "dx-frame", onclick: (event) => this.point(event) }, canvas, this.ring(), name === "eps" ? this.pair() : null));
    });
    this.readout = createReadout();
    this.transport = new Transport({
      toggle: () => this.toggle(), seek: (index) => this.seek(index), step: (by) => this.step(by), speed: (speed) => { this.player.speed = speed; },
    });
    this.transport.range.addEventListener("keydown", (event) => { if (event.key === "n") this.pick(this.strip.picked + 1); });
    this.film = h("canvas", { class: "dx-film", role: "img", "aria-label": "Film of the run: noisy states above, believed pictures below. Of several pictures it shows one; N takes the next" });
    this.again = h("button", { type: "button", class: "g-btn primary", onclick: () => this.again.act?.() }, "Go on");
    this.trouble = h("div", { class: "dx-trouble", role: "alert", hidden: true }, h("span", {}), this.again);
    this.stage = h("div", { class: "dx-reverse" },
      h("div", { class: "dx-panes" }, ...panes), this.trouble, this.readout.element, this.transport.element,
      h("div", { class: "dx-filmrow" }, h("div", { class: "dx-rows", "aria-hidden": "true" }, h("b", {}, "x", h("sub", {}, "t")), h("b", {}, "x̂", h("sub", {}, "0"))), this.film));
  }

  // Two branches of the guidance, in place of the noise.
  switch() {
    this.both = h("button", { type: "button", class: "dx-switch", "aria-pressed": "false", hidden: true, title: "What the network believes with the class, and without",
      onclick: () => this.app.store.set({ both: !this.app.store.get("both") }) }, "branches");
    return this.both;
  }

  pair() {
    const side = (key, words) => {
      this.panes[key] = h("canvas", { class: "dx-picture", role: "img", "aria-label": `The picture believed in ${words}` });
      return h("div", { class: "dx-branch" }, this.panes[key], h("span", {}, h("b", {}, words), h("small", {})));
    };
    this.pairHost = h("div", { class: "dx-pair", hidden: true }, side("with_label", "with the class"), side("without_label", "without it"));
    this.words = [...this.pairHost.querySelectorAll(".dx-branch span")].map((span) => [...span.children]);
    return this.pairHost;
  }

  branches() {
    const guided = Boolean(this.take?.guided);
    const on = guided && this.app.store.get("both");
    this.both.hidden = !guided;
    this.both.setAttribute("aria-pressed", String(on));
    this.pairHost.hidden = !on;
    this.panes.eps.hidden = on;
    this.captioned = null;
    if (on) this.weigh(this.take.about);
    if (this.player.shown >= 0) this.paint(this.take.frames[this.player.shown]);
  }

  // ε = ε_without + w (ε_with − ε_without), read as a sum of the two
  weigh({ labels, guidance }) {
    const [[asked, its], [, other]] = this.words;
    asked.textContent = labels.length === 1 ? `with “${this.app.className(labels[0])}”` : "with the class";
    its.textContent = `× ${guidance.toFixed(1)}  (w)`;
    other.textContent = `× ${(1 - guidance).toFixed(1).replace("-", "−")}  (1 − w)`;
  }

  // Of several pictures one is in the film: the one that was pointed at.
  ring() {
    const ring = h("i", { class: "dx-ring", hidden: true });
    this.rings.push(ring);
    return ring;
  }

  point(event) {
    const box = event.currentTarget.getBoundingClientRect();
    const index = pictureAt((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, this.take?.about.count ?? 1);
    if (index !== null) this.pick(index);
  }

  pick(index) {
    const { count } = this.take.about;
    this.strip.pick(index % count);
    const { left, top, side } = placeOf(this.strip.picked, count);
    for (const ring of this.rings) {
      ring.hidden = count === 1;
      Object.assign(ring.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * side}%`, height: `${100 * side}%` });
    }
  }

  // --- the run -----------------------------------------------------------------------------------------------------

  heard(event, data) {
    if (!this.visible) return;
    if (event === "asked") this.waiting(data);
    else if (event === "new") this.arrived(data);
    else if (event === "step") this.grown();
    else if (event === "end") this.ended();
    else if (event === "failed") this.failed(data);
    else if (event === "status" && data.state !== "running") this.app.status(data.sentence, "busy");
  }

  waiting(take) {
    this.trouble.hidden = true;
    this.stage.classList.toggle("dx-stale", take !== this.take);
  }

  arrived(take) {
    this.take = take;
    this.stage.classList.remove("dx-stale");
    this.trouble.hidden = true;
    this.strip.load(take);
    this.pick(this.strip.picked);
    this.transport.load(take.first, take.steps);
    if (this.starting) this.player.wanted = 0;
    const begin = this.starting ? this.opening(take) : null;
    this.player.load(take.first, take.steps, take.newest);
    this.branches();
    if (begin !== null) this.player.seek(begin);
    this.waits = false;
    if (this.starting && this.wantsPlay()) {
      if (still()) this.waits = true;
      else this.player.play();
    }
    this.starting = false;
    this.transport.arrived(take.newest);
    if (take.state === "running") this.app.status(`On the way: ${what(this.app, take.about)} …`, "busy");
    this.app.ready();
    const idle = window.requestIdleCallback ?? ((fn) => setTimeout(fn, 300));
    idle(() => this.schedule.show(), { timeout: 1200 }); // 1.4 MB of Plotly can wait for the pictures
  }

  // Where to stand in the first run: where the address says, or at the noise.
  opening(take) {
    const at = this.app.store.get("at");
    return at === null ? take.first : Math.min(at, take.steps);
  }

  wantsPlay() {
    const { at, play } = this.app.store.get();
    return play || at === null;
  }

  grown() {
    this.player.arrived(this.take.newest);
    this.transport.arrived(this.take.newest);
    this.strip.arrived();
  }

  ended() {
    this.grown();
    if (!this.player.playing) this.settle(); // a run of other length has other steps
    const { about, frames, steps, first } = this.take;
    const took = frames[steps].seconds;
    this.app.status(`${this.waits ? "The run waits at its start, because your system asks for less motion: press play. " : ""}${steps - first} ${steps - first === 1 ? "step" : "steps"} in ${took < 10 ? took.toFixed(2) : took.toFixed(0)} s: ${what(this.app, about)}.`);
  }

  failed({ error, lost, refused, take }) {
    this.app.status(error, "error");
    if (take !== this.take && !lost) return;
    const resumable = take === this.take && take.newest >= 0 && !refused;
    this.trouble.firstChild.textContent = sentence(resumable ? `${error} The steps so far are still here.` : error);
    this.again.textContent = resumable ? "Go on" : "Play from the start";
    this.again.act = () => (resumable ? this.app.main.goOn() : this.app.main.start());
    this.trouble.hidden = false;
    this.stage.classList.remove("dx-stale");
    this.app.ready();
  }

  // --- the place ---------------------------------------------------------------------------------------------------

  seen(index) {
    const frame = this.take?.frames[index];
    if (!frame) return;
    this.paint(frame);
    const goal = this.player.playing ? index : Math.round(this.player.wanted);
    this.readout.show(frame, this.take.steps, goal);
    this.transport.show(goal, frame);
    this.strip.show(index);
    this.schedule.at(index === this.take.steps ? 0 : frame.t);
  }

  paint(frame) {
    const shape = this.take.about;
    const words = !this.pairHost.hidden ? "two beliefs" : frame.index === this.take.steps ? "no noise is left" : PANES[1][3];
    if (words !== this.captioned) {
      const [sign, caption] = this.both.parentElement.children;
      sign.firstChild.textContent = this.pairHost.hidden ? PANES[1][1] : PANES[2][1];
      sign.lastChild.textContent = this.pairHost.hidden ? "" : PANES[2][2];
      caption.textContent = this.captioned = words;
    }
    paint(this.panes.x_t, frame.x_t, shape);
    paint(this.panes.x_0, frame.x_0, shape);
    if (this.pairHost.hidden) paint(this.panes.eps, frame.eps, shape);
    else for (const key of ["with_label", "without_label"]) paint(this.panes[key], frame[key] ?? frame.x_0, shape);
  }

  rested(playing) {
    this.transport.playing(playing);
    clearTimeout(this.calm);
    if (playing) return;
    this.app.store.set({ play: false });
    this.settle();
  }

  settle() {
    clearTimeout(this.calm);
    this.calm = setTimeout(() => { if (this.visible && this.take && !this.player.playing) this.app.store.set({ at: Math.round(this.player.wanted) }); }, CALM_MS);
  }

  seek(index) {
    this.player.seek(index);
    this.settle();
  }

  step(by) {
    this.player.step(by);
    this.settle();
  }

  toggle() {
    if (this.player.playing) this.player.pause();
    else this.player.play();
  }

  // A scene or a link moved the place or pressed play.
  asked({ at, play }, changed) {
    if (!this.visible && (changed.has("at") || (changed.has("play") && play))) this.starting = true; // a scene, seen from another tool
    if (!this.visible || !this.take) return;
    if (changed.has("at") && at !== null && !this.player.playing && at !== Math.round(this.player.wanted)) this.seek(at);
    if (changed.has("play") && play && !this.player.playing) {
      this.player.wanted = this.take.first;
      if (still()) this.player.show();
      else this.player.play();
    }
  }

  // --- shown and hidden --------------------------------------------------------------------------------------------

  /** The run so far, as it is on screen: the state and the belief. */
  keep() {
    const { take } = this;
    if (!take || take.newest < 0) return null;
    const at = (index) => take.first + index;
    return pictureFilm({
      name: nameOf(take), shape: take.about, count: take.newest - take.first + 1, seconds: seconds(take.steps - take.first + 1),
      panes: [{ words: () => "what is there", bytes: (index) => take.frames[at(index)].x_t }, { words: () => "what the network believes", bytes: (index) => take.frames[at(index)].x_0 }],
      line: (index) => placeIn(take, at(index)),
      still: () => strip(take, [{ sign: "xₜ", bytes: (step) => take.frames[step].x_t }, { sign: "x̂₀", bytes: (step) => take.frames[step].x_0 }]),
    });
  }

  show() {
    this.visible = true;
    const { main } = this.app;
    if (!this.take) this.starting = true;
    const fresh = main.need();
    if (fresh || main.coming !== main.take) return; // it is on its way
    if (main.take !== this.take || this.starting) this.arrived(main.take);
    this.grown();
    if (this.take.state === "done") this.ended();
  }

  hide() {
    this.visible = false;
    this.player.pause();
    clearTimeout(this.calm);
    this.app.main.rest();
  }
}

export default function mount(panel, app) {
  const tool = new Reverse(panel, app);
  window.__diffusion.reverse = tool;
  return { stage: tool.stage, show: () => tool.show(), hide: () => tool.hide(), keep: () => tool.keep() };
}
