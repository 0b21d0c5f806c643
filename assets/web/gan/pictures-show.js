// The second instrument as it looks: the views and where they come from, the large picture, what is beside it, the film.

import { h, put, segmented } from "../common/dom.js";
import { Beside, verdictsOf } from "./pictures-beside.js";
import { PROBABILITY, verdict } from "./rules.js";
import { Easel } from "./pictures-easel.js";
import { inWords } from "./pictures-panel.js";
import { PictureTransport } from "./pictures-transport.js";
import { BETWEEN, HEADS, classScene, filmScene, gridScene, pairScene, shortName, verdictScene, walkScene } from "./pictures-views.js";

const VIEWS = [["grid", "Samples", "The same noise, as it is drawn now"], ["verdicts", "Verdicts", "What D thinks of each, real and generated"],
  ["walk", "Walk", "A plane of the latent space"], ["film", "Film", "The same noise at moments of the training"]];
const UNDER = 80; // pixels that are left below the samples: the curves go there
const SHORT = 430; // pixels of height for what is beside the picture: less has room for one curve

export class PicturesShow {
  /** What it asks of the tool: makeGame, seek, toggle, until, restart, rule; panel. */
  constructor(app) {
    Object.assign(this, { app, visible: false, shown: 0, following: true, about: null, sheets: { a: {}, b: {} }, picked: 0, walkAt: null });
    this.games = { a: this.makeGame("a"), b: this.makeGame("b") };
    this.easel = new Easel({ over: (item) => this.over(item), press: (item) => this.press(item) });
    this.beside = new Beside((step) => this.seek(step), (rules) => this.tryOut(rules));
    this.transport = new PictureTransport({ toggle: () => this.toggle(), seek: (index) => this.seek(this.game.looks[index]?.step ?? 0), newest: () => this.seek(this.game.step),
      until: (input) => this.until(input), reset: () => this.restart() });
    this.stage = this.build();
    addEventListener("gallery:theme", () => { this.easel.theme(); this.beside.theme(); this.soon(); });
    new ResizeObserver(() => this.arrange()).observe(this.stage);
  }

  get(key) { return this.app.store.get(key); }

  /** Game A: the film below is its film. */
  get game() { return this.games.a; }

  get two() { return Boolean(this.get("pversus")); }

  both() { return this.two ? ["a", "b"] : ["a"]; }

  playing() { return Object.values(this.games).filter((game) => game.playing); }

  /** The last step of what is on screen: of two that are played, the last that both have reached. */
  get newest() {
    const games = this.both().map((which) => this.games[which]);
    return (games.every((game) => game.playing) ? Math.min : Math.max)(...games.map((game) => game.step));
  }

  say(text, kind) { if (this.visible) this.app.status(text, kind); }

  build() {
    this.views = segmented("What is shown", VIEWS.map(([value, text, title]) => ({ value, text, title })), this.get("view"), (view) => this.app.store.set({ view }));
    this.source = h("p", { class: "gp-source" }, h("b", {}), h("span", {}));
    this.way = h("button", { type: "button", class: "g-btn gp-turn", hidden: true, onclick: () => this.app.store.set({ directions: this.get("directions") + 1 }) }, "New directions");
    this.top = h("div", { class: "gp-top" }, this.views, this.way, this.source);
    return h("div", { class: "gp" }, this.top, this.easel.element, this.beside.element, this.transport.element);
  }

  // --- painting ----------------------------------------------------------------------------------------------------------------

  scene(w, tall) {
    if (!this.two) return this.half("a", w, tall);
    return pairScene({ half: (which, ...room) => this.half(which, ...room), heads: this.both().map((which) => this.head(which)), w, tall });
  }

  half(which, w, tall) {
    const { about, picked } = this;
    const [look, sheets] = [this.games[which].at(this.shown), this.sheets[which]];
    if (!look) return null;
    const [view, ask] = [this.get("view"), this.get("ask")];
    if (view === "verdicts") return verdictScene({ look, about, realLook: about, w, tall });
    if (view === "film") return filmScene({ looks: this.games[which].looks, about, w, tall, shown: look, picked });
    if (view === "walk") return sheets.walk?.label === (ask ?? 0) ? walkScene({ sheet: sheets.walk, about, at: this.walkAt, w, tall }) : null;
    if (ask != null) return sheets.class?.label === ask ? classScene({ sheet: sheets.class, about, loss: look.loss, picked, w, tall }) : null;
    return gridScene({ look, about, picked, w, tall });
  }

  /** What stands above one of two games: by which rules, and how it goes. */
  head(which, step = this.shown) {
    const look = this.games[which].at(step);
    const rules = which === "a" ? "A, solid lines: the rules as they are set" : `B, dashed lines: ${inWords(this.get("pversus"))}`;
    if (!look) return [rules];
    const measures = this.measured(look.step, which);
    const crowd = measures?.frechet == null ? "" : ` · Fréchet ${measures.frechet.toFixed(measures.frechet < 10 ? 2 : 0)} at step ${measures.step.toLocaleString("en")}`;
    const [real, fake] = verdictsOf(look);
    return [rules, `step ${look.step.toLocaleString("en")} · D(real) ${verdict(real, look.loss)} · D(gen.) ${verdict(fake, look.loss)}`, `${measures?.recognised == null ? "" : `recognised ${Math.round(100 * measures.recognised)} %`}${crowd}`.replace(/^ · /, "")];
  }

  /** Another view. */
  turn(view) {
    [...this.views.children].forEach((button, i) => button.setAttribute("aria-pressed", String(VIEWS[i][0] === view)));
    this.way.hidden = view !== "walk";
    this.walkAt = null;
    this.arrange();
  }

  soon() { this.due ||= requestAnimationFrame(() => { this.due = 0; this.paint(); }); }

  arrange() {
    const { clientWidth: wide, clientHeight: high } = this.stage;
    if (!wide) return;
    if (wide < 600) this.room = { w: wide - 16, tall: Math.round((wide - 16) * (this.get("view") === "verdicts" ? 1.15 : 0.95)) * (this.two ? 2 : 1) + (this.two ? 2 * HEADS : 0) };
    else {
      const beside = Math.max(212, Math.round(wide * 0.235));
      this.room = { w: wide - 24 - 16 - beside, tall: Math.max(160, high - this.top.offsetHeight - this.transport.element.offsetHeight - 36) };
    }
    this.stage.dataset.games = this.two ? "2" : "1";
    this.below(wide >= 600);
    this.stage.dataset.short = String(wide >= 600 && !this.under && this.room.tall < SHORT);
    this.soon();
  }

  // Where the samples leave room below them, the curves stand there, and the picture that is picked has theirs.
  below(possible) {
    const { w, tall } = this.room;
    const one = this.two ? (w - BETWEEN) / 2 : w;
    const left = this.about ? tall - gridScene({ look: { count: this.about.labels.length, step: 0, verdicts: [] }, about: this.about, w: one, tall, bare: true }).tall - (this.two ? HEADS : 0) : 0;
    const under = possible && left > UNDER;
    if (under) this.room.tall = tall - left + Math.max(0, left - 190);
    if (under === this.under) return;
    this.under = under;
    this.stage.dataset.under = String(under);
    (under ? this.stage : this.beside.element).append(this.beside.curvesBox);
  }

  paint() {
    const look = this.game.at(this.shown);
    if (!look || !this.about || !this.room) return this.easel.show(null);
    const scene = this.scene(this.room.w, this.room.tall);
    if (scene) {
      this.easel.size(scene.w, scene.tall);
      this.stage.style.setProperty("--board", `${this.under ? this.room.w : scene.w}px`);
    }
    this.easel.show(scene);
    this.pick(scene);
    this.beside.numbers(look, this.measured(look.step), this.about.classes.map(shortName), this.game.measures.at(-1)?.space);
    this.beside.curve(this.both().map((which) => this.games[which]), this.shown);
    this.beside.illness.show(this.game.illness(this.shown));
    this.tell(look);
    this.painted = (this.painted || 0) + 1;
    this.marks();
  }

  // Where what is on screen comes from.
  tell(look) {
    const { playing, rate, start } = this.game;
    const step = look.step.toLocaleString("en");
    const from = this.get("stage") === "scratch" ? "from scratch" : `from step ${start.toLocaleString("en")} on`;
    const speed = playing && rate ? `, ${rate < 10 ? rate.toFixed(1) : Math.round(rate)} steps/s` : "";
    put(this.source.children[0], look.precomputed ? "Precomputed here:" : "Live:");
    put(this.source.children[1], look.precomputed ? ` trained by the recipe, ${step} steps` : ` trained here ${from}${speed}`);
  }

  measured(step, which = "a") { return this.games[which].measures.findLast((each) => each.step <= step) ?? null; }

  over(item) {
    this.item = item;
    if (item && this.get("view") === "walk") this.walkAt = item.index;
    this.soon();
  }

  press(item) {
    if (item.step != null) return this.seek(item.step);
    if (item.kind === "walk") this.walkAt = item.index; else this.picked = item.index;
    this.soon();
  }

  // What is under the pointer, else what was picked.
  pick(scene) {
    const item = scene?.items[this.easel.at] ?? scene?.items.find((each) => each.picked) ?? scene?.items[scene.key === "walk" ? scene.items.length >> 1 : 0];
    if (!item) return this.beside.pick(null, "");
    const name = shortName(this.about.classes[item.label]);
    const lines = { real: `Real: ${name}`, made: `Generated: ${name}`, walk: `Generated: ${name}` }[item.kind];
    const { loss } = this.games[item.which ?? "a"].at(this.shown);
    const whose = this.two ? `${(item.which ?? "a").toUpperCase()}: ` : "";
    const place = item.place?.map((value) => value.toFixed(2).replace("-", "−"));
    const taken = item.taken != null && item.taken !== item.label ? `, our classifier: ${shortName(this.about.classes[item.taken])}` : "";
    this.beside.pick(item, whose + (place ? `${lines}, at (${place.join(", ")})` : `${lines}. D says ${verdict(item.verdict, loss)}${PROBABILITY.has(loss) ? " real" : ""}${taken}`));
  }

  marks() {
    const { game } = this;
    const look = game.at(this.shown);
    const kept = game.kept.map((step) => game.index(step)).filter((index, i) => game.looks[index]?.step === game.kept[i]);
    const behind = Boolean(look) && look.step < game.step;
    const playing = this.playing().length > 0;
    this.transport.show({ step: look?.step ?? 0, index: look ? game.index(this.shown) : 0, count: game.looks.length, playing, behind, kept, precomputed: look?.precomputed });
    if (document.activeElement !== this.transport.until) this.transport.until.value = this.get("puntil") ?? "";
    const words = game.trained ? `The film: ${game.looks.length} looks, ${(game.bytes / 2 ** 20).toFixed(1)} MB in this page; the gallery keeps ${game.kept.length} ${game.kept.length === 1 ? "moment" : "moments"} for an hour, 24 MB at most: the marks under the slider.` : "";
    if (this.panel.kept.textContent !== words) this.panel.kept.textContent = words;
    this.stage.dataset.playing = String(playing);
  }
}
