// The second instrument: a GAN of pictures, trained live by the hub from scratch or from a stage of a long training that was
// played beforehand. Every look that has arrived is here, so that going back through a training asks nobody.

import { download } from "../common/dom.js";
import { newest, stylesheet } from "../common/sheet.js";
import { records } from "../common/records.js";
import { opened, readLook, readSheet } from "./pictures-data.js";
import { PictureGame } from "./pictures-game.js";
import { PicturesPanel, RULES, inWords } from "./pictures-panel.js";
import { pictureReel } from "./pictures-reel.js";
import { PicturesShow } from "./pictures-show.js";
import { gridScene, pairScene } from "./pictures-views.js";
import { csvOf } from "./played.js";

const SETTLE_MS = 150; // a slider under the finger tells the game once it pauses
const GAME = ["set", "stage", "pseed", "pversus"]; // what makes another game
const FILMS = { a: "reel", b: "reelb" };
const SILENT = "The gallery did not answer. Try again in a moment.";

class PicturesTool extends PicturesShow {
  constructor(panel, app) {
    super(app);
    this.stages = [];
    this.panel = new PicturesPanel(panel, app, { rule: (name, value) => this.rule(name, value), recommended: () => this.recommended(), csv: () => this.csv(), weights: () => this.weights() },
      { rules: () => this.rules(), about: () => this.about, stage: () => (this.game.at(this.shown)?.precomputed && !this.game.trained ? String(this.game.at(this.shown).step) : this.get("stage")) });
    this.requests = Object.fromEntries(["a", "b"].map((which) => [which, newest((what) => this.fetchSheet(what), (sheet, what) => this.sheeted(sheet, what), 100)]));
    this.sheetKeys = {};
    app.store.on([...GAME, "reel", "play"], (state, changed) => this.changed(state, changed));
    app.store.on(RULES.map((name) => `p_${name}`), () => this.visible && this.ruled());
    app.store.on(["view", "ask", "directions"], () => this.viewed());
    app.store.on("puntil", () => { for (const game of this.playing()) game.steer({ until: this.get("puntil") }); });
    app.store.on("pat", (state) => { if (this.visible && state.pat != null && state.pat !== this.shown && !this.playing().length) this.seek(state.pat); });
  }

  makeGame(which) {
    return new PictureGame(this.app, { look: (look) => this.looked(which, look), state: (state, body) => this.turned(which, state, body), kept: () => this.ask(), said: () => this.soon() });
  }

  // --- rules ---------------------------------------------------------------------------------------------------------------

  rules(which = "a") {
    const given = RULES.filter((name) => this.get(`p_${name}`) != null).map((name) => [name, this.get(`p_${name}`)]);
    return { ...this.about?.rules, ...Object.fromEntries(given), ...(which === "b" ? this.get("pversus") : {}) };
  }

  rule(name, value) { this.app.store.set({ [`p_${name}`]: value === this.about.rules[name] ? null : value }); }

  /** What a diagnosis advises is played at once, from the step on screen. */
  tryOut(rules) {
    for (const [name, value] of Object.entries(rules)) this.rule(name, value);
    if (this.playing().length) return;
    const { puntil } = this.app.store.get();
    if (puntil != null && this.shown >= puntil) this.app.store.set({ puntil: null });
    this.begin();
  }

  recommended() { this.app.store.set(Object.fromEntries(RULES.map((name) => [`p_${name}`, null]))); }

  ruled() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      const [now, before] = [this.rules(), this.last ?? this.about?.rules ?? {}];
      const words = inWords(Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== before[name])));
      this.last = now;
      if (!words) return;
      if (this.playing().length) {
        for (const which of this.both()) if (this.games[which].playing) this.games[which].steer({ rules: this.rules(which) });
        this.say(`From here on: ${words}. It is marked on the curves.`);
      } else if (this.game.trained) this.say(`${words}: takes effect when you play on, and is marked on the curves.`);
    }, SETTLE_MS);
  }

  // --- another game ----------------------------------------------------------------------------------------------------------

  changed(state, changed) {
    if (state.tool !== "pictures" || !this.visible) { this.stale ||= (state.play && state.tool === "pictures") || GAME.some((key) => changed.has(key)); return; } // opened anew when it is seen
    if (this.opening) return;
    if (GAME.some((key) => changed.has(key)) || (changed.has("reel") && state.reel !== this.game.film)) this.open(); // a scene begins anew
    else if (state.play && !this.playing().length) this.begin();
  }

  async open() {
    const mine = (this.opening = Symbol());
    for (const game of Object.values(this.games)) game.clear();
    Object.assign(this, { shown: 0, following: true, sheets: { a: {}, b: {} }, walkAt: null, last: null });
    this.arrange();
    const { set, pseed, reel, pat } = this.app.store.get();
    this.say("Opening the pictures …", "busy");
    try {
      if (this.about?.set !== set) this.about = await this.fetched(`about?set=${set}`, null, (body) => opened(body[0]).head);
      if (this.opening !== mine) return;
      if (!this.about.stages.length) this.stages = [];
      else if (this.stages.of !== `${set} ${pseed}`) {
        this.stages = await this.fetched("stages", { set, seed: pseed }, (bodies) => bodies.map(readLook));
        this.stages.of = `${set} ${pseed}`;
      }
    } catch (fault) {
      if (this.opening === mine) this.failedToOpen(fault);
      return;
    }
    if (this.opening !== mine) return;
    await this.opened(reel, pat);
    if (this.opening === mine) this.opening = null;
    this.app.ready();
    this.panel.render();
    this.viewed();
    if (this.get("play") && !this.playing().length) this.begin();
  }

  failedToOpen(fault) {
    this.opening = null;
    this.app.ready();
    this.panel.render();
    this.say(fault.message || SILENT, "error");
  }

  // A film that is still kept, else a stage, else two new networks.
  async opened(reel, pat) {
    if (reel && (await this.reopened(reel, pat))) return;
    if (reel) this.app.store.set({ reel: "", reelb: "", pat: null });
    const stage = Number(this.get("stage"));
    if (this.get("stage") !== "scratch" && !this.about.stages.includes(stage)) {
      this.app.store.set({ stage: "scratch" });
      this.missing = `${this.about.why || `The stage after ${stage.toLocaleString("en")} steps is not here.`} Here are two new networks.`;
    }
    if (this.get("stage") === "scratch") return this.get("play") ? null : this.fresh();
    for (const which of this.both()) this.games[which].begin(this.stages.filter((look) => look.step <= stage));
    this.shown = pat != null && pat <= stage ? pat : stage;
    this.greet();
  }

  async reopened(reel, pat) {
    const about = await this.game.reopen(reel, this.stages);
    if (!about || about.set !== this.get("set")) { this.game.clear(); return false; }
    if (this.two && !(this.get("reelb") && await this.games.b.reopen(this.get("reelb"), this.stages))) this.games.b.begin(about.stage == null ? [] : this.stages.filter((look) => look.step <= about.stage));
    this.following = pat == null || pat >= this.game.step;
    this.shown = this.following ? this.newest : pat;
    this.say(`Your training, as it was left at step ${this.game.step.toLocaleString("en")}. Press play to go on.`);
    return true;
  }

  async fresh() {
    this.say("Waking the engine …", "busy");
    await Promise.all(this.both().map((which) => this.games[which].play({ ...this.asked(which), first: true })));
    this.shown = this.game.step;
    if (this.game.state !== "failed") this.greet();
  }

  greet() {
    const said = this.missing ?? (this.two ? `Two trainings from the same ${this.get("stage") === "scratch" ? "seed" : "networks"}. B has ${inWords(this.get("pversus"))}. Press play: they share this machine.` : null) ?? (this.get("stage") === "scratch" ? "Two networks that have learned nothing yet. Press play: most happens in the first minutes."
      : `Networks that were trained beforehand, ${(this.game.at(this.shown)?.step ?? 0).toLocaleString("en")} steps. Drag back through the stages, or press play to train on, live.`);
    this.say(said, this.missing ? "error" : "info");
    this.missing = null;
  }

  async fetched(path, body, read) {
    const answer = await fetch(`${this.app.base}/pictures/${path}`, body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...body, session: this.app.session }) } : {}).catch(() => null);
    if (!answer) throw new Error(SILENT);
    if (!answer.ok) throw Object.assign(new Error((await answer.json().catch(() => ({}))).error || SILENT), { gone: answer.status === 410 });
    return read(records(await answer.arrayBuffer()).map(({ body: one }) => one));
  }

  restart() {
    this.halt();
    this.app.store.set({ reel: "", reelb: "", pat: null });
    this.open();
  }

  // --- play ------------------------------------------------------------------------------------------------------------------

  asked(which) {
    const { set, stage, pseed, puntil } = this.app.store.get();
    return { set, stage, seed: pseed, rules: this.rules(which), until: puntil };
  }

  toggle() { if (this.playing().length) this.halt(true); else this.begin(); }

  halt(gently = false) {
    if (this.get("tool") === "pictures") this.app.store.set({ play: false });
    for (const game of Object.values(this.games)) if (gently) game.stop(); else game.abort?.abort();
    this.marks();
  }

  begin() {
    const [look, until] = [this.game.at(this.shown), this.get("puntil")];
    if (!this.about || this.opening) return;
    if (look && until != null && look.step >= until) {
      this.app.store.set({ play: false });
      return this.say(`It stands at step ${look.step.toLocaleString("en")}, and is to stop at ${until.toLocaleString("en")}: type a later one at “stop at”, or go back.`, "error");
    }
    this.last = this.rules();
    if (look?.precomputed && look.step < this.game.start) return this.app.store.set({ stage: String(look.step), reel: "", reelb: "", pat: null, play: true });
    this.following = true;
    for (const which of this.both()) {
      const { film, step } = this.games[which];
      this.games[which].play(film ? { ...this.asked(which), film, step: Math.min(this.shown, step) } : this.asked(which));
    }
    this.marks();
  }

  until(input) {
    const typed = input.value.replace(/[,\s]/g, "");
    const value = Number(typed);
    if (typed === "" || typed === "never") this.app.store.set({ puntil: null });
    else if (Number.isInteger(value) && value >= 1 && value <= 1e6) this.app.store.set({ puntil: value });
    else this.say(`“Stop at” is ${JSON.stringify(input.value.slice(0, 20))}; it may be a whole number from 1 to 1,000,000, or nothing.`, "error");
    input.value = this.get("puntil") ?? "";
  }

  looked(which) {
    const game = this.games[which];
    if (this.following) this.shown = this.newest;
    if (game.trained && game.film !== this.get(FILMS[which])) this.app.store.set({ [FILMS[which]]: game.film, pat: null }); // whoever closes the tab finds it again by its address
    this.soon();
  }

  turned(which, state, body) {
    const game = this.games[which];
    const step = game.step.toLocaleString("en");
    if (state === "waiting") this.say("Waking the engine …", "busy");
    if (state === "again") this.say(`Playing again up to step ${body.until.toLocaleString("en")}, from the last moment that was kept: step ${body.step.toLocaleString("en")} …`, "busy");
    if (state === "status" && body.sentence) this.say(body.sentence, "busy");
    if (state === "playing" && !this.opening) this.say(this.two ? "Both are trained, live, from the same seed." : "Training, live. Change a rule at any moment: it takes effect at once.", "busy");
    if (state === "failed") this.failed(which, body);
    if (state === "stopped" && game.newest) {
      if (game.trained) this.app.store.set({ [FILMS[which]]: game.film, pat: null, ...(this.playing().length ? {} : { play: false }) });
      if (game.newest.broken) this.say(game.newest.broken, "error");
      else if (game.trained && which === "a") this.say(`Stopped at step ${step}, after ${Math.round(game.newest.seconds)} s of learning. Drag back through it, change a rule, and train on as a branch.`);
      this.ask();
    }
    this.marks();
  }

  failed(which, { error, lost, gone }) {
    const game = this.games[which];
    this.app.ready();
    this.app.store.set({ play: false });
    if (gone) { game.film = ""; this.app.store.set({ [FILMS[which]]: "", pat: null }); }
    this.say(lost && game.film ? `${error} The film up to step ${game.step.toLocaleString("en")} is here: press play to go on from its last kept moment.` : error, "error");
  }

  seek(step) {
    const { game } = this;
    const look = game.at(step);
    if (!look) return;
    this.following = look === game.newest;
    this.shown = this.following ? this.newest : look.step;
    this.soon();
    this.ask();
    if (look.precomputed && !game.trained && !this.playing().length) this.greet();
    this.panel.render();
    clearTimeout(this.resting);
    if (!this.playing().length) this.resting = setTimeout(() => this.app.store.set({ pat: this.following && !game.trained ? null : this.shown }), 400);
  }

  // --- networks that are asked -------------------------------------------------------------------------------------------------

  /** What the view needs beyond the looks: pictures of a class, or a walk, by the networks on screen. */
  ask() {
    const [view, ask] = [this.get("view"), this.get("ask")];
    const kind = view === "walk" ? "walk" : view === "grid" && ask != null ? "class" : "";
    if (!kind || !this.visible || !this.about || ask >= this.about.classes.length) return;
    for (const which of this.both()) {
      const look = this.games[which].at(this.shown);
      if (look) this.requests[which]({ which, kind, body: { ...this.whose(which, look), label: ask ?? 0, seed: this.get("pseed"), directions: this.get("directions") } });
    }
  }

  whose(which, look) { return look.precomputed ? { set: this.get("set"), stage: String(look.step) } : { film: this.games[which].film, step: look.step }; }

  async fetchSheet({ which, kind, body }) {
    const key = JSON.stringify([kind, body]);
    if (key === this.sheetKeys[which] && !this.games[which].playing) return null;
    try {
      const sheet = await this.fetched(kind, body, ([one]) => readSheet(one));
      this.sheetKeys[which] = key;
      return sheet;
    } catch (fault) {
      this.say(fault.message, "error");
      throw fault;
    }
  }

  sheeted(sheet, { which, kind, body }) {
    if (!sheet) return;
    this.sheets[which][kind] = { ...sheet, loss: this.games[which].at(this.shown)?.loss, film: body.film };
    this.soon();
  }

  viewed() {
    if (this.about && this.get("ask") >= this.about.classes.length) this.app.store.set({ ask: null });
    this.turn(this.get("view"));
    this.ask();
  }

  // --- to take home --------------------------------------------------------------------------------------------------------------

  csv() {
    if (!this.game.trained) return this.say("There are no curves yet: press play first.", "error");
    download(new Blob([csvOf(this.both().map((which) => this.games[which]))], { type: "text/csv" }), `gan-${this.get("set")}-seed-${this.get("pseed")}.csv`);
    this.say(`Saved ${this.both().reduce((sum, which) => sum + this.games[which].points.length, 0)} rows, one for each step that is kept.`);
  }

  async weights() {
    const look = this.game.at(this.shown);
    if (!look) return this.say("There are no networks yet: press play first.", "error");
    const body = this.whose("a", look);
    const answer = await fetch(`${this.app.base}/pictures/weights`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...body, session: this.app.session }) }).catch(() => null);
    if (!answer?.ok) return this.say((await answer?.json().catch(() => null))?.error || SILENT, "error");
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "gan.safetensors";
    download(await answer.blob(), name);
    this.say(`Saved both networks as ${name}, with their rules in the file’s head.`);
  }

  keep() {
    const { looks } = this.game;
    if (!looks.length) return null;
    const scene = (look, w, tall) => gridScene({ look, about: this.about, picked: -1, w, tall });
    const two = (look, w, tall) => pairScene({ half: (which, ...room) => { const one = this.games[which].at(look.step); return one && scene(one, ...room); }, heads: this.both().map((which) => this.head(which, look.step)), w, tall });
    return pictureReel({ set: this.get("set"), seed: this.get("pseed"), looks, shown: this.game.at(this.shown), measured: (step) => this.measured(step), scene: this.two ? two : scene });
  }

  // --- open and closed -------------------------------------------------------------------------------------------------------------

  show() {
    this.visible = true;
    this.arrange();
    if (this.stale || !this.game.looks.length || this.about?.set !== this.get("set")) {
      this.stale = false;
      return this.open();
    }
    if (this.get("play")) return this.begin();
    if (this.game.trained) this.say(`Your training, at step ${this.game.step.toLocaleString("en")}. Press play to go on.`); else this.greet();
    return this.viewed();
  }

  hide() {
    this.visible = false;
    this.halt(true);
  }
}

export default async function mount(panel, app) {
  await stylesheet(new URL("pictures.css", import.meta.url));
  const tool = new PicturesTool(panel, app);
  if (window.__gan) window.__gan.pictures = tool;
  return { stage: tool.stage, show: () => tool.show(), hide: () => tool.hide(), keep: () => tool.keep(), toggle: () => tool.toggle() };
}
