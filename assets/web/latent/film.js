/* A film of pictures that are already here: a strip of the whole journey with the current picture large, a scrubber that
   shows which class each step is near to, and a player that keeps time by the clock and not by the frame. */
import { h } from "../common/dom.js";
import { sharp } from "../common/sheet.js";

const GAP = 6; // between the pictures of the strip, CSS pixels: as much as the current one is larger on each side
const SMALL = 0.7; // side of a picture by the height of the strip
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
    this.element = h("div", { class: "film" }, this.button, this.strip, this.count, h("div", { class: "film-track" }, this.ribbon, this.range));
    this.dragging(seek);
    this.sizes = new ResizeObserver(() => this.paint());
    this.sizes.observe(this.strip);
  }

  // The strip is a picture of the way: where one points, there one is.
  dragging(seek) {
    let held = false;
    const to = (event) => {
      const x = event.clientX - this.strip.getBoundingClientRect().left;
      const share = (x - this.side / 2) / (this.strip.clientWidth - this.side);
      seek(Math.max(0, Math.min(this.frames.length - 1, Math.round(share * (this.frames.length - 1)))));
    };
    this.strip.addEventListener("pointerdown", (event) => {
      if (!this.frames.length || event.button) return;
      this.strip.setPointerCapture(event.pointerId);
      held = true;
      to(event);
    });
    this.strip.addEventListener("pointermove", (event) => held && to(event));
    for (const end of ["pointerup", "pointercancel"]) this.strip.addEventListener(end, () => (held = false));
  }

  get side() {
    return this.strip.clientHeight || 52;
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

  // The pictures of the strip: all of them, or as many as stand beside each other, evenly chosen from first to last.
  // The current one stands for the nearest of them.
  shown(small) {
    const last = this.frames.length - 1;
    const room = Math.floor((this.strip.clientWidth - GAP) / (small + GAP));
    const count = Math.max(2, Math.min(last + 1, room));
    const now = Math.round((this.at / Math.max(1, last)) * (count - 1));
    return Array.from({ length: count }, (_, k) => ({ share: k / (count - 1), current: k === now, index: k === now ? this.at : Math.round((k / (count - 1)) * last) }));
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
    const small = Math.round(side * SMALL);
    const large = small + 2 * GAP;
    const { accent } = this.colours();
    for (const { share, current, index } of this.shown(small)) {
      const size = current ? large : small;
      const x = Math.round(large / 2 + share * (width - large) - size / 2);
      g.drawImage(frames[index], x, (side - size) / 2, size, size);
      if (!current) continue;
      g.lineWidth = 3;
      g.strokeStyle = accent;
      g.strokeRect(x + 1.5, (side - size) / 2 + 1.5, size - 3, size - 3);
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
    g.font = `600 13px ${text}`;
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
