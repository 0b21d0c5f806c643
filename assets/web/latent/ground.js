// The lower canvas of the map: decoded manifold, density, codes, scales.

const TAU = Math.PI * 2;
const LEAST_TILE = 30; // css pixels: smaller decodings are no longer pictures
const FINE = 110; // cells along the longer side of the density map
const BLUR = 1.6; // its smoothing, in cells

// One small disc per class, painted ten thousand times.
export function pointSprites(theme, ratio) {
  return theme.classes.map((colour) => disc(colour, ratio)).concat(disc(theme.ink2, ratio));
}

function disc(colour, ratio) {
  const radius = 2.4 * ratio;
  const side = Math.ceil(2 * radius + 2);
  const canvas = new OffscreenCanvas(side, side);
  const g = canvas.getContext("2d");
  g.fillStyle = colour;
  g.beginPath();
  g.arc(side / 2, side / 2, radius, 0, TAU);
  g.fill();
  canvas.half = side / 2 / ratio;
  canvas.css = side / ratio;
  return canvas;
}

export function paintGround(map, g, room) {
  const { w, h } = map.size;
  const { theme } = map;
  const solo = map.solo;
  const plot = [room.LEFT, 0, w - room.LEFT, h - room.BELOW];
  g.fillStyle = theme.wall;
  g.fillRect(0, 0, w, h);
  g.save();
  g.beginPath();
  g.rect(...plot);
  g.clip();
  paintGrid(map, g, room);
  if (solo) {
    if (solo.points?.xy) paintPoints(map, g, solo.points.xy, solo.points.labels, map.only);
  } else if (map.space) {
    if (map.shown.density) paintDensity(map, g);
    if (map.shown.manifold && map.atlas) paintManifold(map, g);
    if (map.shown.density && map.space.config.kind === "vae") paintPrior(map, g);
    if (map.shown.points) paintPoints(map, g, map.space.xy, map.space.labels, map.only);
    if (map.shown.points && map.tiles) map.tiles.paint(map, g);
    else if (map.shown.points) paintNames(map, g);
    if (map.shown.density && map.space.config.kind === "vae") paintSigmas(map, g);
  }
  g.restore();
  paintScales(map, g, room);
}

// --- scales ---------------------------------------------------------------------------------------------------

function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((each) => each * power >= rough) * power;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const out = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-6; v += step) {
    const value = Math.abs(v) < step / 2 ? 0 : v;
    out.push([value, value.toFixed(digits).replace("-", "−")]);
  }
  return out;
}

function paintGrid(map, g, room) {
  const [x0, x1, y0, y1] = map.bounds();
  g.strokeStyle = map.theme.line;
  for (const [low, high, sideways] of [[x0, x1, false], [y0, y1, true]]) {
    for (const [value] of ticks(low, high, sideways ? 5 : 7)) {
      const [px, py] = map.toPixel(sideways ? [x0, value] : [value, y0]);
      g.lineWidth = value === 0 ? 1.5 : 0.75;
      g.beginPath();
      if (sideways) {
        g.moveTo(room.LEFT, py);
        g.lineTo(map.size.w, py);
      } else {
        g.moveTo(px, 0);
        g.lineTo(px, map.size.h - room.BELOW);
      }
      g.stroke();
    }
  }
}

// What the two axes are: the latent dimensions themselves, or the two directions in which the codes vary most.
export function axisNames(space) {
  if (!space || space.flat) return ["z₁", "z₂"];
  return planeNames(space.plane.explained);
}

export const planeNames = (explained) => explained.slice(0, 2).map((part, k) => `PC ${k + 1} (${Math.round(part * 100)} % of variance)`);

function paintScales(map, g, room) {
  const { w, h } = map.size;
  const { theme } = map;
  const [x0, x1, y0, y1] = map.bounds();
  const [nameX, nameY] = map.solo?.axes || axisNames(map.space);
  g.strokeStyle = theme.ink2;
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(room.LEFT, 0);
  g.lineTo(room.LEFT, h - room.BELOW);
  g.lineTo(w, h - room.BELOW);
  g.stroke();
  g.fillStyle = theme.ink2;
  g.font = `13px ${theme.mono}`;
  g.textAlign = "center";
  g.textBaseline = "top";
  const nameLength = g.measureText(nameY).width * 1.1; // in the mono of the figures, a little wider than in its own type
  const taken = w - 14 - g.measureText(nameX).width * 1.25; // the axis' name stands at its end
  for (const [value, text] of ticks(x0, x1, 7)) {
    const px = map.toPixel([value, y0])[0];
    if (px > room.LEFT + 8 && px < taken - 12) g.fillText(text, px, h - room.BELOW + 7);
  }
  g.textAlign = "right";
  g.textBaseline = "middle";
  const room2 = 18; // the upper axis' name
  for (const [value, text] of ticks(y0, y1, 5)) {
    const py = map.toPixel([x0, value])[1];
    if (nameY.length > 3 && py < nameLength + 16 && g.measureText(text).width > room.LEFT - 28) continue; // it would cross the axis' name
    if (py > room2 + 10 && py < h - room.BELOW - 6) g.fillText(text, room.LEFT - 6, py, room.LEFT - 8);
  }
  g.fillStyle = theme.ink;
  g.font = `600 13px ${theme.text}`;
  g.textBaseline = "top";
  g.textAlign = "right";
  g.fillText(nameX, w - 8, h - room.BELOW + 6);
  if (nameY.length <= 3) {
    g.fillText(nameY, room.LEFT - 8, 7);
    return;
  }
  g.save();
  g.translate(6, 8);
  g.rotate(-Math.PI / 2);
  g.fillText(nameY, 0, 0);
  g.restore();
}

// --- codes ----------------------------------------------------------------------------------------------------

function paintPoints(map, g, xy, labels, only) {
  const { sprites } = map;
  const grey = sprites[sprites.length - 1];
  const [ox, oy] = map.toPixel([0, 0]);
  const s = map.scale;
  const { w, h } = map.size;
  const zoom = Math.min(1.8, Math.max(1, Math.sqrt(map.home().width / map.frameView().width)));
  const side = grey.css * zoom;
  const half = side / 2;
  const paint = (chosen) => {
    for (let i = 0; i < labels.length; i++) {
      const mine = !only.length || only.includes(labels[i]);
      if (mine !== chosen) continue;
      const px = ox + xy[2 * i] * s;
      const py = oy - xy[2 * i + 1] * s;
      if (px < 0 || py < -4 || px > w + 4 || py > h) continue;
      g.drawImage(chosen ? sprites[labels[i] % (sprites.length - 1)] : grey, px - half, py - half, side, side);
    }
  };
  if (only.length) {
    g.globalAlpha = 0.1;
    paint(false);
  }
  g.globalAlpha = map.shown.manifold && !map.solo ? 0.62 : 0.8;
  paint(true);
  g.globalAlpha = 1;
}

// The classes' names where their codes are thickest (the medians), so that colour is not all there is.
function paintNames(map, g) {
  const { space, theme } = map;
  space.medians ??= medians(space);
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.lineJoin = "round";
  const big = space.names.every((name) => name.length <= 2);
  g.font = `700 ${big ? 20 : 13}px ${theme.text}`;
  const taken = [...map.extra.values()].filter((layer) => layer.still).flatMap(({ markers }) => markers.map((mark) => {
    const [x, y] = map.toPixel([mark.x, mark.y]);
    return [x - 12, y - 34, x + 12, y];
  }));
  space.medians.forEach((place, label) => {
    if (!place || !map.visible(label)) return;
    const name = space.names[label];
    const [x, y] = free(taken, map.toPixel(place), g.measureText(name).width + 6, big ? 22 : 16);
    g.lineWidth = 5;
    g.strokeStyle = theme.wall;
    g.strokeText(name, x, y);
    g.fillStyle = theme.ink;
    g.fillText(name, x, y);
  });
}

// The place nearest to the wanted one, above or below it, where a name of this size covers no other.
function free(taken, [x, y], width, height) {
  for (const rows of [0, 1, -1, 2, -2, 3, -3, 4, -4]) {
    const box = [x - width / 2, y + rows * height - height / 2, x + width / 2, y + rows * height + height / 2];
    if (taken.some((each) => box[0] < each[2] && each[0] < box[2] && box[1] < each[3] && each[1] < box[3])) continue;
    taken.push(box);
    return [x, y + rows * height];
  }
  return [x, y];
}

function medians(space) {
  return space.names.map((_, label) => {
    const xs = [];
    const ys = [];
    for (let i = 0; i < space.n; i++) {
      if (space.labels[i] !== label) continue;
      xs.push(space.xy[2 * i]);
      ys.push(space.xy[2 * i + 1]);
    }
    if (!xs.length) return null;
    const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
    return [middle(xs), middle(ys)];
  });
}

// --- manifold -------------------------------------------------------------------------------------------------

// Decodings at the crossings of a grid. Far out only every second or third is drawn, larger, so that each
// stays a picture; going in brings the others.
function paintManifold(map, g) {
  const { atlas } = map;
  const { rows, columns, extent } = atlas;
  // Alone on the map, coloured pictures keep the white paper that they are decoded on.
  const ink = atlas.c === 3 && !map.shown.points ? atlas.image : (map.lod ??= inked(atlas, map.theme));
  const cell = ((extent[1] - extent[0]) / (columns - 1)) * map.scale;
  const step = Math.max(1, Math.ceil(LEAST_TILE / cell));
  const side = cell * step;
  const tall = ((extent[3] - extent[2]) / (rows - 1)) * map.scale * step;
  g.globalAlpha = !map.shown.points ? 0.92 : map.tiles ? 0.2 : 0.34;
  g.imageSmoothingEnabled = side < 3 * atlas.w;
  for (let r = step >> 1; r < rows; r += step) {
    for (let c = step >> 1; c < columns; c += step) {
      const x = extent[0] + ((extent[1] - extent[0]) * c) / (columns - 1);
      const y = extent[3] - ((extent[3] - extent[2]) * r) / (rows - 1);
      const [px, py] = map.toPixel([x, y]);
      if (px < -side || py < -tall || px > map.size.w + side || py > map.size.h + tall) continue;
      g.drawImage(ink, c * atlas.w, r * atlas.h, atlas.w, atlas.h, px - side / 2, py - tall / 2, side, tall);
    }
  }
  g.globalAlpha = 1;
  g.imageSmoothingEnabled = true;
}

// Pictures as ink on the wall, whichever the theme: brightness of grey ones becomes opacity; of coloured ones, which are
// painted on white, the white is taken out, so that over white they are what they were.
function inked(atlas, theme) {
  const canvas = new OffscreenCanvas(atlas.columns * atlas.w, atlas.rows * atlas.h);
  const g = canvas.getContext("2d");
  const out = g.createImageData(canvas.width, canvas.height);
  const { values, c } = atlas;
  const ink = rgb(theme.ink);
  for (let i = 0, j = 0; i < values.length; i += c, j += 4) {
    const opaque = c === 1 ? values[i] : 255 - Math.min(values[i], values[i + 1], values[i + 2]);
    for (let k = 0; k < 3; k++) out.data[j + k] = c === 1 ? ink[k] : opaque && ((values[i + k] - 255 + opaque) * 255) / opaque;
    out.data[j + 3] = opaque;
  }
  g.putImageData(out, 0, 0);
  return canvas;
}

export function rgb(colour) {
  const canvas = new OffscreenCanvas(1, 1);
  const g = canvas.getContext("2d");
  g.fillStyle = colour;
  g.fillRect(0, 0, 1, 1);
  return [...g.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

// --- density --------------------------------------------------------------------------------------------------

// How thickly the codes lie (a smoothed histogram of the codes shown), as depth of the accent colour.
function paintDensity(map, g) {
  map.density ??= density(map);
  const { canvas, extent } = map.density;
  const [px, py] = map.toPixel([extent[0], extent[3]]);
  const [qx, qy] = map.toPixel([extent[1], extent[2]]);
  g.drawImage(canvas, px, py, qx - px, qy - py);
}

function density(map) {
  const { space, theme } = map;
  const [x0, x1, y0, y1] = space.extent;
  const air = 0.25 * Math.max(x1 - x0, y1 - y0);
  const extent = [x0 - air, x1 + air, y0 - air, y1 + air];
  const cell = Math.max(extent[1] - extent[0], extent[3] - extent[2]) / FINE;
  const w = Math.ceil((extent[1] - extent[0]) / cell);
  const h = Math.ceil((extent[3] - extent[2]) / cell);
  let counts = new Float32Array(w * h);
  for (let i = 0; i < space.n; i++) {
    if (!map.visible(space.labels[i])) continue;
    const c = Math.floor((space.xy[2 * i] - extent[0]) / cell);
    const r = Math.floor((extent[3] - space.xy[2 * i + 1]) / cell);
    if (c >= 0 && r >= 0 && c < w && r < h) counts[r * w + c]++;
  }
  counts = blurred(blurred(counts, w, h, 1, w), w, h, w, 1);
  const most = counts.reduce((a, b) => Math.max(a, b), 0) || 1;
  const canvas = new OffscreenCanvas(w, h);
  const g = canvas.getContext("2d");
  const image = g.createImageData(w, h);
  const [r, gr, b] = rgb(theme.accent);
  counts.forEach((value, i) => image.data.set([r, gr, b, 170 * Math.sqrt(value / most)], 4 * i));
  g.putImageData(image, 0, 0);
  return { canvas, extent };
}

// A normal kernel along one direction of a w x h grid.
function blurred(values, w, h, stride, across) {
  const reach = Math.ceil(3 * BLUR);
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-((k - reach) ** 2) / (2 * BLUR * BLUR)));
  const length = stride === 1 ? w : h;
  const lines = stride === 1 ? h : w;
  const out = new Float32Array(values.length);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let k = Math.max(-reach, -i); k <= Math.min(reach, length - 1 - i); k++) {
        sum += values[line * across + (i + k) * stride] * kernel[k + reach];
      }
      out[line * across + i * stride] = sum;
    }
  }
  return out;
}

// One, two and three standard deviations of the prior N(0, I): where a sample of the VAE would fall.
function paintPrior(map, g) {
  if (!map.space.flat) return;
  g.strokeStyle = map.theme.ink;
  g.lineWidth = 1;
  g.setLineDash([3, 4]);
  const [cx, cy] = map.toPixel([0, 0]);
  for (const sigma of [1, 2, 3]) {
    g.beginPath();
    g.arc(cx, cy, sigma * map.scale, 0, TAU);
    g.stroke();
  }
  g.setLineDash([]);
}

// What the circles are, above the codes and away from the buttons.
function paintSigmas(map, g) {
  if (!map.space.flat) return;
  const [cx, cy] = map.toPixel([0, 0]);
  g.font = `600 13px ${map.theme.text}`;
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.lineJoin = "round";
  g.lineWidth = 4;
  g.strokeStyle = map.theme.wall;
  g.fillStyle = map.theme.ink;
  for (const sigma of [1, 2, 3]) {
    const text = sigma === 3 ? "3σ of the prior" : `${sigma}σ`;
    const away = sigma * map.scale * Math.SQRT1_2;
    g.strokeText(text, cx - away, cy + away);
    g.fillText(text, cx - away, cy + away);
  }
}
