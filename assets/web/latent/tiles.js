// Pictures of the data on the map, in place of dots: as many as find room beside each other, and more of them as one
// goes closer. Which ones depends on the zoom alone, so that moving the map only moves them.

const SIDE = 32; // css pixels of a picture on the whole map
const MOST = 60; // and of one seen from close by
const STEP = 1.15; // the choice is made anew when the zoom has changed by this
const EDGE = 2; // css pixels of the frame in the colour of the class
const PRIME = 7919; // walks through all numbers below it in a mixed order

export class Tiles {
  constructor(image, { side, columns }) {
    Object.assign(this, { image, side, columns, key: "", chosen: [], size: SIDE });
  }

  // The numbers of the pictures that are shown at this zoom; the first to come keeps its place.
  choose(map) {
    const { space } = map;
    const zoom = Math.max(0.5, map.home().width / map.frameView().width);
    const level = Math.floor(Math.log(zoom) / Math.log(STEP));
    const key = `${level} ${map.only.join()} ${map.kept.join()} ${map.size.w}x${map.size.h}`;
    if (key === this.key) return this.chosen;
    this.key = key;
    const steady = STEP ** level;
    this.size = Math.round(Math.min(MOST, SIDE * Math.max(1, steady) ** 0.4));
    const apart = (this.size + EDGE) / (((map.size.w - map.left) / map.home().width) * steady); // in latent units
    this.chosen = spreadOut(order(space, map.kept), space.xy, apart, (i) => map.visible(space.labels[i]));
    return this.chosen;
  }

  paint(map, g) {
    const { space, theme } = map;
    const chosen = this.choose(map);
    const { size } = this;
    const [ox, oy] = map.toPixel([0, 0]);
    const s = map.scale;
    g.imageSmoothingEnabled = true;
    for (const i of chosen) {
      const x = ox + space.xy[2 * i] * s - size / 2;
      const y = oy - space.xy[2 * i + 1] * s - size / 2;
      if (x < -size || y < -size || x > map.size.w || y > map.size.h) continue;
      g.fillStyle = theme.classes[space.labels[i] % theme.classes.length];
      g.beginPath();
      g.roundRect(x, y, size, size, size / 5);
      g.fill();
      g.fillStyle = "#fff"; // the paper of the pictures themselves, in either theme
      g.beginPath();
      g.roundRect(x + EDGE, y + EDGE, size - 2 * EDGE, size - 2 * EDGE, size / 5 - EDGE / 2);
      g.fill();
      const inset = EDGE + 1;
      g.drawImage(this.image, (i % this.columns) * this.side, Math.floor(i / this.columns) * this.side, this.side, this.side,
        x + inset, y + inset, size - 2 * inset, size - 2 * inset);
    }
  }

  // The picture under a pixel, or null.
  at(map, [px, py]) {
    const half = this.size / 2;
    const { space } = map;
    for (const i of this.choose(map)) {
      const [x, y] = map.toPixel([space.xy[2 * i], space.xy[2 * i + 1]]);
      if (Math.abs(px - x) <= half && Math.abs(py - y) <= half) return i;
    }
    return null;
  }
}

// Pictures that are pinned come first, then the one at which a visitor starts, then the others well mixed, so that all
// kinds find room.
function order(space, kept) {
  const mixed = Array.from({ length: PRIME }, (_, k) => (k * 3571) % PRIME).filter((i) => i < space.n);
  return [...new Set([...kept, ...(space.first == null ? [] : [space.first]), ...mixed])];
}

// Of the numbers in their order, those whose places keep at least `apart` along one axis from all before them.
function spreadOut(numbers, xy, apart, wanted) {
  const cells = new Map();
  const chosen = [];
  for (const i of numbers) {
    if (!wanted(i)) continue;
    const [x, y] = [xy[2 * i], xy[2 * i + 1]];
    const [c, r] = [Math.floor(x / apart), Math.floor(y / apart)];
    let free = true;
    for (let dr = -1; dr <= 1 && free; dr++) {
      for (let dc = -1; dc <= 1 && free; dc++) {
        const other = cells.get(`${c + dc} ${r + dr}`);
        free = other === undefined || Math.abs(xy[2 * other] - x) >= apart || Math.abs(xy[2 * other + 1] - y) >= apart;
      }
    }
    if (!free) continue;
    cells.set(`${c} ${r}`, i); // two that keep apart never share a cell
    chosen.push(i);
  }
  return chosen;
}
