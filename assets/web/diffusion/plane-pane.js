// One view of the plane: data faint, arrows of the field, paths, travelling points and, in a latent plane, what they
// decode to. Everything is repainted from numbers that are here, at the screen's own pace.

import { h } from "../common/dom.js";

const HALF = 2.6; // of the plane that the shorter side shows, from the middle
const FULL = 1.7; // length of eps that fills an arrow's cell; a draw of noise has 1.25 on average
const SHADES = 6; // of arrows: what the network was hardly shown is faint
const NEAR = { mouse: 7, touch: 14 }; // pixels within which a click takes a point
const THUMB = 34; // pixels of a decoded point

export class Pane {
  /** on: pick(index), place([x, y]), both from a click or the keyboard. */
  constructor(place, on) {
    this.on = on;
    this.canvas = h("canvas", { class: "dx-plane-canvas", tabindex: "0", role: "application", "aria-roledescription": "plane" });
    this.sign = h("b", { class: "dx-sign" });
    this.words = h("span");
    this.element = h("div", { class: "dx-plane-pane", "data-pane": place }, h("div", { class: "dx-cap" }, this.sign, this.words), h("div", { class: "dx-plane-box" }, this.canvas));
    this.cross = null;
    this.scene = null;
    this.listen();
    new ResizeObserver(() => this.measure()).observe(this.canvas.parentElement);
  }

  name({ sign, below, words }) {
    this.sign.replaceChildren(sign, ...(below ? [h("sub", {}, below)] : []));
    this.words.textContent = words;
    this.canvas.setAttribute("aria-label", `Plane, ${sign}: ${words}. Arrow keys move a cross; Enter starts from there.`);
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      this.cross = null;
      this.choose([event.clientX - box.left, event.clientY - box.top], event.pointerType === "touch" ? NEAR.touch : NEAR.mouse);
    });
    canvas.addEventListener("blur", () => { this.cross = null; this.paint(); });
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (way) {
        const by = event.shiftKey ? 0.02 : 0.1;
        this.cross ??= [0, 0];
        this.cross = this.cross.map((value, i) => Math.max(-HALF, Math.min(HALF, value + way[i] * by)));
        this.paint();
      } else if (event.key === "Enter" || event.key === " ") {
        this.cross ??= [0, 0];
        this.choose(this.pixel(this.cross));
      } else return;
      event.preventDefault();
    });
  }

  choose(pixel, reach = NEAR.mouse) {
    if (!this.scene) return;
    const index = this.nearest(pixel, reach);
    if (index >= 0) this.on.pick(index);
    else this.on.place(this.from(pixel));
  }

  nearest([x, y], reach) {
    const { points } = this.scene;
    let [best, least] = [-1, reach * reach];
    for (let i = 0; points && i < points.length / 2; i++) {
      const [px, py] = this.pixel([points[2 * i], points[2 * i + 1]]);
      const gap = (px - x) ** 2 + (py - y) ** 2;
      if (gap < least) [best, least] = [i, gap];
    }
    return best;
  }

  // --- places ----------------------------------------------------------------------------------------------------

  measure() {
    const box = this.canvas.parentElement.getBoundingClientRect();
    if (box.width && box.height) this.size(Math.round(box.width), Math.round(box.height), Math.min(window.devicePixelRatio || 1, 2));
  }

  size(w, height, ratio) {
    Object.assign(this, { w, h: height, ratio });
    this.canvas.width = this.w * this.ratio;
    this.canvas.height = this.h * this.ratio;
    this.unit = Math.min(this.w, this.h) / (2 * HALF);
    this.thumb = Math.min(THUMB, Math.max(18, this.unit * 0.42));
    this.ground = null;
    this.paint();
  }

  pixel([x, y]) { return [this.w / 2 + x * this.unit, this.h / 2 - y * this.unit]; }

  from([x, y]) { return [(x - this.w / 2) / this.unit, (this.h / 2 - y) / this.unit]; }

  // --- painting --------------------------------------------------------------------------------------------------

  /** scene: {theme, data, labels, t, points, field, mass, side, reach, paths, fan, thumbs, show}. */
  show(scene) {
    if (scene.data !== this.scene?.data || scene.theme !== this.scene?.theme) this.ground = null;
    this.scene = scene;
    this.paint();
  }

  paint() {
    const { scene } = this;
    if (!scene || !this.w) return;
    const g = this.canvas.getContext("2d");
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.clearRect(0, 0, this.w, this.h);
    if (scene.show.data) {
      this.ground ??= this.faint(scene);
      g.drawImage(this.ground, 0, 0, this.w, this.h);
    }
    if (scene.field && scene.show.arrows) this.arrows(g, scene);
    if (!scene.fan) for (const path of scene.paths) this.path(g, path);
    if (scene.points) this.points(g, scene);
    if (scene.fan) this.fan(g, scene);
    if (this.cross && document.activeElement === this.canvas) this.hair(g, scene.theme);
  }

  // The data never moves: it is painted once.
  faint({ data, theme }) {
    const sheet = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    const g = sheet.getContext("2d");
    g.scale(this.ratio, this.ratio);
    g.fillStyle = theme.ink;
    g.globalAlpha = 0.2;
    const size = this.unit > 50 ? 2.2 : 1.6;
    for (let i = 0; i < data.length; i += 2) {
      const [x, y] = this.pixel([data[i], data[i + 1]]);
      g.fillRect(x - size / 2, y - size / 2, size, size);
    }
    return sheet;
  }

  arrows(g, { field, mass, side, reach, theme }) {
    const cell = (2 * reach) / (side - 1);
    const every = cell * this.unit < 13 ? 2 : 1; // on a small screen every second arrow, twice as long
    const longest = 0.96 * every * cell * this.unit;
    const heads = Array.from({ length: SHADES }, () => new Path2D());
    for (let row = 0; row < side; row += every) {
      for (let column = 0; column < side; column += every) {
        const at = row * side + column;
        const shade = Math.min(SHADES - 1, Math.floor((mass[at] / 256) * SHADES));
        if (mass[at] < 10) continue;
        const [ex, ey] = [field[2 * at], field[2 * at + 1]];
        const length = Math.hypot(ex, ey);
        const drawn = longest * Math.min(1, length / FULL);
        if (drawn < 2.5) continue; // a dot has no direction
        const [x, y] = this.pixel([-reach + column * cell, reach - row * cell]);
        arrow(heads[shade], x, y, -ex / length, ey / length, drawn);
      }
    }
    g.strokeStyle = theme.accent;
    g.lineWidth = this.unit > 50 ? 1.5 : 1.1;
    g.lineCap = "round";
    heads.forEach((path, shade) => {
      g.globalAlpha = 0.18 + (0.62 * (shade + 1)) / SHADES;
      g.stroke(path);
    });
    g.globalAlpha = 1;
  }

  /** path: {places: [[x, y]] by row, from, to: the rows that have been walked, colour, whole: show the rest faintly}. */
  path(g, { places, from, to, colour, whole }) {
    const line = (first, last, width, alpha, style) => {
      if (last - first < 1) return;
      g.beginPath();
      for (let row = first; row <= last; row++) {
        const [x, y] = this.pixel(places[row]);
        row === first ? g.moveTo(x, y) : g.lineTo(x, y);
      }
      g.lineWidth = width;
      g.globalAlpha = alpha;
      g.strokeStyle = style;
      g.stroke();
    };
    g.lineJoin = "bevel"; // round joins of two hundred strides cost a frame where there is no GPU
    if (whole) line(0, from, 1.2, 0.4, colour);
    line(from, to, 2, 1, colour);
    g.globalAlpha = 1;
  }

  points(g, { points, labels, theme, colours, chosen, thumbs, fan }) {
    const r = this.unit > 50 ? 3.2 : 2.4;
    const taken = new Set(thumbs ? thumbs.indices : []);
    const byColour = new Map();
    for (let i = 0; i < points.length / 2; i++) {
      if (taken.has(i) || chosen.includes(i)) continue;
      const colour = colours[labels[i] % colours.length];
      if (!byColour.has(colour)) byColour.set(colour, new Path2D());
      const [x, y] = this.pixel([points[2 * i], points[2 * i + 1]]);
      byColour.get(colour).moveTo(x + r, y);
      byColour.get(colour).arc(x, y, r, 0, 2 * Math.PI);
    }
    g.globalAlpha = fan ? 0.25 : 0.88; // the futures of one place are looked at alone
    for (const [colour, path] of byColour) { g.fillStyle = colour; g.fill(path); }
    g.globalAlpha = 1;
    if (thumbs) this.thumbs(g, points, (i) => (chosen.includes(i) ? colours[labels[i] % colours.length] : theme.ink2), thumbs);
    for (const i of chosen) if (!taken.has(i) && !fan) this.dot(g, [points[2 * i], points[2 * i + 1]], 1.8 * r, colours[labels[i] % colours.length], theme);
  }

  dot(g, place, r, colour, theme) {
    const [x, y] = this.pixel(place);
    g.beginPath();
    g.arc(x, y, r, 0, 2 * Math.PI);
    g.fillStyle = colour;
    g.strokeStyle = theme.ink;
    g.lineWidth = 1.8;
    g.fill();
    g.stroke();
  }

  /** thumbs: {indices, sheet: {image, columns, side}, moment, moments}: picture of point j at a moment. */
  thumbs(g, points, frame, { indices, sheet, moment, moments }) {
    const size = this.thumb;
    g.imageSmoothingEnabled = true;
    indices.forEach((i, j) => {
      const [x, y] = this.pixel([points[2 * i], points[2 * i + 1]]);
      const edge = 1.5;
      g.fillStyle = frame(i);
      g.fillRect(x - size / 2 - edge, y - size / 2 - edge, size + 2 * edge, size + 2 * edge);
      picture(g, sheet, j * moments + moment, x - size / 2, y - size / 2, size);
    });
  }

  /** fan: {place, ddim, ddpm: [[x, y]] by row, sheet}: the futures of one place. */
  fan(g, { fan, theme }) {
    const stroke = (places, width, colour, alpha) => {
      g.beginPath();
      places.forEach((place, i) => { const [x, y] = this.pixel(place); i ? g.lineTo(x, y) : g.moveTo(x, y); });
      g.lineWidth = width;
      g.strokeStyle = colour;
      g.globalAlpha = alpha;
      g.stroke();
    };
    g.lineJoin = g.lineCap = "round";
    for (const places of fan.paths) {
      const many = fan.paths.length > 1;
      stroke(places, many ? 2.4 : 5, theme.wall, 0.6);
      stroke(places, many ? 1 : 2.6, theme.ink, many ? 0.6 : 0.9);
    }
    g.globalAlpha = 1;
    fan.paths.forEach((places, j) => {
      if (fan.sheet) {
        const [px, py] = this.pixel(fan.place);
        let [x, y] = this.pixel(places[0]);
        const size = this.thumb;
        if (Math.hypot(px - x, py - y) < size) [x, y] = [px + size, py + size / 2]; // beside the ring, not under it
        g.fillStyle = theme.ink;
        g.fillRect(x - size / 2 - 1.5, y - size / 2 - 1.5, size + 3, size + 3);
        picture(g, fan.sheet, fan.first + j, x - size / 2, y - size / 2, size);
      } else this.dot(g, places[0], 4, theme.accent, theme);
    });
    const [x, y] = this.pixel(fan.place);
    g.beginPath();
    g.arc(x, y, 8, 0, 2 * Math.PI);
    g.lineWidth = 3;
    g.strokeStyle = theme.ink;
    g.stroke();
  }

  hair(g, theme) {
    const [x, y] = this.pixel(this.cross);
    g.beginPath();
    g.arc(x, y, 9, 0, 2 * Math.PI);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) { g.moveTo(x + 5 * dx, y + 5 * dy); g.lineTo(x + 16 * dx, y + 16 * dy); }
    g.lineWidth = 2;
    g.strokeStyle = theme.ink;
    g.stroke();
  }
}

/** Cell `index` of a sheet, at (x, y), `size` pixels wide. */
export function picture(g, { image, columns, side }, index, x, y, size) {
  g.drawImage(image, (index % columns) * side, Math.floor(index / columns) * side, side, side, x, y, size, size);
}

// From its cell's middle, so that arrows of any length stand on the grid.
function arrow(path, x, y, dx, dy, length) {
  const [x0, y0, x1, y1] = [x - (dx * length) / 2, y - (dy * length) / 2, x + (dx * length) / 2, y + (dy * length) / 2];
  const head = Math.min(5, 0.38 * length);
  path.moveTo(x0, y0);
  path.lineTo(x1, y1);
  if (length < 4) return;
  path.moveTo(x1 - head * (dx + 0.6 * dy), y1 - head * (dy - 0.6 * dx));
  path.lineTo(x1, y1);
  path.lineTo(x1 - head * (dx - 0.6 * dy), y1 - head * (dy + 0.6 * dx));
}
