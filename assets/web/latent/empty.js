// The emptiest places of a map: well inside the cloud of codes, and as far from every code as one can get there.

const CELLS = 96;
const INSIDE = 1.5; // standard deviations from the middle of the codes: two thirds of them lie nearer
const APART = 7; // cells between two places that are named
const DIAGONAL = Math.SQRT2;

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
