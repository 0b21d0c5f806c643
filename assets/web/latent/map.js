// The map: coloured codes over the decoded manifold, on two canvases. The lower one holds what stands still
// (codes, manifold, density, axes), the upper one what moves with the pointer; a move repaints only the upper.

import { listen } from "./gestures.js";
import { paintGround, pointSprites } from "./ground.js";
import { paintTop } from "./overlay.js";
import { BELOW, LEFT } from "./room.js";
import { readTheme } from "../common/theme.js";

const NEAR = 8; // pixels within which a click takes the code rather than the place
const MOST_ZOOM = 60;
const LEAST_ZOOM = 0.55;
const CELLS = 64; // of the grid that finds the code under the pointer

export class LatentMap {
  // host: an empty element. handlers: hover([x, y]|null), pick({p, index, event}), key(event), viewed(view).
  constructor(host, handlers, primary) {
    this.host = host;
    this.handlers = handlers;
    this.ground = host.appendChild(document.createElement("canvas"));
    this.top = host.appendChild(document.createElement("canvas"));
    this.ground.className = "lx-ground";
    this.top.className = "lx-top";
    this.ground.setAttribute("aria-hidden", "true");
    this.top.setAttribute("aria-hidden", "true");
    this.primary = primary;
    this.space = null;
    this.shown = { points: true, manifold: true, density: false };
    this.only = [];
    this.kept = []; // numbers of pictures that are pinned
    this.extra = new Map(); // what tools lay over the map
    this.hover = null; // place under the pointer
    this.here = null; // the visitor's own place
    this.view = { x: 0, y: 0, width: 6 };
    this.size = { w: 0, h: 0, ratio: 1 };
    this.dirty = { ground: true, top: true };
    this.frame = 0;
    this.painted = [];
    this.theme = readTheme();
    new ResizeObserver(() => this.measure()).observe(host);
    listen(this, host);
    this.measure();
  }

  // --- what is shown ---------------------------------------------------------------------------------------

  setSpace(space, atlas, keepView = false) {
    this.space = space;
    this.atlas = atlas;
    this.tiles = null;
    this.density = null;
    this.buckets = null;
    this.lod = null;
    if (!keepView) this.reset(false);
    this.refresh();
  }

  setAtlas(atlas) {
    this.atlas = atlas;
    this.lod = null;
    this.refresh();
  }

  // Pictures that stand on the map themselves, where a model's data has such.
  setTiles(tiles) {
    this.tiles = tiles;
    this.refresh();
  }

  show(names) {
    for (const name of Object.keys(this.shown)) this.shown[name] = names.includes(name);
    this.refresh();
  }

  keep(indices) {
    this.kept = indices;
    if (this.tiles) this.refresh();
  }

  isolate(classes) {
    this.only = classes;
    this.density = null;
    this.refresh();
  }

  retheme() {
    this.theme = readTheme();
    this.sprites = null;
    this.lod = null;
    this.density = null;
    this.refresh();
  }

  setLayer(name, layer) {
    const before = this.extra.get(name);
    this.extra.set(name, layer);
    if (layer.solo || before?.solo) this.soloExtent = layer.extent || this.soloExtent;
    if (layer.solo || before?.solo || layer.still) this.refresh(); // the names on the map make room for marks that stand still
    else this.repaint();
  }

  removeLayer(name) {
    const layer = this.extra.get(name);
    if (!layer) return;
    this.extra.delete(name);
    if (layer.solo || layer.still) this.refresh();
    else this.repaint();
  }

  get solo() {
    for (const layer of this.extra.values()) if (layer.solo) return layer;
    return null;
  }

  // --- places ----------------------------------------------------------------------------------------------

  measure() {
    const box = this.host.getBoundingClientRect();
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    const w = Math.max(1, Math.round(box.width));
    const h = Math.max(1, Math.round(box.height));
    if (w === this.size.w && h === this.size.h && ratio === this.size.ratio) return;
    const fitted = this.fitted;
    this.size = { w, h, ratio };
    for (const canvas of [this.ground, this.top]) {
      canvas.width = w * ratio;
      canvas.height = h * ratio;
    }
    if (this.space && fitted) this.reset(false);
    this.lod = null;
    this.dirty.ground = true; // a canvas that was resized is empty until it is painted: do it before the next frame
    this.draw();
  }

  get left() {
    return LEFT;
  }

  // Pixels of one latent unit, the same along both axes.
  get scale() {
    return (this.size.w - LEFT) / this.frameView().width;
  }

  frameView() {
    const solo = this.solo;
    return solo?.extent ? this.viewOf(solo.extent) : this.view;
  }

  viewOf([x0, x1, y0, y1]) {
    const w = this.size.w - LEFT;
    const h = this.size.h - BELOW;
    return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, width: Math.max(x1 - x0, ((y1 - y0) * w) / Math.max(h, 1)) };
  }

  toPixel([x, y]) {
    const { x: cx, y: cy } = this.frameView();
    const s = this.scale;
    return [LEFT + (this.size.w - LEFT) / 2 + (x - cx) * s, (this.size.h - BELOW) / 2 - (y - cy) * s];
  }

  fromPixel([px, py]) {
    const { x: cx, y: cy } = this.frameView();
    const s = this.scale;
    return [cx + (px - LEFT - (this.size.w - LEFT) / 2) / s, cy - (py - (this.size.h - BELOW) / 2) / s];
  }

  inside([px, py]) {
    return px >= LEFT && px <= this.size.w && py >= 0 && py <= this.size.h - BELOW;
  }

  bounds() {
    const [x0, y1] = this.fromPixel([LEFT, 0]);
    const [x1, y0] = this.fromPixel([this.size.w, this.size.h - BELOW]);
    return [x0, x1, y0, y1];
  }

  home() {
    return this.space ? this.viewOf(this.space.extent) : { x: 0, y: 0, width: 6 };
  }

  reset(tell = true) {
    this.view = this.home();
    this.fitted = true;
    this.refresh();
    if (tell) this.handlers.viewed?.(null);
  }

  setView([x, y, width]) {
    this.view = { x, y, width };
    this.fitted = false;
    this.refresh();
  }

  moved() {
    this.fitted = false;
    this.refresh();
    this.handlers.viewed?.([this.view.x, this.view.y, this.view.width]);
  }

  panBy(dx, dy) {
    if (this.solo) return;
    this.view = { ...this.view, x: this.view.x - dx / this.scale, y: this.view.y + dy / this.scale };
    this.moved();
  }

  // Returns false where the map is as far out as it goes, so that the page may scroll instead.
  zoomAt(pixel, factor) {
    if (this.solo) return false;
    const widest = this.home().width / LEAST_ZOOM;
    const width = Math.min(widest, Math.max(this.home().width / MOST_ZOOM, this.view.width / factor));
    if (width === this.view.width) return false;
    const fixed = this.fromPixel(pixel);
    this.view = { ...this.view, width };
    const now = this.fromPixel(pixel);
    this.view = { x: this.view.x + fixed[0] - now[0], y: this.view.y + fixed[1] - now[1], width };
    this.moved();
    return true;
  }

  // Bring a place into sight, for a point that is moved by keys.
  follow(p) {
    const [px, py] = this.toPixel(p);
    const air = 24;
    const dx = Math.min(0, px - LEFT - air) + Math.max(0, px - this.size.w + air);
    const dy = Math.min(0, py - air) + Math.max(0, py - this.size.h + BELOW + air);
    if (dx || dy) this.panBy(-dx, -dy);
  }

  visible(label) {
    return !this.only.length || this.only.includes(label);
  }

  // The shown code nearest to a pixel, within NEAR pixels; null where there is none.
  codeAt(pixel, reach = NEAR) {
    const { space } = this;
    if (!space || !this.shown.points || this.solo) return null;
    const tile = this.tiles?.at(this, pixel) ?? null;
    if (tile !== null) return tile;
    this.buckets ??= bucket(space.xy, space.extent);
    const [x, y] = this.fromPixel(pixel);
    const radius = reach / this.scale;
    let best = null;
    let least = radius * radius;
    this.buckets.around(x, y, radius, (i) => {
      const gap = (space.xy[2 * i] - x) ** 2 + (space.xy[2 * i + 1] - y) ** 2;
      if (gap < least && this.visible(space.labels[i])) [best, least] = [i, gap];
    });
    return best;
  }

  // --- painting --------------------------------------------------------------------------------------------

  refresh() {
    this.dirty.ground = true;
    this.repaint();
  }

  repaint() {
    this.dirty.top = true;
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.dirty.ground) {
      this.sprites ??= pointSprites(this.theme, this.size.ratio);
      paintGround(this, this.context(this.ground), { LEFT, BELOW });
    }
    paintTop(this, this.context(this.top));
    this.dirty = { ground: false, top: false };
  }

  context(canvas) {
    const context = canvas.getContext("2d");
    context.setTransform(this.size.ratio, 0, 0, this.size.ratio, 0, 0);
    context.clearRect(0, 0, this.size.w, this.size.h);
    return context;
  }
}

// Codes by cell, so that finding the one under the pointer looks at a few dozen instead of ten thousand.
function bucket(xy, [x0, x1, y0, y1]) {
  const cells = Array.from({ length: CELLS * CELLS }, () => []);
  const clamp = (v) => Math.max(0, Math.min(CELLS - 1, Math.floor(v)));
  const column = (x) => clamp(((x - x0) / (x1 - x0)) * CELLS);
  const row = (y) => clamp(((y - y0) / (y1 - y0)) * CELLS);
  for (let i = 0; i < xy.length / 2; i++) cells[row(xy[2 * i + 1]) * CELLS + column(xy[2 * i])].push(i);
  return {
    around(x, y, radius, visit) {
      for (let r = row(y - radius); r <= row(y + radius); r++) {
        for (let c = column(x - radius); c <= column(x + radius); c++) cells[r * CELLS + c].forEach(visit);
      }
    },
  };
}
