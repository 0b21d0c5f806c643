// The holes of a map: the emptiest places well inside the cloud of codes, and how much of its middle is empty.

const CELLS = 96;
const INSIDE = 1.5; // standard deviations from the middle of the codes: two thirds of them lie nearer
const APART = 7; // cells between two places that are named
const DIAGONAL = Math.SQRT2;
const MIDDLE = 2; // standard deviations from the middle of the codes: what is called the middle of the map
const PLACES = 1000; // looked at there
export const EMPTY = 0.05; // standard deviations from the nearest code: a place farther off is called empty
const TURN = Math.PI * (3 - Math.sqrt(5)); // the golden angle

// Distance, in cells, of each cell to the nearest cell that holds a code: two sweeps (Borgefors, 1986).
function distances(full) {
  const far = new Float32Array(CELLS * CELLS).fill(1e6);
  full.forEach((holds, i) => holds && (far[i] = 0));
  const relax = (i, r, c, steps) => {
    for (const [dr, dc] of steps) {
      const rr = r + dr;
      const cc = c + dc;
      if (rr < 0 || cc < 0 || rr >= CELLS || cc >= CELLS) continue;
      far[i] = Math.min(far[i], far[rr * CELLS + cc] + (dr && dc ? DIAGONAL : 1));
    }
  };
  const before = [[-1, -1], [-1, 0], [-1, 1], [0, -1]];
  const after = [[1, 1], [1, 0], [1, -1], [0, 1]];
  for (let i = 0; i < far.length; i++) relax(i, Math.floor(i / CELLS), i % CELLS, before);
  for (let i = far.length - 1; i >= 0; i--) relax(i, Math.floor(i / CELLS), i % CELLS, after);
  return far;
}

// [{x, y, distance}] on the map, the emptiest first; distance to the nearest code in latent units.
export function emptiest(space, count) {
  const [x0, x1, y0, y1] = space.extent;
  const full = new Uint8Array(CELLS * CELLS);
  for (let i = 0; i < space.n; i++) {
    const c = Math.floor(((space.xy[2 * i] - x0) / (x1 - x0)) * CELLS);
    const r = Math.floor(((space.xy[2 * i + 1] - y0) / (y1 - y0)) * CELLS);
    if (c >= 0 && r >= 0 && c < CELLS && r < CELLS) full[r * CELLS + c] = 1;
  }
  const far = distances(full);
  const shape = spread(space);
  const order = Array.from(far.keys()).filter((i) => far[i] > 0).sort((a, b) => far[b] - far[a]);
  const found = [];
  for (const i of order) {
    const r = Math.floor(i / CELLS);
    const c = i % CELLS;
    const x = x0 + ((c + 0.5) / CELLS) * (x1 - x0);
    const y = y0 + ((r + 0.5) / CELLS) * (y1 - y0);
    if (Math.hypot((x - shape.mx) / shape.sx, (y - shape.my) / shape.sy) > INSIDE) continue;
    if (found.some((each) => Math.hypot(each.r - r, each.c - c) < APART)) continue;
    found.push({ r, c, x, y, distance: gap(space.xy, x, y) });
    if (found.length === count) break;
  }
  return found;
}

// Places spread evenly over the middle of the map, as the seeds of a sunflower: [[x, y]].
export function middle(shape) {
  return Array.from({ length: PLACES }, (_, i) => {
    const r = MIDDLE * Math.sqrt((i + 0.5) / PLACES);
    return [shape.mx + shape.sx * r * Math.cos(i * TURN), shape.my + shape.sy * r * Math.sin(i * TURN)];
  });
}

// The share of these places that are empty.
export function emptiness(space, shape, places) {
  const reach = [EMPTY * shape.sx, EMPTY * shape.sy];
  const key = (x, y) => Math.floor(x / reach[0]) * 65536 + Math.floor(y / reach[1]);
  const cells = new Map(); // codes by squares as wide as the distance that counts
  for (let i = 0; i < space.n; i++) {
    const at = key(space.xy[2 * i], space.xy[2 * i + 1]);
    if (!cells.has(at)) cells.set(at, []);
    cells.get(at).push(i);
  }
  const near = (x, y) => {
    for (let dx = -1; dx <= 1; dx++) for (let dy = -1; dy <= 1; dy++) {
      for (const i of cells.get(key(x + dx * reach[0], y + dy * reach[1])) ?? []) {
        if (Math.hypot((space.xy[2 * i] - x) / shape.sx, (space.xy[2 * i + 1] - y) / shape.sy) <= EMPTY) return true;
      }
    }
    return false;
  };
  return places.filter(([x, y]) => !near(x, y)).length / places.length;
}

// The share of these places whose picture is read as a place more than EMPTY away: mu is what the encoder said of each.
export function misread(shape, places, mu) {
  return places.filter(([x, y], i) => Math.hypot((mu[i][0] - x) / shape.sx, (mu[i][1] - y) / shape.sy) > EMPTY).length / places.length;
}

function gap(xy, x, y) {
  let least = Infinity;
  for (let i = 0; i < xy.length; i += 2) least = Math.min(least, (xy[i] - x) ** 2 + (xy[i + 1] - y) ** 2);
  return Math.sqrt(least);
}

// Middle and spread of the codes along both axes, so that "the same place" means something on two maps.
export function spread(space) {
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < space.n; i++) {
    const [x, y] = [space.xy[2 * i], space.xy[2 * i + 1]];
    sums[0] += x;
    sums[1] += y;
    sums[2] += x * x;
    sums[3] += y * y;
  }
  const [mx, my] = [sums[0] / space.n, sums[1] / space.n];
  return { mx, my, sx: Math.sqrt(sums[2] / space.n - mx * mx), sy: Math.sqrt(sums[3] / space.n - my * my) };
}
