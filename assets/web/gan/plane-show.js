// The instrument as it looks: one board or two, the game as a graph, what is measured, the curves, the transport.

import { h, put } from "../common/dom.js";
import { Board } from "./board.js";
import { CHARTS, Curve } from "./curves.js";
import { Graph } from "./graph.js";
import { Illness } from "./illness.js";
import { Numbers, rowsOf } from "./numbers.js";
import { capital, inWords } from "./rules.js";
import { Transport } from "./transport.js";

const UNDER_TWO = 116; // pixels below each of two planes: its numbers, and by which rules it is played
const BESIDE_MS = 80; // between two pictures of what stands beside the plane, while it is played: it leaves more of the machine to the game

export class PlaneShow {
  /** What it asks of the tool: makeGame, seek, toggle, one, speed, until, reset, live; slow, sketch, panel. */
  constructor(app) {
    Object.assign(this, { app, visible: false, shown: 0, following: true, real: null });
    this.games = { a: this.makeGame("a"), b: this.makeGame("b") };
    this.boards = { a: new Board("The plane: real points, generated points and what the discriminator says of every place"), b: new Board("The plane of game B") };
    this.graph = new Graph({ over: (part) => { for (const board of Object.values(this.boards)) { board.part = part; board.soon(); } } });
    this.curves = [new Curve("verdicts", (step) => this.seek(step)), new Curve("quality", (step) => this.seek(step))];
    this.transport = new Transport({ toggle: () => this.toggle(), one: (who) => this.one(who), seek: (step) => this.seek(step), speed: (value) => this.speed(value),
      until: (input) => this.until(input), reset: () => this.reset(), live: () => this.live(), phase: () => this.slow.next() });
    this.stage = this.build();
    addEventListener("gallery:theme", () => this.theme());
    new ResizeObserver(() => this.arrange()).observe(this.stage);
  }

  get(key) { return this.app.store.get(key); }

  say(text, kind) { if (this.visible) this.app.status(text, kind); }

  get two() { return Boolean(this.get("versus")); }

  both() { return this.two ? [this.games.a, this.games.b] : [this.games.a]; }

  playing() { return [this.games.a, this.games.b].filter((game) => game.playing); }

  build() {
    this.illness = new Illness((rules) => this.tryOut(rules));
    this.illnesses = { a: new Illness(), b: new Illness() }; // of two games, each under its own plane
    this.numbers = new Numbers();
    const choices = this.curves.map((curve) => {
      const select = h("select", { class: "gx-choose", "aria-label": "Curves", onchange: () => { curve.choose(select.value); } },
        ...Object.entries(CHARTS).map(([kind, { name, title }]) => h("option", { value: kind, selected: kind === curve.kind }, name ?? title)));
      curve.element.append(select);
      return curve.element;
    });
    for (const which of ["a", "b"]) this.boards[which].element.append(this.illnesses[which].element);
    this.boardsBox = h("div", { class: "gx-boards" }, this.boards.a.element, this.boards.b.element);
    this.beside = h("div", { class: "gx-beside" }, this.graph.element, this.illness.element, this.numbers.element, h("div", { class: "gx-curves" }, ...choices), this.transport.steps);
    return h("div", { class: "gx-plane" }, this.boardsBox, this.transport.element, this.beside); // as the keyboard comes to them
  }

  layers() {
    for (const board of Object.values(this.boards)) {
      for (const layer of Object.keys(board.show)) board.show[layer] = this.get("show").includes(layer);
      for (const each of board.key.children) each.hidden = !board.show[each.dataset.layer === "doubted" ? "surface" : each.dataset.layer];
      board.soon();
    }
  }

  theme() {
    for (const each of [...Object.values(this.boards), ...this.curves, this.graph]) each.theme();
    this.sketch.paint();
  }

  arrange() {
    this.stage.dataset.games = this.two ? "2" : "1";
    this.boards.b.element.hidden = !this.two;
    this.graph.element.hidden = this.two;
    // One board is as large as the height allows, and leaves a little less than half of the width to what is beside it.
    const [wide, tall] = [this.stage.clientWidth - 24, this.stage.clientHeight - 20 - this.transport.element.offsetHeight - 8];
    this.stage.style.setProperty("--board", `${Math.max(160, Math.min(tall, wide * 0.56))}px`);
    this.stage.style.setProperty("--two", `${Math.round(Math.max(320, Math.min(wide * 0.78, 2 * (tall - UNDER_TWO) + 10)))}px`);
    for (const board of Object.values(this.boards)) board.measure();
    this.soon();
  }

  soon() { this.due ||= requestAnimationFrame(() => { this.due = 0; this.paint(); }); }

  paint() {
    const { a, b } = this.games;
    const look = a.at(this.shown);
    if (look && !this.slow.running) this.boards.a.set(look);
    if (this.two && b.newest) this.boards.b.set(b.at(this.shown));
    const modes = this.real ? this.real.centres.length / 2 : 0;
    const now = performance.now();
    if (!this.playing().length || now - (this.besideAt ?? 0) > BESIDE_MS) {
      this.besideAt = now;
      if (!this.slow.running) this.graph.show(look);
      for (const curve of this.curves) curve.set(this.both(), this.shown, modes);
      if (look) this.readout(look, modes); else this.numbers.none();
      this.illness.show(a.illness(this.shown), this.shown);
      for (const which of ["a", "b"]) this.illnesses[which].show(this.two ? this.games[which].illness(this.shown) : null);
    }
    put(this.boards.a.apart, this.two ? "Solid lines. The rules as they are set" : "");
    put(this.boards.b.apart, this.two ? `Dashed lines. ${capital(inWords(this.get("versus")))}` : "");
    this.painted = (this.painted || 0) + 1;
    this.marks();
  }

  readout(look, modes) {
    this.numbers.show(look, modes, this.playing().length ? this.games.a.rate : 0);
    if (!this.two) return put(this.boards.a.caption, "");
    for (const which of ["a", "b"]) {
      const seen = this.games[which].at(this.shown);
      if (!seen) continue;
      put(this.boards[which].caption, `${which.toUpperCase()} · step ${seen.step.toLocaleString("en")}`);
      const [{ modes: found, good, ...apart }, verdicts] = rowsOf(seen, modes);
      const lines = [[found, good], Object.values(apart), Object.values(verdicts)];
      put(this.boards[which].numbers, lines.map((line) => line.filter(Boolean).join(" · ")).join("\n"));
    }
  }

  marks() {
    const { a } = this.games;
    const playing = Boolean(this.playing().length || this.running) || (this.slow.running && !this.slow.held);
    const over = !playing && this.shown > 0 && this.shown >= a.step && a.step >= this.get("until");
    this.transport.show({ step: this.shown, newest: a.step, playing, over, slow: this.slow.running, branching: !playing && this.shown < a.step });
    this.transport.speed.value = this.get("speed");
    if (document.activeElement !== this.transport.until) this.transport.until.value = String(this.get("until"));
    const kept = a.looks.length ? `The film: ${a.looks.length} looks at the game, ${(a.bytes / 2 ** 20).toFixed(1)} MB in this page, and 6 MB at most in the gallery, for an hour.` : "";
    if (this.panel.about.textContent !== kept) this.panel.about.textContent = kept;
    this.stage.dataset.playing = String(playing);
  }
}
