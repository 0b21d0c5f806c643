// The plane: D's surface, the data, what G makes of its noise, G's bent grid, and the gradients that pull at its points.
// Each is a layer. Everything is painted from numbers that are here, at the screen's own pace.

import { h } from "../common/dom.js";
import { tokens } from "./ink.js";

export const REACH = 1.5; // of the plane that is shown, from its middle
const KEYS = { real: "real", fake: "generated", surface: "D: real", doubted: "D: generated", arrows: "where it is pulled" };
const LONGEST = 34; // pixels of an arrow
const FAINT = 0.05; // of a gradient's length: below it its arrow shrinks, and one that has vanished is not there
const PULLED = 80; // points that show theirs
const DATA = 700; // real points that are drawn: more hide the rest

export class Board {
  /** name: for the screen reader, and which of two boards it is. */
  constructor(name) {
    this.name = name;
    this.canvas = h("canvas", { class: "gx-board-canvas", role: "img", "aria-label": name });
    this.caption = h("span", { class: "gx-board-cap" });
    this.numbers = h("p", { class: "gx-board-numbers" });
    this.apart = h("p", { class: "gx-board-apart" });
    this.key = h("div", { class: "gx-key", "aria-hidden": "true" }, ...Object.entries(KEYS).map(([layer, words]) => h("span", { "data-layer": layer }, words)));
    this.box = h("div", { class: "gx-board-box" }, this.canvas, this.caption, this.key);
    this.element = h("div", { class: "gx-board" }, this.box, this.numbers, this.apart);
    this.show = { real: true, fake: true, surface: true, mesh: true, arrows: true };
    this.look = this.real = this.scene = null;
    this.part = null; // of the graph, that the pointer is on
    new ResizeObserver(() => this.measure()).observe(this.box);
  }

  measure() {
    const side = Math.floor(Math.min(this.box.clientWidth, this.box.clientHeight));
    if (side > 0) this.size(side, Math.min(window.devicePixelRatio || 1, 2));
  }

  size(side, ratio) {
    if (side === this.side && ratio === this.ratio) return;
    Object.assign(this, { side, ratio, ground: null });
    this.canvas.width = this.canvas.height = Math.round(side * ratio);
    this.canvas.style.width = this.canvas.style.height = `${side}px`;
    this.box.style.setProperty("--side", `${side}px`);
    this.box.dataset.room = String(this.box.clientHeight - side > 30);
    this.unit = side / (2 * REACH);
    this.paint();
  }

  theme() {
    this.ink = null;
    this.ground = this.sprites = null;
    this.soon();
  }

  /** real: the data, once for each set. */
  data(real) {
    this.real = real;
    this.ground = null;
    this.soon();
  }

  /** The newest look; or one round taken apart, as slow motion has it (null: the look alone). */
  set(look, scene = null) {
    this.look = look;
    this.scene = scene;
    this.box.dataset.noted = String(Boolean(scene?.note)); // the note stands where the key does
    this.soon();
  }

  soon() {
    this.due ||= requestAnimationFrame(() => { this.due = 0; this.paint(); });
  }

  x(value) { return this.side / 2 + value * this.unit; }

  y(value) { return this.side / 2 - value * this.unit; }

  paint() {
    if (!this.side) return;
    this.ink ??= tokens();
    const g = this.canvas.getContext("2d");
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.globalAlpha = 1;
    g.fillStyle = this.ink.wall;
    g.fillRect(0, 0, this.side, this.side);
    const faint = (layer) => (this.part && !LIT[this.part]?.includes(layer) ? 0.18 : 1);
    const view = this.scene ?? this.look;
    const surface = this.scene?.surface ?? this.look?.surface;
    if (surface && this.show.surface) this.surface(g, surface, view, faint("surface"));
    if (this.real && this.show.real) this.dataPoints(g, faint("real") * (this.scene?.real ? 0.35 : 1));
    if (this.look && this.show.mesh) this.mesh(g, this.look, faint("mesh") * (this.scene?.fake ? 0.35 : 1));
    const fake = this.scene?.fake ?? this.look?.samples;
    const pulled = this.scene ? this.scene.pull : this.look?.arrows;
    if (fake && pulled && this.show.arrows) this.arrows(g, fake, pulled, faint("arrows"));
    if (this.scene?.real && this.show.real) this.dots(g, this.scene.real, this.ink.real, 3.4, faint("real"), true);
    const bent = this.scene?.bent ?? 1; // how far noise has become what G makes of it
    const r = this.side > 360 ? 3 : 2.3;
    if (fake && this.show.fake && bent < 1) this.dots(g, fake, this.ink.ink2, r, faint("fake"));
    if (fake && this.show.fake && bent > 0) this.dots(g, fake, this.ink.fake, r, bent * faint("fake"));
    if (this.scene?.note) this.note(g, this.scene.note);
  }

  // D as a ground of two colours: what it takes for generated, what it takes for real, and the wall's colour in between.
  surface(g, values, view, alpha) {
    const side = Math.round(Math.sqrt(values.length));
    this.cells ??= new OffscreenCanvas(side, side);
    const c = this.cells.getContext("2d");
    const image = c.createImageData(side, side);
    const ramp = (this.ink.ramp ??= shades(this.ink));
    for (let i = 0; i < values.length; i++) image.data.set(ramp.subarray(4 * values[i], 4 * values[i] + 4), 4 * i);
    c.putImageData(image, 0, 0);
    g.globalAlpha = alpha;
    g.imageSmoothingEnabled = true;
    g.imageSmoothingQuality = "medium";
    g.drawImage(this.cells, 0, 0, this.side, this.side);
    this.contour(g, values, side, view);
  }

  // Where D does not know: 1/2 for a probability, for a score the middle of its range.
  contour(g, values, side) {
    const path = new Path2D();
    const cell = this.side / side;
    const level = 127.5;
    for (let row = 0; row < side - 1; row++) {
      for (let column = 0; column < side - 1; column++) {
        const at = row * side + column;
        const corners = [values[at], values[at + 1], values[at + side + 1], values[at + side]];
        const above = corners.map((value) => value > level);
        if (above.every(Boolean) || !above.some(Boolean)) continue;
        const cuts = [];
        for (let edge = 0; edge < 4; edge++) {
          const [a, b] = [corners[edge], corners[(edge + 1) % 4]];
          if (a > level === b > level) continue;
          const t = (level - a) / (b - a);
          cuts.push([[column + t, row], [column + 1, row + t], [column + 1 - t, row + 1], [column, row + 1 - t]][edge]);
        }
        for (let k = 0; k + 1 < cuts.length; k += 2) {
          path.moveTo((cuts[k][0] + 0.5) * cell, (cuts[k][1] + 0.5) * cell);
          path.lineTo((cuts[k + 1][0] + 0.5) * cell, (cuts[k + 1][1] + 0.5) * cell);
        }
      }
    }
    g.strokeStyle = this.ink.ink2;
    g.lineWidth = 1;
    g.setLineDash([3, 3]);
    g.stroke(path);
    g.setLineDash([]);
  }

  // The data never moves: painted once, as hollow rings.
  dataPoints(g, alpha) {
    if (!this.ground) {
      this.ground = new OffscreenCanvas(this.canvas.width, this.canvas.height);
      const c = this.ground.getContext("2d");
      c.scale(this.ratio, this.ratio);
      const r = this.side > 360 ? 2.6 : 2;
      const path = new Path2D();
      const { points } = this.real;
      for (let i = 0; i < Math.min(points.length, 2 * DATA); i += 2) {
        const [x, y] = [this.x(points[i]), this.y(points[i + 1])];
        path.moveTo(x + r, y);
        path.arc(x, y, r, 0, 2 * Math.PI);
      }
      c.strokeStyle = this.ink.real;
      c.lineWidth = 1.1;
      c.globalAlpha = 0.75;
      c.stroke(path);
    }
    g.globalAlpha = alpha;
    g.drawImage(this.ground, 0, 0, this.side, this.side);
  }

  // Each is a copy of one small picture: hundreds of circles cost more to fill than all else together.
  dots(g, points, colour, r, alpha, hollow = false) {
    const key = `${colour} ${r} ${hollow} ${this.ratio}`;
    const dot = (this.sprites ??= new Map()).get(key) ?? this.sprite(key, colour, r, hollow);
    const side = dot.width / this.ratio;
    g.globalAlpha = alpha;
    for (let i = 0; i < points.length; i += 2) g.drawImage(dot, this.x(points[i]) - side / 2, this.y(points[i + 1]) - side / 2, side, side);
  }

  sprite(key, colour, r, hollow) {
    const side = Math.ceil((2 * r + 3) * this.ratio);
    const dot = new OffscreenCanvas(side, side);
    const c = dot.getContext("2d");
    c.scale(this.ratio, this.ratio);
    c.translate(side / this.ratio / 2, side / this.ratio / 2);
    c.beginPath();
    c.arc(0, 0, r, 0, 2 * Math.PI);
    c.strokeStyle = hollow ? colour : this.ink.wall;
    c.lineWidth = hollow ? 1.8 : 1.4;
    c.stroke();
    c.fillStyle = colour;
    if (!hollow) c.fill();
    this.sprites.set(key, dot);
    return dot;
  }

  mesh(g, { mesh, meshShape: [rows, columns] }, alpha) {
    const path = new Path2D();
    const place = (row, column) => [this.x(mesh[2 * (row * columns + column)]), this.y(mesh[2 * (row * columns + column) + 1])];
    for (let row = 0; row < rows && columns > 1; row++) {
      for (let column = 0; column < columns; column++) path[column ? "lineTo" : "moveTo"](...place(row, column));
    }
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) path[row ? "lineTo" : "moveTo"](...place(row, column));
    }
    g.globalAlpha = 0.5 * alpha;
    g.strokeStyle = this.ink.fake;
    g.lineWidth = columns > 1 ? 0.8 : 2;
    g.stroke(path);
  }

  // How far each generated point would go, all by the same measure: the longest is LONGEST pixels.
  arrows(g, points, pulls, alpha) {
    let most = 0;
    for (let i = 0; i < pulls.length; i += 2) most = Math.max(most, Math.hypot(pulls[i], pulls[i + 1]));
    if (!(most > 0)) return;
    const path = new Path2D();
    const scale = (LONGEST * Math.min(1, this.side / 420) * Math.min(1, most / FAINT)) / most;
    for (let i = 0; i < Math.min(pulls.length, points.length, 2 * PULLED); i += 2) {
      const length = Math.hypot(pulls[i], pulls[i + 1]) * scale;
      if (length < 3) continue;
      arrow(path, this.x(points[i]), this.y(points[i + 1]), (pulls[i] * scale) / length, (-pulls[i + 1] * scale) / length, length);
    }
    g.globalAlpha = 0.9 * alpha;
    g.strokeStyle = this.ink.wall;
    g.lineWidth = 3.2;
    g.lineCap = "round";
    g.stroke(path);
    g.strokeStyle = this.ink.ink;
    g.lineWidth = 1.4;
    g.stroke(path);
    g.globalAlpha = 1;
  }

  note(g, words) {
    g.globalAlpha = 1;
    g.font = `600 ${this.side > 420 ? 17 : 15}px ${this.ink.text}`;
    const width = Math.min(this.side - 20, g.measureText(words).width + 24);
    g.fillStyle = this.ink.wall;
    g.strokeStyle = this.ink.line;
    g.beginPath();
    g.roundRect((this.side - width) / 2, this.side - 44, width, 32, 8);
    g.fill();
    g.stroke();
    g.fillStyle = this.ink.ink;
    g.textAlign = "center";
    g.textBaseline = "middle";
    g.fillText(words, this.side / 2, this.side - 28, width - 16);
  }
}

// Which layers belong to a part of the graph.
const LIT = {
  noise: ["mesh"], generator: ["mesh", "fake"], samples: ["fake"], data: ["real"], discriminator: ["surface"],
  verdicts: ["surface", "real", "fake"], loss_d: ["surface", "real", "fake"], loss_g: ["arrows", "fake"],
};

function arrow(path, x, y, dx, dy, length) {
  const [x1, y1] = [x + dx * length, y + dy * length];
  const head = Math.min(6, 0.4 * length);
  path.moveTo(x, y);
  path.lineTo(x1, y1);
  path.moveTo(x1 - head * (dx + 0.6 * dy), y1 - head * (dy - 0.6 * dx));
  path.lineTo(x1, y1);
  path.lineTo(x1 - head * (dx - 0.6 * dy), y1 - head * (dy + 0.6 * dx));
}

/** 256 colours from "generated" over the wall's to "real", as bytes. */
export function shades({ rgb }) {
  const out = new Uint8ClampedArray(1024);
  for (let i = 0; i < 256; i++) {
    const t = (i - 127.5) / 127.5;
    const [to, share] = t > 0 ? [rgb.real, 0.5 * t] : [rgb.fake, -0.5 * t];
    for (let c = 0; c < 3; c++) out[4 * i + c] = rgb.wall[c] + (to[c] - rgb.wall[c]) * share;
    out[4 * i + 3] = 255;
  }
  return out;
}
