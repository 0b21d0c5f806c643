// The film of a run: evenly chosen steps side by side, the noisy picture above and the believed one below. It fills its
// width; a click or a drag goes there. Of several pictures it shows one.

import { mosaic, one } from "./mosaic.js";

const GAP = 3;

export class Strip {
  /** rows, from above: the name of a frame's picture, or a function of the step that gives its bytes, if they are here.
      seek(index) when the visitor points at a step. */
  constructor(canvas, rows, seek, colours) {
    const read = rows.map((row) => (typeof row === "string" ? (step) => this.take.frames[step]?.[row] : row));
    Object.assign(this, { canvas, rows: read, seek, colours, take: null, at: 0, tiles: new Map(), due: null, fork: null, picked: 0 });
    new ResizeObserver(() => this.soon()).observe(canvas);
    canvas.addEventListener("pointerdown", (event) => { if (!event.button) { canvas.setPointerCapture(event.pointerId); this.point(event); } });
    canvas.addEventListener("pointermove", (event) => { if (canvas.hasPointerCapture(event.pointerId)) this.point(event); });
  }

  point(event) {
    const { take } = this;
    if (!take?.about) return;
    const box = this.canvas.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, ((event.clientX - box.left) / box.width * this.n - 0.5) / Math.max(1, this.n - 1)));
    this.seek(Math.round(take.first + share * (take.steps - take.first)));
  }

  load(take) {
    this.take = take;
    this.tiles.clear();
    this.soon();
  }

  arrived() { this.soon(); }

  show(index) {
    this.at = index;
    this.soon();
  }

  soon() { this.due ??= requestAnimationFrame(() => { this.due = null; this.paint(); }); }

  // The steps that have a tile: the first, the last, and as many in between as there is room for.
  chosen(width, side) {
    const { take } = this;
    const total = take.steps - take.first + 1;
    this.n = Math.max(1, Math.min(total, Math.floor((width + GAP) / (side + GAP))));
    return Array.from({ length: this.n }, (_, i) => take.first + (this.n === 1 ? 0 : Math.round((i * (total - 1)) / (this.n - 1))));
  }

  paint() {
    const { canvas, take, rows } = this;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!width || !height) return;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    if (!take?.about) return;
    const side = Math.floor((height - GAP * (rows.length - 1)) / rows.length);
    const steps = this.chosen(width, side);
    const pitch = this.n > 1 ? (width - side) / (this.n - 1) : 0;
    const cell = this.n > 1 ? Math.min(side, pitch - 1) : side;
    const { accent, soft, wall } = this.colours();
    let here = 0;
    steps.forEach((step, i) => {
      if (step <= this.at) here = i; // the last that has been come to
      rows.forEach((_, row) => {
        const x = Math.round(i * pitch), y = row * (side + GAP);
        const tile = this.tile(step, row);
        if (tile) this.draw(g, tile, x, y, cell, ratio);
        else { g.fillStyle = soft; g.fillRect(x, y, cell, side); }
      });
    });
    if (this.fork !== null) {
      const share = (this.fork - take.first) / Math.max(1, take.steps - take.first);
      g.fillStyle = accent;
      g.fillRect(Math.round(share * (width - cell) + cell / 2) - 1, 0, 2, height);
    }
    for (const [inset, line, colour] of [[1.5, 3, accent], [3.5, 1, wall]]) {
      g.lineWidth = line;
      g.strokeStyle = colour;
      g.strokeRect(Math.round(here * pitch) + inset, inset, cell - 2 * inset, rows.length * (side + GAP) - GAP - 2 * inset);
    }
  }

  draw(g, tile, x, y, cell, ratio) {
    g.imageSmoothingEnabled = tile.width > cell * ratio; // enlarged pixels stay squares
    g.imageSmoothingQuality = "high";
    const scale = cell / Math.max(tile.width, tile.height);
    g.drawImage(tile, x + (cell - tile.width * scale) / 2, y, tile.width * scale, tile.height * scale);
  }

  tile(step, row) {
    const key = `${row}:${step}`;
    const bytes = this.tiles.has(key) ? null : this.rows[row](step);
    if (bytes) this.tiles.set(key, mosaic(one(bytes, this.take.about, this.picked), this.take.about, 1));
    return this.tiles.get(key);
  }

  /** Show the film of another of the pictures. */
  pick(index) {
    this.picked = index;
    this.tiles.clear();
    this.soon();
  }

  /** Forget the pictures of one row, whose source has changed. */
  renew(row) {
    for (const key of [...this.tiles.keys()]) if (key.startsWith(`${row}:`)) this.tiles.delete(key);
    this.soon();
  }
}
