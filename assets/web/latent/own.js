/* Your own picture: draw, upload or take one; the model reads it, places it on the map, gives it back, and draws again. */
import { picture as paint } from "./data.js";
import { fixed, h } from "../common/dom.js";
import { newest, stylesheet } from "../common/sheet.js";
import { Pad } from "../common/pad.js";
import { Draws } from "./draws.js";
import { Intake, portray, shortName } from "./intake.js";
import { penBox } from "../common/pens.js";
import { packed, sendable, unpacked } from "../common/strokes.js";

const LIVE_MS = 60; // between two readings while the pen moves

const base64 = (blob) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(blob);
});
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

class Own {
  constructor(host, app) {
    this.app = app;
    this.source = null; // what `found` was found of: {kind: "draw"} | {kind: "test", index} | {kind: "file", file}
    this.wanted = null; // what was asked last; null when the pad was cleared since
    this.found = null; // what the model said last
    this.written = ""; // the drawing in the address, as this tool wrote it
    this.visible = false;
    app.store.define?.("own", { default: "" });
    app.store.define?.("seed", { default: 1 });
    app.store.define?.("again", { default: false });
    app.store.define?.("wider", { default: 1 });
    this.build();
    this.ready = stylesheet(new URL("../common/own.css", import.meta.url)).then(() => host.replaceChildren(this.root));
    this.request = newest((what) => this.ask(what), (found, what) => this.arrived(found, what), LIVE_MS);
    this.draws = new Draws(app, () => this.found, () => this.sampleAgain());
    this.offs = [
      app.store.on(["own"], () => this.visible && this.restore()),
      app.store.on(["again", "seed", "wider"], () => this.visible && this.redraw()),
      app.onSpace(() => {
        if (this.visible) this.newModel();
        this.renewPins();
      }),
    ];
  }

  // --- what is on the panel ----------------------------------------------------------------------------------

  build() {
    const button = (text, onclick, more = {}) => h("button", { type: "button", class: "g-btn own-small", onclick, ...more }, text);
    this.canvas = h("canvas", {
      class: "own-pad", tabindex: "0", role: "application", "aria-roledescription": "drawing pad",
      "aria-label": "Draw here. Arrow keys move the pen, with Shift in small steps; Space puts it down and lifts it; Ctrl+Z takes back.",
    });
    this.cover = h("canvas", { class: "own-cover", hidden: true, role: "img", "aria-label": "The picture you chose" });
    this.hint = h("span", { class: "own-hint", "aria-hidden": "true" }, "draw here");
    this.intake = new Intake(this.app, (file) => this.takeFile(file));
    this.pad = new Pad(this.canvas, (strokes, resting) => this.drawn(strokes, resting));
    this.pens = penBox(this.pad);
    this.seen = h("canvas", { class: "own-pixels", role: "img", "aria-label": "What the model sees" });
    this.back = h("canvas", { class: "own-pixels", role: "img", "aria-label": "What the model gives back" });
    this.verdict = h("p", { class: "own-verdict" });
    this.note = h("p", { class: "own-note" });
    this.seed = h("input", { type: "number", class: "g-input own-seed", min: "0", max: "2147483647", step: "1", "aria-label": "Seed of the draws",
      title: "The same seed draws the same ε", onchange: () => this.chooseSeed() });
    this.pin = button("Pin it", () => this.pinIt(), { title: "Keep it on the map, for example as the end of a path" });
    this.again = h("button", { type: "button", class: "g-btn primary own-again", onclick: () => this.sampleAgain() }, "Sample again");
    this.undo = button("Undo", () => this.pad.undo());
    this.clear = button("Clear", () => this.wipe());
    const figure = (canvas, text) => h("figure", { class: "own-figure" }, canvas, h("figcaption", {}, text));
    this.root = h("div", { class: "own-tool" },
      h("div", { class: "own-desk" },
        h("div", { class: "own-stack" }, this.canvas, this.cover, this.hint),
        h("div", { class: "own-right" },
          h("div", { class: "own-pair" }, figure(this.seen, "model sees"), figure(this.back, "gives back")),
          button("Upload…", () => this.intake.input.click(), { title: "or drop a picture anywhere on the page, or paste one" }),
          button("A test picture", () => this.takeTest(-1), { title: "One that the model was never trained on, taken at random" }),
          this.intake.input)),
      h("div", { class: "own-tools" }, this.pens.element, h("span", { class: "own-grow" }), this.undo, this.clear),
      h("div", { class: "own-tools" }, this.again, h("label", { class: "own-seedline" }, "seed", this.seed), h("span", { class: "own-grow" }), this.pin),
      this.verdict, this.note);
  }

  // --- where a picture comes from ----------------------------------------------------------------------------

  drawn(strokes, resting) {
    this.hint.hidden = true;
    this.cover.hidden = true;
    if (!strokes.length) return this.emptied();
    this.read({ kind: "draw", strokes, resting });
    if (!resting) return;
    const text = packed(strokes);
    this.say(text ? "" : "This drawing has too many strokes for a link; it stays on this page.");
    this.write(text ? `d.${text}` : "");
  }

  wipe() {
    this.cover.hidden = true;
    if (this.pad.strokes.length) this.pad.clear();
    else this.emptied();
  }

  emptied() {
    this.source = this.wanted = this.found = null;
    this.hint.hidden = false;
    this.write("");
    this.app.store.set({ again: false });
    this.app.map.removeLayer("own");
    this.app.here.about(null);
    this.draws.hide();
    this.say("");
    this.show(null);
    this.app.status("The pad is empty: draw something, or choose a picture.");
  }

  takeTest(index) {
    this.read({ kind: "test", index, resting: true });
  }

  takeFile(file) {
    this.read({ kind: "file", file, resting: true });
  }

  read(what) {
    this.wanted = what;
    this.request(what);
  }

  // --- what the model says -----------------------------------------------------------------------------------

  get model() {
    return this.app.store.get("model");
  }

  get dataset() {
    return this.app.space?.config.dataset ?? "mnist";
  }

  async ask(what) {
    const { app, model } = this;
    let found;
    if (what.kind === "draw") {
      const canvas = sendable(what.strokes, this.dataset);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      found = await app.server.own_drawing({ model, picture: await base64(blob) });
    } else if (what.kind === "test") {
      found = await app.server.own_test({ model, index: what.index });
    } else if (what.kind === "again") {
      found = await app.server.own_encoded({ model, picture: what.picture });
    } else {
      found = await this.intake.posted(what.file, model);
    }
    return { ...found, model };
  }

  async arrived(found, what) {
    if (found.model !== this.model || !this.wanted) return; // the visitor has gone on to another model or cleared the pad
    this.found = found;
    this.hint.hidden = true;
    if (what.kind !== "again") this.source = { kind: what.kind, index: found.index, file: what.file };
    if (what.kind === "test") {
      this.write(`t.${found.index}`);
      this.say(found.title);
      this.onCover(found.picture);
    } else if (what.kind === "file") {
      this.write("");
      this.say(`${shortName(what.file)}: ${found.notes.join("; ")}. It stays on this page and is not part of the link.`);
      this.onCover(found.picture);
      portray(this.cover, what.file).then((read) => read || this.onCover(found.picture));
    }
    this.show(found);
    if (this.visible) this.place(what.resting);
  }

  place(resting) {
    const { app, found } = this;
    const sigma = found.logvar.map((value) => Math.exp(value / 2));
    const plain = this.kind === "ae";
    app.map.setLayer("own", { points: [{ z: found.mu, label: "yours", r: 3.5, lift: 30 }], ellipses: plain ? [] : [{ z: found.mu, sigma }] });
    app.here.show(app.unpack(found.reconstruction), found.mu, "decoded from its μ");
    if (!resting) return;
    app.store.set({ z: found.mu });
    this.tell();
    if (app.store.get("again")) this.redraw();
    app.status(`${this.sentence(found)} Reconstruction ${fixed(found.recon_nats, 1)} nats, KL ${fixed(sum(found.kl_nats), 1)} nats.`);
  }

  tell() {
    const { app, found } = this;
    const { kind, beta } = app.space?.config ?? {};
    app.here.about({ hold: true, title: "The loss of your picture", kind, beta, recon_nats: found.recon_nats, kl_nats: found.kl_nats });
  }

  get kind() {
    return this.app.space?.config.kind ?? "vae";
  }

  sentence({ around }) {
    return `Of the ${around.of} nearest test pictures, ${around.votes === around.of ? "all are" : `${around.votes} are`} “${around.name}”.`;
  }

  show(found) {
    for (const [canvas, image] of [[this.seen, found?.picture], [this.back, found?.reconstruction]]) {
      canvas.classList.toggle("blank", !image);
      if (image) paint(canvas, this.app.unpack(image));
    }
    this.verdict.textContent = found ? this.sentence(found) : "Draw, and watch where the model puts it.";
    this.pin.disabled = !found;
  }

  say(text) {
    this.note.textContent = text;
  }

  // --- again, the address, other models ----------------------------------------------------------------------

  sampleAgain() {
    const { store } = this.app;
    if (!this.found) return this.app.server.own_drawing({ model: this.model, picture: "" }).catch(() => {});
    this.app.shelf.host.parentElement?.scrollIntoView({ block: "nearest" }); // on a phone the map stands above the pad
    if (!store.get("again")) store.set({ again: true });
    else store.set({ seed: (store.get("seed") % 2147483647) + 1 });
  }

  chooseSeed() {
    const value = Math.round(Number(this.seed.value));
    if (Number.isFinite(value) && value >= 0 && value <= 2147483647) this.app.store.set({ seed: value });
    else this.app.status(`The seed is ${this.seed.value || "empty"}; it may be 0 to 2147483647: choose a whole number in between.`, "error");
    this.seed.value = String(this.app.store.get("seed"));
  }

  redraw() {
    this.seed.value = String(this.app.store.get("seed"));
    if (this.app.store.get("again") && this.found?.model === this.model) this.draws.ask(this.app.store.get("seed"), this.app.store.get("wider"));
    else if (!this.app.store.get("again")) this.draws.hide();
  }

  write(text) {
    this.written = text;
    this.app.store.set({ own: text });
  }

  restore() {
    const text = this.app.store.get("own") || "";
    if (text === this.written && (this.wanted || !text)) return;
    this.written = text;
    if (text.startsWith("t.")) return this.takeTest(Number(text.slice(2)));
    if (!text) return this.wipe();
    try {
      this.pad.set(unpacked(text.slice(2)));
    } catch {
      return this.app.status("The drawing in the address is damaged: draw it again.", "error");
    }
    this.drawn(this.pad.strokes, true);
  }

  newModel() {
    this.pad.coloured = this.dataset === "emoji";
    this.pens.show(this.dataset);
    this.pad.paint();
    this.app.map.removeLayer("own");
    this.draws.hide();
    const { found } = this;
    const source = this.source ?? this.wanted;
    if (!source) return;
    if (source.kind === "draw") this.read({ kind: "draw", strokes: this.pad.strokes, resting: true });
    else if (source.kind === "test") this.takeTest(source.index);
    else if (found?.dataset === this.dataset) this.read({ kind: "again", picture: found.picture, resting: true });
    else this.read({ kind: "file", file: source.file, resting: true });
  }

  pinIt() {
    const { app, found, source } = this;
    if (!found) return;
    if (source.kind === "test") app.pinTest(source.index);
    else app.store.set({ pins: app.addPin({ kind: "own", z: found.mu, picture: found.picture, model: found.model }) });
    app.status("Pinned. Two pins or more make a path.");
  }

  // A pinned picture lies elsewhere in another model; in a model of other pictures it lies nowhere.
  async renewPins() {
    const { app, model } = this;
    const stale = (pin) => pin.kind === "own" && pin.picture && pin.model !== model;
    if (!app.store.get("pins").some(stale)) return;
    const renewed = await Promise.all(app.store.get("pins").map(async (pin) => {
      if (!stale(pin)) return pin;
      const found = await app.server.own_encoded({ model, picture: pin.picture }).catch(() => null);
      return found && { ...pin, z: found.mu, model };
    }));
    if (model === this.model) app.store.set({ pins: renewed.filter(Boolean) });
  }

  onCover(image) {
    paint(this.cover, this.app.unpack(image));
    this.cover.classList.add("crisp");
    this.cover.hidden = false;
    this.pad.set([]);
  }

  // --- shown and hidden --------------------------------------------------------------------------------------

  async enter() {
    this.visible = true;
    await this.ready;
    this.intake.listen(true);
    this.pad.coloured = this.dataset === "emoji";
    this.pens.show(this.dataset);
    this.pad.paint();
    this.show(this.found);
    this.seed.value = String(this.app.store.get("seed"));
    const text = this.app.store.get("own") || "";
    if (text !== this.written || (text && !this.wanted)) return this.restore();
    if (this.found?.model === this.model) this.place(true);
    else if (this.source ?? this.wanted) this.newModel();
  }

  leave() {
    this.visible = false;
    this.intake.listen(false);
    this.app.map.removeLayer("own");
    this.app.here.about(null);
    this.draws.hide();
  }
}

export default function mount(host, app) {
  const own = new Own(host, app);
  return { show: () => own.enter(), hide: () => own.leave(), destroy: () => { own.leave(); own.offs.forEach((off) => off?.()); own.root.remove(); } };
}
