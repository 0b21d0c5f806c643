// A shape of one's own, drawn over the plane with pointer, finger or keyboard.

import { h } from "./dom.js";
import { Pad } from "./pad.js";
import { UNITS } from "./strokes.js";

const REACH = 2.4; // of the plane that the sketch covers, unless the tool says otherwise; the hub centres and scales what was drawn
const SPACING = 3; // units of the pad between two places that are sent
const MOST = 1900; // places that the hub takes

export class Sketch extends Pad {
  constructor(changed) {
    const canvas = h("canvas", { class: "g-sketch", tabindex: "0", role: "application", "aria-roledescription": "drawing pad",
      "aria-label": "Draw a shape here. Arrow keys move the pen, with Shift in small steps; Space puts it down and lifts it; Ctrl+Z takes back." });
    super(canvas, changed);
  }

  // The pad's own painting is chalk on black; here the strokes lie on the plane.
  paint() {
    const { canvas } = this;
    const side = Math.round((canvas.clientWidth || 160) * Math.min(2, window.devicePixelRatio || 1));
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const g = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const scale = side / UNITS;
    g.clearRect(0, 0, side, side);
    g.lineCap = g.lineJoin = "round";
    g.strokeStyle = style.color;
    g.lineWidth = 7 * scale;
    for (const { points } of this.all()) {
      g.beginPath();
      points.forEach(([x, y], i) => (i ? g.lineTo(x * scale, y * scale) : g.moveTo(x * scale, y * scale)));
      if (points.length === 1) g.lineTo(points[0][0] * scale + 0.1, points[0][1] * scale);
      g.stroke();
    }
    if (document.activeElement === canvas && this.cross) this.pen(g, scale, style.color);
  }

  pen(g, scale, colour) {
    const [x, y] = this.cross.map((value) => value * scale);
    g.beginPath();
    g.arc(x, y, (this.down ? 5 : 9) * scale, 0, 2 * Math.PI);
    g.lineWidth = 2 * scale;
    g.strokeStyle = colour;
    g.stroke();
  }
}

/** Places along the strokes, evenly, in the plane: what the hub is sent. */
export function placesOf(strokes, reach = REACH) {
  let length = 0;
  for (const { points } of strokes) for (let i = 1; i < points.length; i++) length += Math.hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1]);
  const gap = Math.max(SPACING, length / MOST);
  const places = [];
  for (const { points } of strokes) {
    let left = 0;
    for (let i = 1; i < points.length; i++) {
      const [[ax, ay], [bx, by]] = [points[i - 1], points[i]];
      const part = Math.hypot(bx - ax, by - ay);
      for (; left < part; left += gap) places.push([ax + ((bx - ax) * left) / part, ay + ((by - ay) * left) / part]);
      left -= part;
    }
    if (points.length === 1) places.push(points[0]);
  }
  const plane = (u) => (2 * u / UNITS - 1) * reach;
  return places.slice(0, 2000).map(([x, y]) => [Number(plane(x).toFixed(3)), Number((-plane(y)).toFixed(3))]);
}
