// The upper canvas of the map: the visitor's place, the place under the pointer, and what tools lay over the map.

import { LEFT, BELOW } from "./room.js";

const TAU = Math.PI * 2;

export function paintTop(map, g) {
  g.save();
  g.beginPath();
  g.rect(LEFT, 0, map.size.w - LEFT, map.size.h - BELOW);
  g.clip();
  for (const layer of map.extra.values()) paintLayer(map, g, layer);
  if (map.here && !map.solo) paintCursor(map, g, map.here, 13, true);
  if (map.hover && !map.solo) paintCursor(map, g, map.hover, 6, false);
  g.restore();
}

// The visitor's place is a ring with cross hairs, wide enough to leave what lies under it to be seen.
function paintCursor(map, g, p, radius, own) {
  const [x, y] = map.toPixel(p);
  g.beginPath();
  g.arc(x, y, radius, 0, TAU);
  if (own) {
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      g.moveTo(x + dx * radius, y + dy * radius);
      g.lineTo(x + dx * (radius + 7), y + dy * (radius + 7));
    }
  }
  g.lineWidth = own ? 5 : 4;
  g.strokeStyle = map.theme.wall;
  g.stroke();
  g.lineWidth = own ? 2.25 : 1.5;
  g.strokeStyle = map.theme.ink;
  g.stroke();
}

// Tools give places on the map ([x, y], {x, y}) or whole codes ({z}, or a vector of d numbers).
export function place(map, thing) {
  const { space } = map;
  if (Array.isArray(thing) || ArrayBuffer.isView(thing)) return thing.length === 2 || !space ? thing : space.project(thing);
  return thing.z ? place(map, thing.z) : [thing.x, thing.y];
}

function paintLayer(map, g, layer) {
  if (!layer.solo && map.solo) return;
  if (layer.path?.length > 1) paintPath(map, g, layer.path);
  for (const ellipse of layer.ellipses || []) paintEllipse(map, g, ellipse);
  if (Array.isArray(layer.points)) for (const point of layer.points) paintMark(map, g, point);
  for (const mark of layer.markers || []) paintMark(map, g, mark);
  if (layer.marker) paintCursor(map, g, place(map, layer.marker), 7, false);
  for (const label of layer.labels || []) paintText(map, g, map.toPixel(place(map, label)), label.text);
}

function paintPath(map, g, path) {
  g.beginPath();
  path.forEach((each, i) => {
    const [x, y] = map.toPixel(place(map, each));
    if (i) g.lineTo(x, y);
    else g.moveTo(x, y);
  });
  g.lineJoin = "round";
  g.strokeStyle = map.theme.wall;
  g.lineWidth = 6;
  g.stroke();
  g.strokeStyle = map.theme.accent;
  g.lineWidth = 2.5;
  g.stroke();
}

// One and two standard deviations of a normal distribution: cov = (xx, xy, yy), or sigma by dimension.
function paintEllipse(map, g, ellipse) {
  const cov = ellipse.cov || map.space?.covariance(ellipse.sigma.map((s) => 2 * Math.log(Math.max(s, 1e-9))));
  if (!cov) return;
  const [xx, xy, yy] = cov;
  const mean = (xx + yy) / 2;
  const spread = Math.hypot((xx - yy) / 2, xy);
  const angle = Math.atan2(xy, (xx - yy) / 2) / 2;
  const [px, py] = map.toPixel(place(map, ellipse));
  for (const sigmas of [1, 2]) {
    g.beginPath();
    const a = sigmas * Math.sqrt(mean + spread) * map.scale;
    const b = sigmas * Math.sqrt(Math.max(mean - spread, 0)) * map.scale;
    g.ellipse(px, py, Math.max(a, 1.5), Math.max(b, 1.5), -angle, 0, TAU);
    g.setLineDash(ellipse.faint ? [2, 3] : sigmas === 1 ? [] : [5, 4]);
    g.lineWidth = 4;
    g.strokeStyle = map.theme.wall;
    g.stroke();
    g.lineWidth = 1.75;
    g.strokeStyle = map.theme.ink;
    g.stroke();
  }
  g.setLineDash([]);
}

// A short text stands on a pin above its place, a long one beside it; without a text it is a dot.
function paintMark(map, g, mark) {
  const [x, y] = map.toPixel(place(map, mark));
  const text = mark.text ?? mark.label;
  const short = text != null && String(text).length <= 2;
  g.beginPath();
  if (short) {
    g.moveTo(x, y);
    g.arc(x, y - 21, 11, Math.PI * 0.78, Math.PI * 0.22);
    g.closePath();
  } else g.arc(x, y, mark.r || 5, 0, TAU);
  g.fillStyle = mark.color || map.theme.accent;
  g.lineWidth = 3;
  g.strokeStyle = map.theme.wall;
  g.stroke();
  g.fill();
  if (text == null) return;
  if (!short) return paintText(map, g, [x, y - (mark.lift ?? 18)], text);
  g.fillStyle = map.theme.onAccent;
  g.font = `600 13px ${map.theme.text}`;
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.fillText(text, x, y - 20.5);
}

function paintText(map, g, [x, y], text) {
  g.font = `600 13px ${map.theme.text}`;
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.lineJoin = "round";
  g.lineWidth = 4;
  g.strokeStyle = map.theme.wall;
  g.strokeText(text, x, y);
  g.fillStyle = map.theme.ink;
  g.fillText(text, x, y);
}
