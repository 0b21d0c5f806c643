// The large picture: a canvas of many small ones, each at a place of its own, with words beside them. It draws what it is
// handed (pictures-views.js says where everything goes), and says over which picture the pointer or the keyboard is.

import { h } from "../common/dom.js";
import { tokens } from "./ink.js";

export class Easel {
  /** on: over(item or null), press(item). */
  constructor(on) {
    this.canvas = h("canvas", { class: "gp-canvas", tabindex: "0", role: "img", "aria-label": "Pictures" });
    this.element = h("div", { class: "gp-easel" }, this.canvas);
    Object.assign(this, { on, scene: null, at: -1, w: 0, tall: 0 });
    this.canvas.addEventListener("pointermove", (event) => this.over(this.hit(event)));
    this.canvas.addEventListener("pointerleave", () => this.over(-1));
    this.canvas.addEventListener("click", (event) => { const hit = this.hit(event); if (hit >= 0) this.on.press(this.scene.items[hit]); });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** In CSS pixels. */
  size(w, tall) {
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    if (w === this.w && tall === this.tall && ratio === this.ratio) return;
    Object.assign(this, { w, tall, ratio });
    [this.canvas.width, this.canvas.height] = [Math.round(w * ratio), Math.round(tall * ratio)];
    [this.canvas.style.width, this.canvas.style.height] = [`${w}px`, `${tall}px`];
  }

  theme() { this.ink = null; this.soon(); }

  /** scene: {key, label, items: [{tiles, i, x, y, size, ...}], words: [{text, x, y, width, ...}], extra(g, ink)}. */
  show(scene) {
    if (scene?.key !== this.scene?.key) this.at = -1;
    this.scene = scene;
    if (scene && this.canvas.getAttribute("aria-label") !== scene.label) this.canvas.setAttribute("aria-label", scene.label);
    this.soon();
  }

  soon() { this.due ||= requestAnimationFrame(() => { this.due = 0; this.paint(); }); }

  paint() {
    if (!this.w) return;
    this.ink ??= tokens();
    const g = this.canvas.getContext("2d");
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.clearRect(0, 0, this.w, this.tall);
    if (!this.scene) return;
    draw(g, this.scene, this.ink, this.ratio);
    const held = this.scene.items[this.at] ?? this.scene.items.find((item) => item.picked);
    if (held) frame(g, held, this.ink.accent);
  }

  hit(event) {
    if (!this.scene) return -1;
    const [x, y] = [event.offsetX, event.offsetY];
    return this.scene.items.findIndex((item) => x >= item.x - 1 && x < item.x + item.size + 1 && y >= item.y - 1 && y < item.y + item.size + 1);
  }

  over(at) {
    if (at === this.at) return;
    this.at = at;
    this.soon();
    this.on.over(this.scene?.items[at] ?? null);
  }

  // The arrows go to the nearest picture that lies in their direction.
  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const items = this.scene?.items ?? [];
    if (event.key === "Enter" && items[this.at]) this.on.press(items[this.at]);
    if (!way || !items.length) return;
    event.preventDefault();
    const now = items[this.at] ?? items.find((item) => item.picked) ?? items[0];
    const far = (item) => {
      const [along, across] = way[0] ? [(item.x - now.x) * way[0], item.y - now.y] : [(item.y - now.y) * way[1], item.x - now.x];
      return along > 1 ? along + 3 * Math.abs(across) : Infinity;
    };
    const next = items.reduce((best, item) => (far(item) < far(best) ? item : best), now);
    this.over(items.indexOf(next));
  }
}

export function draw(g, scene, ink, ratio = 1) {
  g.imageSmoothingEnabled = true;
  g.imageSmoothingQuality = "high";
  for (const item of scene.items) item.tiles.draw(g, item.i, item.x, item.y, item.size, ratio);
  for (const item of scene.items) if (item.mark) { g.fillStyle = ink[item.mark]; g.fillRect(item.x, item.y + item.size - 3, item.size, 3); }
  g.textBaseline = "middle";
  for (const { text, x, y, width, align = "left", colour = "ink2", weight = 400, size = 13, mono = false } of scene.words) {
    g.font = `${weight} ${size}px ${mono ? ink.mono : ink.text}`;
    g.fillStyle = ink[colour];
    g.textAlign = align;
    g.fillText(text, align === "center" ? x + width / 2 : align === "right" ? x + width : x, y, width);
  }
  scene.extra?.(g, ink);
}

function frame(g, { x, y, size }, colour) {
  g.strokeStyle = colour;
  g.lineWidth = 3;
  g.strokeRect(x + 1.5, y + 1.5, size - 3, size - 3);
}

/** The pictures of a look, ready to be drawn: enlarged to whole squares first, and then to the size that is there, so that
    every pixel stays a square. */
export class Tiles {
  constructor({ images, count, side, channels }) {
    Object.assign(this, { count, side, columns: Math.ceil(Math.sqrt(count)) });
    const rows = Math.ceil(count / this.columns);
    this.plain = new OffscreenCanvas(this.columns * side, rows * side);
    const g = this.plain.getContext("2d");
    const data = g.createImageData(this.plain.width, this.plain.height);
    for (let i = 0; i < count; i++) this.lay(data.data, images, i, channels);
    g.putImageData(data, 0, 0);
    this.large = { 1: this.plain };
  }

  lay(out, images, i, channels) {
    const { side, columns } = this;
    const left = (i % columns) * side, top = Math.floor(i / columns) * side;
    let from = i * side * side * channels;
    for (let y = 0; y < side; y++) {
      let to = ((top + y) * columns * side + left) * 4;
      for (let x = 0; x < side; x++, to += 4, from += channels) {
        out[to] = images[from];
        out[to + 1] = images[channels === 3 ? from + 1 : from];
        out[to + 2] = images[channels === 3 ? from + 2 : from];
        out[to + 3] = 255;
      }
    }
  }

  times(k) {
    if (this.large[k]) return this.large[k];
    const made = new OffscreenCanvas(this.plain.width * k, this.plain.height * k);
    const g = made.getContext("2d");
    g.imageSmoothingEnabled = false;
    g.drawImage(this.plain, 0, 0, made.width, made.height);
    return (this.large[k] = made);
  }

  draw(g, i, x, y, size, ratio = 1) {
    const k = Math.max(1, Math.min(4, Math.ceil((size * ratio) / this.side)));
    const from = this.side * k;
    g.drawImage(this.times(k), (i % this.columns) * from, Math.floor(i / this.columns) * from, from, from, x, y, size, size);
  }
}

const MOST = 10; // looks whose tiles are held: the rows of a film, and a little more
const known = new Map();

/** The tiles of a look; made once for those that were drawn last. */
export function tilesOf(look) {
  const tiles = known.get(look) ?? new Tiles(look);
  known.delete(look);
  known.set(look, tiles);
  if (known.size > MOST) known.delete(known.keys().next().value);
  return tiles;
}
