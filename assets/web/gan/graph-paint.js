// The small pictures in the graph: each is painted from the numbers of a look or of a round, at the size that its card has.

const REACH = 1.5; // of the plane, as on the board
const WIDE = 2.5; // of the noise: a normal draw is further out once in eighty
const DOTS = 160; // points in a picture as small as these: more are a blot
const BINS = 16;
const MARGIN = 2; // pixels about a picture

/** Lays a square of the plane in its middle: places of the plane become pixels. */
function plane({ w, h }, reach = REACH) {
  const side = Math.min(w, h) - 2 * MARGIN;
  const unit = side / (2 * reach);
  return { x: (value) => w / 2 + value * unit, y: (value) => h / 2 - value * unit, side, left: (w - side) / 2, top: (h - side) / 2 };
}

function dots(at, points, r, most = DOTS) {
  const path = new Path2D();
  for (let i = 0; i < Math.min(points.length, 2 * most); i += 2) {
    const [x, y] = [at.x(points[i]), at.y(points[i + 1])];
    path.moveTo(x + r, y);
    path.arc(x, y, r, 0, 2 * Math.PI);
  }
  return path;
}

const radius = ({ w, h }) => Math.max(1.5, Math.min(2.6, Math.min(w, h) / 42));

export function paintNoise(g, box, ink, z) {
  g.fillStyle = ink.ink2;
  g.fill(dots(plane(box, WIDE), z, 0.9 * radius(box)));
}

export function paintSamples(g, box, ink, points) {
  g.fillStyle = ink.fake;
  g.fill(dots(plane(box), points, radius(box)));
}

export function paintData(g, box, ink, points) {
  g.strokeStyle = ink.real;
  g.lineWidth = 1.1;
  g.stroke(dots(plane(box), points, 1.25 * radius(box), DOTS / 2)); // hollow ones need more room
}

/** G as what it does to a square grid of its noise; with noise of one dimension, to a line. */
export function paintMesh(g, box, ink, mesh, [rows, columns]) {
  const at = plane(box);
  const path = new Path2D();
  const go = (i, first) => path[first ? "moveTo" : "lineTo"](at.x(mesh[2 * i]), at.y(mesh[2 * i + 1]));
  const every = at.side < 90 ? 2 : 1; // of 21 lines, the ones that can be told apart
  for (let row = 0; row < rows && columns > 1; row += every) for (let column = 0; column < columns; column++) go(row * columns + column, !column);
  for (let column = 0; column < columns; column += every) for (let row = 0; row < rows; row++) go(row * columns + column, !row);
  g.strokeStyle = ink.fake;
  g.lineWidth = columns > 1 ? 0.9 : 2;
  g.lineJoin = "bevel";
  g.stroke(path);
}

/** D as a ground of two colours; sheet: a canvas of side x side pixels that may be painted over. */
export function paintSurface(g, box, { ramp, line, ink2 }, values, side, sheet) {
  const at = plane(box);
  if (sheet.width !== side) sheet.width = sheet.height = side;
  const s = sheet.getContext("2d");
  const image = s.createImageData(side, side);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = new Uint32Array(ramp.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[values[i]];
  s.putImageData(image, 0, 0);
  g.imageSmoothingEnabled = true;
  g.drawImage(sheet, at.left, at.top, at.side, at.side);
  g.strokeStyle = line;
  g.lineWidth = 1;
  g.strokeRect(at.left + 0.5, at.top + 0.5, at.side - 1, at.side - 1);
  g.strokeStyle = ink2;
  g.stroke(undecided(values, side, at));
}

// Where D cannot tell. Between the middles of four cells the line goes straight from side to side.
function undecided(values, side, { left, top, side: wide }) {
  const path = new Path2D();
  const cell = wide / side;
  const level = 127.5;
  for (let row = 0; row + 1 < side; row++) {
    for (let column = 0; column + 1 < side; column++) {
      const at = row * side + column;
      const [a, b, c, d] = [values[at] - level, values[at + 1] - level, values[at + side + 1] - level, values[at + side] - level]; // clockwise
      if (a > 0 === b > 0 && b > 0 === c > 0 && c > 0 === d > 0) continue;
      let pen = false;
      const cross = (from, to, x, y, dx, dy) => {
        if (from > 0 === to > 0) return;
        const share = 0.5 + from / (from - to);
        path[pen ? "lineTo" : "moveTo"](left + (column + x + (dx && dx * share)) * cell, top + (row + y + (dy && dy * share)) * cell);
        pen = !pen;
      };
      cross(a, b, 0, 0.5, 1, 0);
      cross(b, c, 1.5, 0, 0, 1);
      cross(d, c, 0, 1.5, 1, 0);
      cross(a, d, 0.5, 0, 0, 1);
    }
  }
  return path;
}

/** Verdicts of points that lie in a surface's cells, as shares in BINS from low to high. */
export function judgedBySurface(cells, surface) {
  const bins = new Float32Array(BINS);
  for (const cell of cells) bins[(surface[cell] * BINS) >> 8] += 1 / cells.length;
  return bins;
}

export function judged(verdicts, low, high) {
  const bins = new Float32Array(BINS);
  for (const verdict of verdicts) bins[Math.max(0, Math.min(BINS - 1, Math.floor(((verdict - low) / (high - low)) * BINS)))] += 1 / verdicts.length;
  return bins;
}

/** In which cell of the surface each point lies; what is outside belongs to the cell at the edge. */
export function cellsOf(points, side, most) {
  const cells = new Uint16Array(Math.min(points.length / 2, most));
  const cell = (value) => Math.max(0, Math.min(side - 1, Math.floor(((value + REACH) / (2 * REACH)) * side)));
  for (let i = 0; i < cells.length; i++) cells[i] = cell(-points[2 * i + 1]) * side + cell(points[2 * i]);
  return cells;
}

/** Two histograms back to back on D's own scale of colours: real points above it, generated ones below.
    faint: the real ones are not asked in this phase. ends: what stands at both ends of the scale. */
export function paintVerdicts(g, { w, h, font }, ink, { real, fake, faint, ends }) {
  const roomy = h > 5.5 * font; // the names have lines of their own; else they stand beside the histograms
  g.font = `italic ${font}px ${ink.maths}`;
  const beside = roomy ? 0 : Math.min(g.measureText("D(G(z))").width + 3, 0.62 * w);
  const [left, right] = [5 + beside, w - 5];
  const strip = Math.max(4, Math.round(h / 16));
  const middle = Math.round(h / 2 - strip / 2);
  const most = Math.max(0.25, ...real, ...fake);
  const tall = middle - (roomy ? font * 1.2 : 2) - 1;
  const step = (right - left) / BINS;
  g.globalAlpha = faint ? 0.25 : 1;
  outline(g, real, (i) => left + i * step, (share) => middle - 1 - (share / most) * tall, ink.real);
  g.globalAlpha = 1;
  g.fillStyle = ink.fake;
  fake.forEach((share, i) => {
    if (share) g.fillRect(left + i * step + 0.5, middle + strip + 1, Math.max(step - 1, 0.75 * step), Math.max(1.5, (share / most) * tall));
  });
  const scale = g.createLinearGradient(left, 0, right, 0);
  scale.addColorStop(0, ink.fake);
  scale.addColorStop(0.5, ink.wall);
  scale.addColorStop(1, ink.real);
  g.fillStyle = scale;
  g.fillRect(left, middle, right - left, strip);
  g.strokeStyle = ink.ink2;
  g.lineWidth = 0.75;
  g.strokeRect(left, middle, right - left, strip);

  const above = roomy ? 0.95 * font : middle / 2 + 0.4 * font;
  const below = roomy ? h - 0.35 * font : h - middle / 2 + 0.3 * font;
  const say = (text, x, y, align, colour) => Object.assign(g, { textAlign: align, fillStyle: colour }).fillText(text, x, y);
  if (!faint) say("D(x)", 5, above, "left", ink.real);
  say("D(G(z))", roomy ? w - 5 : 5, below, roomy ? "right" : "left", ink.fake);
  if (!roomy) return;
  g.font = `${font}px ${ink.mono}`;
  say(ends[1], w - 5, above, "right", ink.ink2);
  say(ends[0], 5, below, "left", ink.ink2);
}

function outline(g, shares, x, y, colour) {
  const path = new Path2D();
  path.moveTo(x(0), y(0));
  shares.forEach((share, i) => {
    const top = share ? Math.min(y(share), y(0) - 1.5) : y(0);
    path.lineTo(x(i), top);
    path.lineTo(x(i + 1), top);
  });
  path.lineTo(x(shares.length), y(0));
  g.strokeStyle = colour;
  g.lineWidth = 1.5;
  g.lineJoin = "miter";
  g.stroke(path);
}

/** The last values of a loss; they fill the box, but what hardly changes stays flat. */
export function paintSpark(g, { w, h }, colour, values) {
  const kept = values.filter(Number.isFinite);
  if (!kept.length) return;
  const [low, high] = [Math.min(...kept), Math.max(...kept)];
  const span = Math.max(high - low, 0.04 * Math.abs(high + low), 1e-3);
  const pad = 4;
  const x = (i) => pad + (values.length > 1 ? i / (values.length - 1) : 1) * (w - 2 * pad);
  const y = (value) => h / 2 - ((value - (low + high) / 2) / span) * (h - 2 * pad);
  const path = new Path2D();
  let pen = false;
  values.forEach((value, i) => {
    if (Number.isFinite(value)) path[pen ? "lineTo" : "moveTo"](x(i), y(value));
    pen = Number.isFinite(value);
  });
  g.strokeStyle = g.fillStyle = colour;
  g.lineWidth = 1.5;
  g.lineJoin = "round";
  g.stroke(path);
  if (!pen) return;
  g.beginPath();
  g.arc(x(values.length - 1), y(values.at(-1)), 2.4, 0, 2 * Math.PI);
  g.fill();
}
