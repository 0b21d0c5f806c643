// A contact sheet: what a run believed at evenly chosen steps, in reading order. A click goes there.

import { mosaic } from "./mosaic.js";

const GAP = 3;
const COLUMNS = 5;

export class Contact {
  /** bytesOf(step): the pictures at a step, if they are here. seek(step) when the visitor points at one. */
  constructor(canvas, bytesOf, seek, colours) {
    Object.assign(this, { canvas, bytesOf, colours, take: null, at: 0, tiles: new Map(), steps: [], due: null });
    new ResizeObserver(() => this.soon()).observe(canvas);
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      const pitch = this.side + GAP;
      const index = Math.floor((event.clientY - box.top) / pitch) * COLUMNS + Math.min(COLUMNS - 1, Math.floor((event.clientX - box.left) / pitch));
      if (this.steps[index] !== undefined) seek(this.steps[index]);
    });
  }

  load(take) {
    this.take = take;
    this.tiles.clear();
    this.soon();
  }

  show(index) {
    this.at = index;
    this.soon();
  }

  soon() { this.due ??= requestAnimationFrame(() => { this.due = null; this.paint(); }); }

  paint() {
    const { canvas, take } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !height || !take?.about) return;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const side = (this.side = Math.floor((width + GAP) / COLUMNS) - GAP);
    const rows = Math.max(1, Math.floor((height + GAP) / (side + GAP)));
    const n = Math.min(take.steps + 1, rows * COLUMNS);
    this.steps = Array.from({ length: n }, (_, i) => (n === 1 ? 0 : Math.round((i * take.steps) / (n - 1))));
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    g.imageSmoothingEnabled = side * ratio < take.about.w;
    const { accent, soft, wall } = this.colours();
    const near = this.steps.reduce((best, step, i) => (Math.abs(step - this.at) <= Math.abs(this.steps[best] - this.at) ? i : best), 0);
    this.steps.forEach((step, i) => {
      const [x, y] = [(i % COLUMNS) * (side + GAP), Math.floor(i / COLUMNS) * (side + GAP)];
      const tile = this.tile(step);
      g.fillStyle = soft;
      if (tile) g.drawImage(tile, x, y, side, side); else g.fillRect(x, y, side, side);
      if (i !== near || !tile) return;
      for (const [inset, line, colour] of [[1.5, 3, accent], [3.5, 1, wall]]) {
        g.lineWidth = line;
        g.strokeStyle = colour;
        g.strokeRect(x + inset, y + inset, side - 2 * inset, side - 2 * inset);
      }
    });
  }

  tile(step) {
    const bytes = this.tiles.has(step) ? null : this.bytesOf(step);
    if (bytes) this.tiles.set(step, mosaic(bytes, this.take.about, 1));
    return this.tiles.get(step);
  }
}
