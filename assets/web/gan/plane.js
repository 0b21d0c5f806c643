// The instrument: a game of two small networks in the plane, or two with one rule different, played by the hub; a film of all
// looks to go back through. How it looks: plane-show.js.

import { download } from "../common/dom.js";
import { Sketch, placesOf } from "../common/sketch.js";
import { packed, unpacked } from "../common/strokes.js";
import { stylesheet } from "../common/sheet.js";
import { records } from "../common/records.js";
import { REACH } from "./board.js";
import { readReal, readRound, readLook } from "./data.js";
import { Game } from "./game.js";
import { Panel, saveText } from "./panel.js";
import { PlaneShow } from "./plane-show.js";
import { csvOf } from "./played.js";
import { filmOf } from "./reel.js";
import { KEYS, capital, inWords, rulesOf, verdict } from "./rules.js";
import { Slow } from "./slow.js";

const SETTLE_MS = 150; // a slider under the finger tells the game once it pauses
const RERUN_MS = 6000;
const MOST_STEPS = 1_000_000;
const PACE = { max: 0, 600: 600, 200: 200, 60: 60, 10: 10, slow: 10 };
const GAME = ["data", "drawn", "seed"]; // what makes another game
const FILMS = { a: "film", b: "filmb" };

class PlaneTool extends PlaneShow {
  constructor(panel, app) {
    super(app);
    this.points = null;
    this.sketch = new Sketch((strokes, resting) => resting && this.sketched(strokes));
    this.slow = new Slow({ scene: (scene, phase, round) => { this.boards.a.set(this.games.a.newest, scene); this.graph.phase(phase, round); }, done: (round) => this.landed(round) });
    this.panel = new Panel(panel, app, { upload: (file) => this.upload(file), draw: () => this.setDrawing(!this.drawing), csv: () => this.csv(), weights: () => this.weights() });
    app.store.on([...GAME, ...KEYS, "versus", "play"], (state, changed) => this.changed(state, changed));
    app.store.on("show", () => this.layers());
    app.store.on(["until", "speed"], () => this.marks());
    app.store.on("until", () => { for (const game of this.playing()) game.steer({ until: app.store.get("until") }); });
    app.store.on("at", (state) => { if (state.at != null && state.at !== this.shown && !this.playing().length) this.seek(state.at); });
  }

  makeGame(which) {
    return new Game(this.app, {
      look: (look) => this.looked(which, look), state: (state, body) => this.turned(which, state, body),
      said: () => this.soon(),
    });
  }

  // --- another game ------------------------------------------------------------------------------------------------------

  strokes() { try { return unpacked(this.get("drawn")); } catch { return []; } }

  asked(which) {
    const rules = { ...rulesOf(this.app.store), ...(which === "b" ? this.get("versus") : {}) };
    const data = this.get("data");
    const points = data === "own" ? this.points ?? placesOf(this.strokes(), REACH) : undefined;
    return { data, points, seed: this.get("seed"), rules, until: this.get("until"), pace: PACE[this.get("speed")] ?? 0, who: "both" };
  }

  // Only a scene or an address sets `play`: it asks for a game from its beginning.
  changed(state, changed) {
    if (this.arriving) return;
    if (state.tool !== "plane" || !this.visible) { this.stale ||= (state.play && state.tool === "plane") || [...GAME, ...KEYS, "versus"].some((key) => changed.has(key)); return; } // begun anew when it is seen
    if ((changed.has("play") && state.play) || [...GAME, "versus"].some((key) => changed.has(key))) this.another();
    else if ([...changed].some((key) => KEYS.includes(key))) this.ruled(changed);
  }

  /** What `change` sets is no other game, and no other rules that a game would have to be told of. */
  quietly(change) {
    const before = this.arriving;
    this.arriving = true;
    change();
    this.arriving = before;
  }

  /** Nothing has been played, by the rules that the address names. */
  forget() {
    this.halt();
    for (const game of Object.values(this.games)) game.clear();
    Object.assign(this, { shown: 0, following: true, turnAt: 0 });
    this.quietly(() => {
      this.app.store.set({ film: "", filmb: "", at: null });
      this.app.store.giveBack();
    });
  }

  /** Another game: nothing that was played is true of it. */
  async another() {
    const play = this.get("play");
    this.forget();
    this.arrange();
    this.sketch.set(this.strokes());
    if (this.get("data") === "own" && !this.points && !this.get("drawn")) return this.blank();
    if (!(await this.fetchData())) return;
    if (this.get("data") !== "own" || this.points) this.setDrawing(false);
    const mine = this.asking;
    await this.first();
    if (play && this.asking === mine) this.begin();
  }

  async fetchData(film = "") {
    const mine = (this.asking = Symbol());
    const { data, points } = this.asked("a");
    try {
      const answer = await fetch(`${this.app.base}/plane/data`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(film ? { film } : { data, points, session: this.app.session }) });
      if (this.asking !== mine) return false;
      if (!answer.ok) throw new Error((await answer.json()).error);
      this.real = readReal(records(await answer.arrayBuffer())[0].body);
    } catch (fault) {
      if (this.asking === mine) this.say(fault.message || "The gallery did not answer. Try again in a moment.", "error");
      return false;
    }
    for (const board of Object.values(this.boards)) board.data(this.real);
    this.graph.data(this.real);
    return true;
  }

  /** The game as it begins: networks that have learned nothing. */
  async first() {
    this.say("Waking the engine …", "busy");
    await Promise.all(this.both().map((game) => game.play({ ...this.asked(game === this.games.b ? "b" : "a"), until: 0 })));
    this.app.ready();
    if (this.games.a.state !== "failed" && !this.playing().length && !this.games.a.step) this.greet();
    this.marks();
  }

  greet() { this.say(this.two ? `Two games from the same seed. B has ${inWords(this.get("versus"))}. Press play.` : "Two networks that have learned nothing yet. Press play, or make them learn one at a time."); }

  blank() {
    this.real = null;
    for (const board of Object.values(this.boards)) { board.data(null); board.set(null, { note: "Draw the data here, any shape" }); }
    this.graph.data(null);
    this.soon();
    this.app.ready();
    this.setDrawing(true);
    this.say("Draw the data on the plane, any shape; or upload a CSV with two columns of numbers.");
    this.marks();
  }

  // --- rules -------------------------------------------------------------------------------------------------------------

  ruled(changed) {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      if (this.playing().length) {
        for (const game of this.playing()) game.steer({ rules: this.asked(game === this.games.b ? "b" : "a").rules });
        this.say(`From here on: ${inWords(pick(rulesOf(this.app.store), changed))}. It is marked on the curves.`);
      } else if (this.games.a.step) this.say(`${capital(inWords(pick(rulesOf(this.app.store), changed)))}: takes effect when you play on, and is marked on the curves.`);
      else this.restart();
    }, SETTLE_MS);
  }

  /** What a diagnosis advises is played at once, from the step on screen; a game that was over gets as many steps again. */
  tryOut(rules) {
    this.app.store.set(rules);
    clearTimeout(this.settling);
    if (this.playing().length) return this.ruled(new Set(Object.keys(rules)));
    const { until } = this.app.store.get();
    if (this.shown >= until) this.app.store.set({ until: Math.min(MOST_STEPS, this.shown + until) });
    this.running = null;
    this.slow.stop();
    this.begin();
  }

  /** Not a step has been played: the game begins by the new rules. */
  restart() {
    if (!this.real) return;
    for (const game of this.both()) game.clear();
    this.first();
  }

  // --- play --------------------------------------------------------------------------------------------------------------

  toggle() {
    if (this.running) { this.running = null; return this.seek(this.shown); }
    if (this.slow.running) return this.slow.held ? this.slow.hold(false) : this.slow.hold(true), this.marks();
    if (this.playing().length) return this.halt(true);
    this.begin();
  }

  /** Stop where it is. */
  halt(gently = false) {
    if (this.get("tool") === "plane") this.quietly(() => this.app.store.set({ play: false }));
    this.slow.stop();
    this.slow.held = this.looping = false;
    this.graph.phase(null, null);
    for (const game of Object.values(this.games)) if (gently) game.stop(); else game.abort?.abort();
    this.marks();
  }

  begin() {
    if (!this.real) return this.say(this.get("data") === "own" ? "There is no data yet: draw it on the plane, or upload a CSV." : "The data has not arrived: reload the page.", "error");
    if (this.drawing) this.setDrawing(false);
    if (this.get("speed") === "slow") return this.slowly();
    if (this.following && this.games.a.step >= this.get("until")) return this.rerun();
    const from = this.shown;
    for (const game of this.both()) game.play(this.asked(game === this.games.b ? "b" : "a"), Math.min(from, game.step));
    this.quietly(() => this.app.store.set({ at: null }));
    if (from === 0 && this.get("midway")) this.turnAt = Math.round(this.get("until") / 2);
    Object.assign(this, { following: true });
    this.marks();
  }

  /** The film once more, from its beginning, in six seconds. */
  rerun() {
    const [last, begun] = [this.games.a.step, performance.now()];
    const mine = (this.running = Symbol("the film"));
    this.say(`The film again, from the start. To play beyond step ${last.toLocaleString("en")}, type a later one at “stop at”.`);
    const tick = (now) => {
      if (this.running !== mine || !this.visible) return;
      const share = Math.min(1, (now - begun) / RERUN_MS);
      this.shown = Math.round(share * last);
      this.following = share === 1;
      this.soon();
      if (share < 1) requestAnimationFrame(tick); else this.running = null;
      this.marks();
    };
    requestAnimationFrame(tick);
  }

  /** One update of D, of G, or a step of both, seen at once; presses wait for each other. */
  one(who) {
    this.learning = (this.learning ?? Promise.resolve()).then(() => this.learnOnce(who));
    return this.learning;
  }

  async learnOnce(who) {
    if (!this.real) return this.begin();
    if (this.playing().length || this.slow.running) this.halt(true);
    const round = await this.takeRound(who);
    if (round) this.landed(round, who);
  }

  async slowly() {
    this.looping = true;
    this.marks();
    const round = await this.takeRound("both");
    if (!round || !this.looping) { this.looping = false; return this.marks(); }
    this.say(`Step ${round.look.step.toLocaleString("en")} in slow motion: watch the graph.`);
    this.slow.play(round, "both", this.slow.held);
    this.marks();
  }

  async takeRound(who) {
    const game = this.games.a;
    try {
      const asked = { ...this.asked("a"), who, session: this.app.session, ...(game.film ? { film: game.film, step: Math.min(this.shown, game.step) } : {}) };
      const answer = await fetch(`${this.app.base}/plane/round`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked) });
      if (!answer.ok) throw new Error((await answer.json()).error);
      const [first, second] = records(await answer.arrayBuffer());
      const round = { ...readRound(first.body), look: readLook(second.body) };
      if (game.film) game.cut(this.shown);
      game.film = round.film;
      return round;
    } catch (fault) {
      this.say(fault.message || "The gallery did not answer. Try again in a moment.", "error");
      return null;
    }
  }

  // A round has been seen: the game stands behind it.
  landed(round, who) {
    this.graph.phase(null, null);
    this.games.a.add(round.look);
    Object.assign(this, { following: true });
    this.looked("a", round.look);
    if (who) this.say(`${{ d: "The discriminator", g: "The generator", both: "Both" }[who]} learned once: D says ${verdict(round.look.d_real, round.look.loss)} of real points, ${verdict(round.look.d_fake, round.look.loss)} of generated ones.`);
    if (this.looping && !who) return this.slowly();
    this.marks();
  }

  speed(value) {
    this.app.store.set({ speed: value });
    const on = this.playing().length || this.slow.running;
    if (!on) return;
    this.halt(true);
    const again = () => (this.playing().length ? setTimeout(again, 30) : this.begin());
    again();
  }

  until(input) {
    const value = Number(input.value);
    if (!Number.isInteger(value) || value < 1 || value > MOST_STEPS) {
      this.say(`“Stop at” is ${JSON.stringify(input.value.slice(0, 20))}; it may be a whole number from 1 to 1,000,000.`, "error");
      input.value = String(this.get("until"));
    } else this.app.store.set({ until: value });
  }

  reset() {
    this.forget();
    if (this.real) this.first(); else this.another();
  }

  // --- what arrives ------------------------------------------------------------------------------------------------------

  looked(which, look) {
    if (this.turnAt && look.step >= this.turnAt && which === "a") {
      this.turnAt = 0;
      this.app.store.lend(this.get("midway")); // the address goes on naming the rules that it began by
    }
    if (this.following) this.shown = Math.max(look.step, which === "a" ? 0 : this.games.a.step);
    const { film } = this.games[which];
    if (look.step && film !== this.get(FILMS[which])) this.app.store.set({ [FILMS[which]]: film }); // who leaves while it is played finds it by its address
    this.soon();
  }

  turned(which, state, body) {
    if (state === "status" && body.state !== "running") this.say(body.sentence, "busy");
    const game = this.games[which];
    if (state === "playing" && this.get("until") > game.step) this.say(this.two ? "Both are playing from the same seed." : "Playing. Change a rule at any moment: it takes effect at once.", "busy");
    if (state === "failed") this.failed(game, body);
    if (state === "stopped" && game.newest) {
      this.soon();
      if (game.step && this.get("tool") === "plane") this.app.store.set({ [FILMS[which]]: game.film, ...(which === "a" ? { at: game.step, play: false } : {}) });
      if (game.newest.broken) this.say(game.newest.broken, "error");
      else if (game.step) this.say(this.ended(game));
    }
    this.marks();
  }

  ended(game) {
    const { step, seconds } = game.newest;
    const all = step.toLocaleString("en");
    return step >= this.get("until") ? `Stopped at step ${all}, after ${seconds.toFixed(1)} s of learning. Drag back through it, change a rule and play on as a branch.` : `Paused at step ${all}. Drag back to any moment; a rule changed now takes effect when you play on.`;
  }

  failed(game, { error, lost, gone }) {
    this.app.ready();
    if (gone) { game.film = ""; this.app.store.set({ film: "", filmb: "", at: null }); }
    this.say(lost && game.step ? `${error} The film up to step ${game.step.toLocaleString("en")} is here: press play to go on from its last kept moment.` : error, "error");
  }

  // --- the film ----------------------------------------------------------------------------------------------------------

  seek(step) {
    this.running = null;
    const last = this.games.a.step;
    this.shown = Math.max(0, Math.min(step, last));
    this.following = this.shown >= last;
    this.soon();
    this.marks();
    clearTimeout(this.resting);
    if (!this.playing().length) this.resting = setTimeout(() => this.app.store.set({ at: this.shown }), 400);
  }

  live() { this.seek(this.games.a.step); }

  // --- one's own data ----------------------------------------------------------------------------------------------------

  setDrawing(on) {
    this.drawing = on && this.get("data") === "own";
    if (this.drawing) this.boards.a.box.append(this.sketch.canvas); else this.sketch.canvas.remove();
    this.boards.a.box.dataset.drawing = String(this.drawing);
    if (this.drawing && matchMedia("(max-width: 1099px)").matches) this.boards.a.box.scrollIntoView({ block: "center" });
    this.panel?.drawButton.setAttribute("aria-pressed", String(this.drawing));
  }

  sketched(strokes) {
    const text = packed(strokes);
    if (strokes.length && !text) return this.say("That is more than an address can hold: draw with fewer strokes.", "error");
    this.points = null;
    this.app.store.set({ drawn: text });
  }

  async upload(file) {
    try {
      const answer = await this.app.post("plane/csv", file);
      this.points = answer.points;
      this.app.store.set({ data: "own", drawn: "" });
      await this.another();
      this.say(`${answer.said} They are yours alone, and are not in the address.`);
    } catch { /* said already; what was there stays */ }
  }

  // --- to take home ------------------------------------------------------------------------------------------------------

  csv() {
    if (!this.games.a.looks.length) return this.say("There are no curves yet: press play first.", "error");
    saveText(csvOf(this.both()), `gan-${this.get("data")}-seed-${this.get("seed")}.csv`, "text/csv");
    this.say(`Saved ${this.both().reduce((sum, game) => sum + game.looks.length, 0)} rows, one for each look that is kept.`);
  }

  async weights() {
    if (!this.games.a.film) return this.say("There are no networks yet: press play first.", "error");
    const step = this.shown; // which goes on while one waits
    const answer = await fetch(`${this.app.base}/plane/film/${this.games.a.film}/weights?step=${step}&session=${this.app.session}`).catch(() => null);
    if (!answer?.ok) return this.say((await answer?.json().catch(() => null))?.error || "The gallery did not answer. Try again in a moment.", "error");
    download(await answer.blob(), `gan-${this.get("data")}-step-${step}.safetensors`);
    this.say("Saved both networks, with their rules in the file’s head.");
  }

  keep() { return this.games.a.looks.length ? filmOf(this) : null; }

  // --- open and closed -----------------------------------------------------------------------------------------------------

  async show() {
    this.visible = true;
    this.layers();
    this.arrange();
    if (this.games.a.looks.length && !this.stale) {
      this.say(this.games.a.step ? this.ended(this.games.a) : "");
      return this.soon();
    }
    this.stale = false;
    const { film, at, play } = this.app.store.get();
    if (film && (await this.reopened(film, at))) return;
    await this.another();
    if (at && !play) this.replay(at);
  }

  async reopened(film, at) {
    const told = await this.games.a.reopen(film);
    const both = told && (await this.fetchData(film)) && (!this.two || (this.get("filmb") && (await this.games.b.reopen(this.get("filmb")))));
    if (!both) {
      this.games.a.clear();
      this.app.store.set({ film: "", filmb: "" });
      return false;
    }
    Object.assign(this, { shown: Math.min(at ?? this.games.a.step, this.games.a.step), following: at == null || at >= this.games.a.step });
    const turned = this.get("midway") && told.rules ? pick(told.rules, Object.keys(this.get("midway"))) : {};
    this.quietly(() => {
      this.app.store.set({ play: false });
      this.app.store.lend(turned);
    });
    this.app.ready();
    this.say(`The game, as it was left at step ${this.games.a.step.toLocaleString("en")}; ${this.games.a.looks.length} looks at it were kept. Press play to go on.`);
    this.soon();
    return true;
  }

  /** An address that names a step, without its film: the same seed and rules are the same game. */
  async replay(at) {
    this.say(`Playing again up to step ${at.toLocaleString("en")} …`, "busy");
    await Promise.all(this.both().map((game) => game.play({ ...this.asked(game === this.games.b ? "b" : "a"), until: at, pace: 0 })));
    this.live();
  }

  hide() {
    this.visible = false;
    this.halt(true);
  }
}

const pick = (rules, changed) => Object.fromEntries([...changed].filter((key) => KEYS.includes(key)).map((key) => [key, rules[key]]));

export default async function mount(panel, app) {
  await stylesheet(new URL("graph.css", import.meta.url));
  const tool = (app.plane = new PlaneTool(panel, app));
  return { stage: tool.stage, show: () => tool.show(), hide: () => tool.hide(), keep: () => tool.keep(), toggle: () => tool.toggle() };
}
