/* The drawing pad: a canvas for pointer, finger, pen and keyboard. It knows strokes, and nothing of models. */
import { PAPER, SIZES, UNITS, ink, shade, simplified } from "./strokes.js";

const STEP = 8; // units that an arrow key moves the pen; a quarter of it with Shift

export class Pad {
  /** changed(strokes, resting): called while drawing and when a stroke is done. */
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.strokes = [];
    this.undone = [];
    this.current = null; // the stroke under the pen
    this.pen = { fill: false, size: 2, colour: 0 };
    this.coloured = false;
    this.cross = null; // the keyboard's pen, [x, y] in units
    this.down = false;
    this.listen();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) canvas.addEventListener(end, (event) => this.end(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("focus", () => this.paint());
    canvas.addEventListener("blur", () => { canvas.classList.remove("by-pointer"); this.lift(); this.cross = null; this.paint(); });
    new ResizeObserver(() => this.paint()).observe(canvas);
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * UNITS, ((event.clientY - box.top) / box.height) * UNITS];
  }

  begin(event) {
    if (this.current || (event.pointerType === "mouse" && event.button)) return;
    event.preventDefault();
    this.canvas.classList.add("by-pointer"); // the ring around the pad is for those who came by keyboard
    this.canvas.focus({ preventScroll: true });
    this.cross = null;
    try { this.canvas.setPointerCapture(event.pointerId); } catch { /* a pointer that is already gone draws a dot */ }
    this.current = { ...this.pen, points: [this.place(event)], pointer: event.pointerId };
    this.tell(false);
  }

  move(event) {
    if (this.current?.pointer !== event.pointerId) return;
    // The browser hands over the pointer's whole way since the last frame, so that fast strokes stay round.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.current.points.push(this.place(each));
    this.tell(false);
  }

  end(event) {
    if (this.current?.pointer === event.pointerId) this.finish();
  }

  finish() {
    const { points, fill, size, colour } = this.current;
    this.current = null;
    this.strokes = [...this.strokes, { fill, size, colour, points: simplified(points) }];
    this.undone = [];
    this.tell(true);
  }

  key(event) {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.shiftKey ? this.redo() : this.undo();
    } else if (event.key === " " || event.key === "Enter") {
      this.down ? this.lift() : this.lower();
    } else if (event.key === "Escape" && this.down) {
      this.lift();
    } else if (ways[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const step = event.shiftKey ? STEP / 4 : STEP;
      const [x, y] = this.cross ?? [UNITS / 2, UNITS / 2];
      this.cross = [x + ways[event.key][0] * step, y + ways[event.key][1] * step].map((n) => Math.max(0, Math.min(UNITS - 1, n)));
      if (this.down) { this.current.points.push(this.cross); this.tell(false); } else this.paint();
    } else return;
    this.canvas.classList.remove("by-pointer");
    event.preventDefault();
    event.stopPropagation();
  }

  lower() {
    this.cross ??= [UNITS / 2, UNITS / 2];
    this.down = true;
    this.current = { ...this.pen, points: [this.cross], pointer: "keyboard" };
    this.tell(false);
  }

  lift() {
    if (!this.down) return;
    this.down = false;
    this.finish();
  }

  undo() {
    if (!this.strokes.length) return;
    this.undone.push(this.strokes.at(-1));
    this.strokes = this.strokes.slice(0, -1);
    this.tell(true);
  }

  redo() {
    if (!this.undone.length) return;
    this.strokes = [...this.strokes, this.undone.pop()];
    this.tell(true);
  }

  clear() {
    this.undone = [...this.strokes].reverse(); // undo after clear: redo brings the strokes back one by one
    this.set([]);
    this.tell(true);
  }

  /** Show these strokes without telling anybody. */
  set(strokes) {
    this.strokes = strokes;
    this.current = null;
    this.down = false;
    this.paint();
  }

  all() {
    return this.current ? [...this.strokes, this.current] : this.strokes;
  }

  tell(resting) {
    this.paint();
    this.changed(this.all(), resting);
  }

  paint() {
    const { canvas } = this;
    const side = Math.round((canvas.clientWidth || 160) * Math.min(3, window.devicePixelRatio || 1));
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    const scale = side / UNITS;
    context.fillStyle = shade(PAPER, this.coloured);
    context.fillRect(0, 0, side, side);
    context.shadowBlur = this.coloured ? 0 : 2.5 * scale; // chalk has no hard edge
    context.shadowColor = shade(0, this.coloured);
    ink(context, this.all(), this.coloured, (x, y) => [x * scale, y * scale], (width) => width * scale);
    context.shadowBlur = 0;
    if (document.activeElement === canvas && this.cross) this.paintCross(context, scale);
  }

  paintCross(context, scale) {
    const [x, y] = this.cross.map((n) => n * scale);
    const r = (SIZES[this.pen.size] / 2 + 3) * scale;
    for (const [width, colour] of [[4, this.coloured ? "#fff" : "#000"], [2, this.down ? "#e8a33d" : "#8f86e0"]]) {
      context.lineWidth = width * scale;
      context.strokeStyle = colour;
      context.beginPath();
      context.arc(x, y, r, 0, 2 * Math.PI);
      context.moveTo(x - r - 6 * scale, y); context.lineTo(x + r + 6 * scale, y);
      context.moveTo(x, y - r - 6 * scale); context.lineTo(x, y + r + 6 * scale);
      context.stroke();
    }
  }
}
