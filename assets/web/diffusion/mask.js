// A mask painted on the picture: the model may paint what is marked, and nothing else.

import { h, segmented } from "../common/dom.js";

const BRUSHES = [[1, "fine"], [3, "medium"], [6, "broad"]];
const PRESETS = {
  "upper half": (x, y, w, hh) => y < hh / 2, "lower half": (x, y, w, hh) => y >= hh / 2,
  "left half": (x, y, w) => x < w / 2, "right half": (x, y, w) => x >= w / 2,
  "the middle": (x, y, w, hh) => Math.abs(x + 0.5 - w / 2) < w / 5 && Math.abs(y + 0.5 - hh / 2) < hh / 5,
};

export class Mask {
  constructor(app) {
    this.app = app;
    this.size = { w: 32, h: 32 };
    this.bits = new Uint8Array(32 * 32);
    this.brush = 3;
    this.erase = false;
    this.canvas = h("canvas", { class: "dx-mask", hidden: true, role: "img", "aria-label": "The mask: paint with the pointer, or use the buttons below for parts of the picture" });
    const press = (name) => h("button", { type: "button", class: "g-btn dx-small", onclick: () => this.preset(name) }, name);
    this.brushes = segmented("Brush", BRUSHES.map(([value, text]) => ({ value, text })), this.brush, (value) => { this.brush = value; this.tell(); });
    this.rubber = h("button", { type: "button", class: "g-btn dx-small", "aria-pressed": "false", onclick: () => { this.erase = !this.erase; this.tell(); } }, "Erase");
    this.tools = h("div", { class: "dx-masktools", hidden: true }, h("div", { class: "dx-name" }, "Paint on the picture, or mark"),
      h("div", { class: "dx-buttons" }, ...Object.keys(PRESETS).map(press), h("button", { type: "button", class: "g-btn dx-small", onclick: () => this.fill(() => false) }, "nothing")),
      h("div", { class: "dx-buttons" }, h("span", { class: "dx-name" }, "Brush"), this.brushes, this.rubber));
    this.listen();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      try { canvas.setPointerCapture(event.pointerId); } catch { /* a pointer that is already gone marks a dot */ }
      this.down = true;
      this.last = null;
      this.stroke(event);
    });
    canvas.addEventListener("pointermove", (event) => { if (this.down) for (const each of event.getCoalescedEvents?.() ?? [event]) this.stroke(each); });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { if (this.down) { this.down = false; this.write(); } });
  }

  stroke(event) {
    const box = this.canvas.getBoundingClientRect();
    const { w, h: height } = this.size;
    const to = [((event.clientX - box.left) / box.width) * w, ((event.clientY - box.top) / box.height) * height];
    const from = this.last ?? to;
    const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1])));
    for (let i = 0; i <= steps; i++) this.dab(from[0] + ((to[0] - from[0]) * i) / steps, from[1] + ((to[1] - from[1]) * i) / steps);
    this.last = to;
    this.paint();
  }

  dab(cx, cy) {
    const { w, h: height } = this.size;
    const r = this.brush / 2;
    for (let y = Math.max(0, Math.floor(cy - r)); y < Math.min(height, cy + r); y++) {
      for (let x = Math.max(0, Math.floor(cx - r)); x < Math.min(w, cx + r); x++) {
        if (Math.hypot(x + 0.5 - cx, y + 0.5 - cy) <= r + 0.35) this.bits[y * w + x] = this.erase ? 0 : 1;
      }
    }
  }

  preset(name) { this.fill((x, y) => PRESETS[name](x, y, this.size.w, this.size.h)); }

  fill(rule) {
    const { w, h: height } = this.size;
    this.bits = Uint8Array.from({ length: w * height }, (_, i) => (rule(i % w, Math.floor(i / w)) ? 1 : 0));
    this.paint();
    this.write();
  }

  some() { return this.bits.some(Boolean); }

  /** base64 of one byte a pixel, for a run. */
  sent() { return btoa(String.fromCharCode(...this.bits)); }

  // In the address one bit a pixel is enough.
  write() {
    const packed = new Uint8Array(Math.ceil(this.bits.length / 8));
    this.bits.forEach((bit, i) => { packed[i >> 3] |= bit << (i & 7); });
    this.written = this.some() ? btoa(String.fromCharCode(...packed)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "") : "";
    this.app.store.set({ mask: this.written });
  }

  read(text) {
    if (text === this.written) return;
    this.written = text;
    let packed = "";
    try { packed = atob(text.replace(/-/g, "+").replace(/_/g, "/")); } catch { /* the server has refused what is no mask */ }
    this.bits = Uint8Array.from({ length: this.size.w * this.size.h }, (_, i) => ((packed.charCodeAt(i >> 3) || 0) >> (i & 7)) & 1);
  }

  show(on, picture) {
    this.canvas.hidden = this.tools.hidden = !on;
    if (!picture) return;
    if (picture.w !== this.size.w || picture.h !== this.size.h) {
      this.size = { w: picture.w, h: picture.h };
      this.bits = new Uint8Array(picture.w * picture.h);
      this.written = undefined;
    }
    this.read(this.app.store.get("mask"));
    this.tell();
    this.paint();
  }

  tell() {
    [...this.brushes.children].forEach((button, i) => button.setAttribute("aria-pressed", String(BRUSHES[i][0] === this.brush)));
    this.rubber.setAttribute("aria-pressed", String(this.erase));
  }

  paint() {
    const { w, h: height } = this.size;
    const { canvas } = this;
    if (canvas.width !== w || canvas.height !== height) [canvas.width, canvas.height] = [w, height];
    const g = canvas.getContext("2d");
    g.clearRect(0, 0, w, height);
    g.fillStyle = getComputedStyle(document.body).getPropertyValue("--a").trim();
    this.bits.forEach((bit, i) => { if (bit) g.fillRect(i % w, Math.floor(i / w), 1, 1); });
  }
}
