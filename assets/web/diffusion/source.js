// Where a picture comes from: the test set, a drawing, a file by the dialog, dropped on the page or pasted.

import { h } from "../common/dom.js";
import { Pad } from "../common/pad.js";
import { penBox } from "../common/pens.js";
import { packed, sendable, unpacked } from "../common/strokes.js";

const TYPES = "image/png,image/jpeg,image/webp,image/gif,image/bmp";
const PEN_MS = 250; // after a stroke: the picture is read once the pen rests

const base64 = async (blob) => {
  let text = "";
  for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte);
  return btoa(text);
};

export class Source {
  /** taken(known): a picture as the model knows it, with its noise. */
  constructor(app, taken) {
    this.app = app;
    this.taken = taken;
    this.current = null; // {kind: "test", index} | {kind: "draw", strokes} | {kind: "file", file}
    this.written = null;
    this.build();
    app.store.on("pic", () => { if (this.open) this.restore(); });
    this.listeners = { dragover: (event) => this.dragged(event), drop: (event) => this.given(event, event.dataTransfer), paste: (event) => this.given(event, event.clipboardData) };
  }

  build() {
    const button = (text, onclick, title) => h("button", { type: "button", class: "g-btn dx-small", title, onclick }, text);
    this.canvas = h("canvas", { class: "own-pad", tabindex: "0", role: "application", "aria-roledescription": "drawing pad",
      "aria-label": "Draw here. Arrow keys move the pen, with Shift in small steps; Space puts it down and lifts it; Ctrl+Z takes back." });
    this.hint = h("span", { class: "own-hint", "aria-hidden": "true" }, "draw here");
    this.pad = new Pad(this.canvas, (strokes, resting) => this.drawn(strokes, resting));
    this.pens = penBox(this.pad);
    this.input = h("input", { type: "file", accept: TYPES, hidden: true, tabindex: "-1", "aria-label": "Choose a picture file", onchange: () => {
      if (this.input.files[0]) this.file(this.input.files[0]);
      this.input.value = ""; // the same file may be chosen again
    } });
    this.element = h("div", { class: "dx-source" }, h("div", { class: "own-stack" }, this.canvas, this.hint),
      h("div", { class: "dx-sources" }, button("A test picture", () => this.read({ kind: "test", index: -1 }), "One that the model was never trained on, taken at random"),
        button("Upload…", () => this.input.click(), "or drop a picture anywhere on the page, or paste one"), button("Clear the pad", () => this.pad.clear()), this.pens.element, this.input));
  }

  // --- what was chosen ---------------------------------------------------------------------------------------------

  drawn(strokes, resting) {
    this.hint.hidden = strokes.length > 0;
    clearTimeout(this.timer);
    if (!resting || !strokes.length) return;
    this.timer = setTimeout(() => {
      const text = packed(strokes);
      this.write(text ? `d.${text}` : "t.17");
      this.read({ kind: "draw", strokes });
    }, PEN_MS);
  }

  async file(file) {
    const { app } = this;
    this.limit ??= await fetch(`${app.base}/upload-limits`).then((answer) => answer.json()).catch(() => null);
    const name = [...(file.name || "The picture")].slice(0, 40).join("");
    if (this.limit && file.size > this.limit.bytes) {
      return app.status(`${name} is a file of ${(file.size / 1e6).toFixed(1)} MB; the limit is ${(this.limit.bytes / 1e6).toFixed(0)} MB: make the picture smaller first.`, "error");
    }
    app.status(`Reading ${name} …`, "busy");
    this.read({ kind: "file", file });
  }

  dragged(event) {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  }

  given(event, transfer) {
    const file = transfer?.files?.[0];
    if (!file) return;
    event.preventDefault();
    this.file(file);
  }

  // --- what the hub makes of it ------------------------------------------------------------------------------------

  async read(what) {
    const { app } = this;
    const mine = (this.reading = {});
    let known;
    try {
      known = await this.known(what);
    } catch {
      app.ready();
      return; // the sentence stands in #status
    }
    if (this.reading !== mine) return;
    this.current = what.kind === "test" ? { kind: "test", index: known.index } : what;
    if (what.kind === "test") this.write(`t.${known.index}`);
    if (what.kind !== "draw") { this.pad.set([]); this.hint.hidden = false; }
    this.taken(known);
  }

  async known(what) {
    const { app } = this;
    const { model, seed } = app.store.get();
    if (what.kind === "test") return app.post("picture", { model, seed, index: what.index, other: Boolean(what.other) });
    if (what.kind === "file") return app.post(`upload?${new URLSearchParams({ model, seed, name: what.file.name || "", session: app.session })}`, what.file);
    const canvas = sendable(what.strokes, this.kind);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    return app.post("picture", { model, seed, drawing: await base64(blob) });
  }

  /** The same picture with other noise. */
  again() { if (this.current) this.read(this.current); }

  /** Another model, perhaps of other pictures. */
  renew() {
    this.dress();
    if (this.current?.kind === "test") this.read({ ...this.current, other: true });
    else if (this.current) this.again();
    else this.read({ kind: "test", index: -1 }); // the model before had no picture to show
  }

  /** What is drawn as: a model that makes colours, whatever it was trained on, is drawn for as for emoji. */
  get kind() {
    const { dataset, image } = this.app.config();
    return image[2] === 3 ? "emoji" : dataset;
  }

  dress() {
    this.pad.coloured = this.kind === "emoji";
    this.pens.show(this.kind);
    this.pad.paint();
  }

  write(text) {
    this.written = text;
    this.app.store.set({ pic: text });
  }

  restore() {
    const text = this.app.store.get("pic");
    if (text === this.written) return;
    this.written = text;
    if (text.startsWith("t.")) return this.read({ kind: "test", index: Number(text.slice(2)) });
    try {
      this.pad.set(unpacked(text.slice(2)));
    } catch {
      return this.app.status("The drawing in the address is damaged: draw it again.", "error");
    }
    this.hint.hidden = true;
    this.read({ kind: "draw", strokes: this.pad.strokes });
  }

  enter() {
    this.open = true;
    for (const [name, listener] of Object.entries(this.listeners)) window.addEventListener(name, listener);
    this.dress();
    this.restore();
  }

  leave() {
    this.open = false;
    clearTimeout(this.timer);
    for (const [name, listener] of Object.entries(this.listeners)) window.removeEventListener(name, listener);
  }
}
