// The map: coloured codes over the decoded manifold, on two canvases. The lower one holds what stands still
// (codes, manifold, density, axes), the upper one what moves with the pointer; a move repaints only the upper.

import { paintGround, pointSprites } from "./ground.js";
import { listen } from "./gestures.js";

export const TAU = Math.PI * 2;
const LEFT = 40; // room for the scale of the vertical axis
const BELOW = 30; // and of the horizontal one
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

  show(names) {
    for (const name of Object.keys(this.shown)) this.shown[name] = names.includes(name);
    this.refresh();
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
    if (layer.solo || before?.solo) {
      this.soloExtent = layer.extent || this.soloExtent;
      this.refresh();
    } else this.repaint();
  }

  removeLayer(name) {
    const layer = this.extra.get(name);
    if (!layer) return;
    this.extra.delete(name);
    if (layer.solo) this.refresh();
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
    this.paintTop(this.context(this.top));
    this.dirty = { ground: false, top: false };
  }

  context(canvas) {
    const context = canvas.getContext("2d");
    context.setTransform(this.size.ratio, 0, 0, this.size.ratio, 0, 0);
    context.clearRect(0, 0, this.size.w, this.size.h);
    return context;
  }

  paintTop(g) {
    g.save();
    g.beginPath();
    g.rect(LEFT, 0, this.size.w - LEFT, this.size.h - BELOW);
    g.clip();
    for (const layer of this.extra.values()) this.paintLayer(g, layer);
    if (this.here && !this.solo) this.paintCursor(g, this.here, 13, true);
    if (this.hover && !this.solo) this.paintCursor(g, this.hover, 6, false);
    g.restore();
  }

  // The visitor's place is a ring with cross hairs, wide enough to leave what lies under it to be seen.
  paintCursor(g, p, radius, own) {
    const [x, y] = this.toPixel(p);
    g.beginPath();
    g.arc(x, y, radius, 0, TAU);
    if (own) {
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        g.moveTo(x + dx * radius, y + dy * radius);
        g.lineTo(x + dx * (radius + 7), y + dy * (radius + 7));
      }
    }
    g.lineWidth = own ? 5 : 4;
    g.strokeStyle = this.theme.wall;
    g.stroke();
    g.lineWidth = own ? 2.25 : 1.5;
    g.strokeStyle = this.theme.ink;
    g.stroke();
  }

  // Tools give places on the map ([x, y], {x, y}) or whole codes ({z}, or a vector of d numbers).
  place(thing) {
    const { space } = this;
    if (Array.isArray(thing) || ArrayBuffer.isView(thing)) return thing.length === 2 || !space ? thing : space.project(thing);
    return thing.z ? this.place(thing.z) : [thing.x, thing.y];
  }

  paintLayer(g, layer) {
    if (!layer.solo && this.solo) return;
    if (layer.path?.length > 1) this.paintPath(g, layer.path);
    for (const ellipse of layer.ellipses || []) this.paintEllipse(g, ellipse);
    if (Array.isArray(layer.points)) for (const point of layer.points) this.paintMark(g, point);
    for (const mark of layer.markers || []) this.paintMark(g, mark);
    if (layer.marker) this.paintCursor(g, this.place(layer.marker), 7, false);
    for (const label of layer.labels || []) this.paintText(g, this.toPixel(this.place(label)), label.text);
  }

  paintPath(g, path) {
    g.beginPath();
    path.forEach((each, i) => {
      const [x, y] = this.toPixel(this.place(each));
      if (i) g.lineTo(x, y);
      else g.moveTo(x, y);
    });
    g.lineJoin = "round";
    g.strokeStyle = this.theme.wall;
    g.lineWidth = 6;
    g.stroke();
    g.strokeStyle = this.theme.accent;
    g.lineWidth = 2.5;
    g.stroke();
  }

  // One and two standard deviations of a normal distribution: cov = (xx, xy, yy), or sigma by dimension.
  paintEllipse(g, ellipse) {
    const cov = ellipse.cov || this.space?.covariance(ellipse.sigma.map((s) => 2 * Math.log(Math.max(s, 1e-9))));
    if (!cov) return;
    const [xx, xy, yy] = cov;
    const mean = (xx + yy) / 2;
    const spread = Math.hypot((xx - yy) / 2, xy);
    const angle = Math.atan2(xy, (xx - yy) / 2) / 2;
    const [px, py] = this.toPixel(this.place(ellipse));
    for (const sigmas of [1, 2]) {
      g.beginPath();
      const a = sigmas * Math.sqrt(mean + spread) * this.scale;
      const b = sigmas * Math.sqrt(Math.max(mean - spread, 0)) * this.scale;
      g.ellipse(px, py, Math.max(a, 1.5), Math.max(b, 1.5), -angle, 0, TAU);
      g.setLineDash(ellipse.faint ? [2, 3] : sigmas === 1 ? [] : [5, 4]);
      g.lineWidth = 4;
      g.strokeStyle = this.theme.wall;
      g.stroke();
      g.lineWidth = 1.75;
      g.strokeStyle = this.theme.ink;
      g.stroke();
    }
    g.setLineDash([]);
  }

  // A short text stands on a pin above its place, a long one beside it; without a text it is a dot.
  paintMark(g, mark) {
    const [x, y] = this.toPixel(this.place(mark));
    const text = mark.text ?? mark.label;
    const short = text != null && String(text).length <= 2;
    g.beginPath();
    if (short) {
      g.moveTo(x, y);
      g.arc(x, y - 19, 9.5, Math.PI * 0.78, Math.PI * 0.22);
      g.closePath();
    } else g.arc(x, y, mark.r || 5, 0, TAU);
    g.fillStyle = mark.color || this.theme.accent;
    g.lineWidth = 3;
    g.strokeStyle = this.theme.wall;
    g.stroke();
    g.fill();
    if (text == null) return;
    if (!short) return this.paintText(g, [x, y - (mark.lift ?? 18)], text);
    g.fillStyle = this.theme.onAccent;
    g.font = `600 11px ${this.theme.text}`;
    g.textAlign = "center";
    g.textBaseline = "middle";
    g.fillText(text, x, y - 18.5);
  }

  paintText(g, [x, y], text) {
    g.font = `600 13px ${this.theme.text}`;
    g.textAlign = "center";
    g.textBaseline = "middle";
    g.lineJoin = "round";
    g.lineWidth = 4;
    g.strokeStyle = this.theme.wall;
    g.strokeText(text, x, y);
    g.fillStyle = this.theme.ink;
    g.fillText(text, x, y);
  }
}

export function readTheme() {
  const style = getComputedStyle(document.body); // the page's accent is set on the body
  const read = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  // Ten colours told apart by the colour-blind too; the names stand on the map beside them.
  const spare = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bb7733", "#777777", "#44aa99", "#882255"];
  return {
    ink: read("--ink", "#1c1b20"), ink2: read("--ink-2", "#5c5966"), line: read("--line", "#e4dfd6"),
    wall: read("--wall", "#fff"), accent: read("--a", read("--vae", "#6f63c0")), onAccent: read("--on-a", "#fff"),
    text: read("--text", "system-ui, sans-serif"), mono: read("--mono", "monospace"),
    classes: spare.map((colour, i) => read(`--class-${i}`, colour)),
  };
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
