/* A film of pictures that are already here: a strip that moves under the current picture, a scrubber that shows which
   class each step is near to, and a player that keeps time by the clock and not by the frame. */
import { h } from "./dom.js";
import { sharp } from "./sheet.js";

const GAP = 4; // between the pictures of the strip, CSS pixels
const THUMB = 12; // width of the scrubber's thumb: its middle runs from half of this to the width less half of it

/** Where a film is, by the clock. loop: "bounce", "again" or "once". seen(index) is called when the picture changes. */
export class Player {
  constructor(seen, stopped) {
    Object.assign(this, { seen, stopped, n: 0, at: 0, speed: 16, loop: "bounce", playing: false, phase: 0, clock: 0 });
  }

  load(n, at = 0) {
    this.n = n;
    this.seek(Math.min(at, n - 1));
  }

  seek(index) {
    this.phase = this.at = Math.max(0, Math.min(this.n - 1, index));
    this.seen(this.at);
  }

  play() {
    if (this.playing || this.n < 2) return;
    this.playing = true;
    if (this.loop === "once" && this.at === this.n - 1) this.phase = 0;
    this.clock = performance.now();
    requestAnimationFrame((now) => this.tick(now));
  }

  pause() {
    this.playing = false;
  }

  tick(now) {
    if (!this.playing) return;
    // After a pause of the whole page (another tab) the film goes on from where it stood.
    const late = Math.max(0, Math.min(now - this.clock, 250));
    this.clock = now;
    this.phase += (late / 1000) * this.speed;
    const last = this.n - 1;
    if (this.loop === "once" && this.phase >= last) {
      this.phase = last;
      this.playing = false;
    }
    const round = this.loop === "bounce" ? 2 * last : this.n;
    if (this.loop !== "once") this.phase %= round;
    const step = Math.round(this.phase);
    const index = this.loop === "bounce" ? (step > last ? round - step : step) : Math.min(step, last);
    if (index !== this.at) {
      this.at = index;
      this.seen(index);
    }
    if (this.playing) requestAnimationFrame((next) => this.tick(next));
    else this.stopped();
  }
}

/** The strip and its scrubber. seek(index) and toggle() are what the visitor does with them. */
export class Film {
  constructor({ seek, toggle, colours }) {
    this.colours = colours;
    this.frames = [];
    this.at = 0;
    this.strip = h("canvas", { class: "film-strip", "aria-hidden": "true" });
    this.ribbon = h("canvas", { class: "film-ribbon", "aria-hidden": "true" });
    this.range = h("input", { type: "range", class: "film-range", min: "0", max: "0", step: "1", value: "0", "aria-label": "Picture of the path",
      oninput: () => seek(Number(this.range.value)),
      onkeydown: (event) => { if (event.key === " ") { event.preventDefault(); toggle(); } } });
    this.button = h("button", { type: "button", class: "film-play", "aria-label": "Play", onclick: toggle }, "▶");
    this.count = h("output", { class: "film-count" });
    this.element = h("div", { class: "film" }, this.strip,
      h("div", { class: "film-bar" }, this.button, h("div", { class: "film-track" }, this.ribbon, this.range), this.count));
    this.dragging(seek);
    this.sizes = new ResizeObserver(() => this.paint());
    this.sizes.observe(this.strip);
  }

  dragging(seek) {
    let from = null;
    this.strip.addEventListener("pointerdown", (event) => {
      if (!this.frames.length || event.button) return;
      this.strip.setPointerCapture(event.pointerId);
      from = { x: event.clientX, at: this.at, moved: false };
    });
    this.strip.addEventListener("pointermove", (event) => {
      if (!from) return;
      const gone = event.clientX - from.x;
      if (Math.abs(gone) > 3) from.moved = true;
      if (from.moved) seek(Math.max(0, Math.min(this.frames.length - 1, from.at - Math.round(gone / (this.side + GAP)))));
    });
    this.strip.addEventListener("pointerup", (event) => {
      if (from && !from.moved) {
        const x = event.clientX - this.strip.getBoundingClientRect().left;
        seek(Math.max(0, Math.min(this.frames.length - 1, Math.floor((x - this.start()) / (this.side + GAP)))));
      }
      from = null;
    });
    this.strip.addEventListener("pointercancel", () => (from = null));
  }

  get side() {
    return this.strip.clientHeight || 56;
  }

  /** frames: canvases or bitmaps. labels, votes: by picture; of: voters; names: of the classes; stops: where pins are. */
  load(frames, { labels, votes, of, names, stops }) {
    Object.assign(this, { frames, labels, votes, of, names, stops, at: Math.min(this.at, frames.length - 1) });
    this.range.max = String(frames.length - 1);
    this.paint();
  }

  show(index) {
    this.at = index;
    if (this.range.value !== String(index)) this.range.value = String(index);
    const name = this.names?.[this.labels?.[index]] ?? "";
    this.range.setAttribute("aria-valuetext", `picture ${index + 1} of ${this.frames.length}, near “${name}”`);
    this.count.textContent = `${index + 1}/${this.frames.length}`;
    this.paintStrip();
  }

  playing(on) {
    this.button.textContent = on ? "❚❚" : "▶";
    this.button.setAttribute("aria-label", on ? "Pause" : "Play");
  }

  // Left edge of the first picture: all in the middle if they fit, else so that the current one is in the middle.
  start() {
    const width = this.strip.clientWidth;
    const whole = this.frames.length * (this.side + GAP) - GAP;
    if (whole <= width) return (width - whole) / 2;
    const wanted = width / 2 - this.at * (this.side + GAP) - this.side / 2;
    return Math.max(width - whole, Math.min(0, wanted));
  }

  paint() {
    if (!this.frames.length || !this.strip.clientWidth) return;
    this.paintStrip();
    this.paintRibbon();
  }

  paintStrip() {
    const { strip, frames, side } = this;
    const width = strip.clientWidth;
    if (!width || !frames.length) return;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    if (strip.width !== Math.round(width * ratio) || strip.height !== Math.round(side * ratio)) {
      strip.width = Math.round(width * ratio);
      strip.height = Math.round(side * ratio);
    }
    const g = strip.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, side);
    g.imageSmoothingEnabled = frames[0].width > side * ratio; // enlarged pixels stay squares
    const x0 = Math.round(this.start());
    const first = Math.max(0, Math.floor(-x0 / (side + GAP)));
    for (let i = first; i < frames.length && x0 + i * (side + GAP) < width; i++) {
      g.drawImage(frames[i], x0 + i * (side + GAP), 0, side, side);
    }
    const { accent, wall } = this.colours();
    const x = x0 + this.at * (side + GAP);
    for (const [inset, line, colour] of [[1.5, 3, accent], [3.5, 1, wall]]) {
      g.lineWidth = line;
      g.strokeStyle = colour;
      g.strokeRect(x + inset, inset, side - 2 * inset, side - 2 * inset);
    }
  }

  paintRibbon() {
    const { ribbon, labels, votes, of, names, stops } = this;
    const width = ribbon.clientWidth, height = ribbon.clientHeight;
    if (!width) return;
    const g = sharp(ribbon, width, height);
    const { classes, ink, text, wall } = this.colours();
    const n = labels.length;
    const x = (i) => THUMB / 2 + (Math.max(0, Math.min(n - 1, i)) / (n - 1)) * (width - THUMB);
    const band = 6;
    g.font = `600 12px ${text}`;
    g.textBaseline = "middle";
    g.textAlign = "center";
    for (let from = 0; from < n;) {
      let to = from;
      while (to + 1 < n && labels[to + 1] === labels[from]) to += 1;
      const left = x(from - 0.5), right = x(to + 0.5);
      for (let i = from; i <= to; i++) {
        g.globalAlpha = 0.35 + 0.65 * (votes[i] / of);
        g.fillStyle = classes[labels[from] % classes.length];
        g.fillRect(x(i - 0.5), height - band, x(i + 0.5) - x(i - 0.5) + 0.5, band);
      }
      g.globalAlpha = 1;
      const name = names[labels[from]] ?? "";
      g.fillStyle = ink;
      if (g.measureText(name).width < right - left - 4) g.fillText(name, (left + right) / 2, (height - band) / 2);
      from = to + 1;
    }
    for (const stop of stops) {
      g.fillStyle = ink;
      g.strokeStyle = wall;
      g.lineWidth = 1.5;
      g.beginPath();
      g.arc(x(stop), height - band / 2, 4.5, 0, 2 * Math.PI);
      g.fill();
      g.stroke();
    }
  }
}
