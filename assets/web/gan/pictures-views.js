// Where everything goes in the large picture, in each of its views. A scene is {key, label, w, tall, items, words, extra}.

import { tilesOf } from "./pictures-easel.js";
import { PROBABILITY, verdict } from "./rules.js";

const GAP = 3;
const HEAD = 20; // a line of words
const SHORT = { "Smileys & Emotion": "Smileys", "People & Body": "People", "Animals & Nature": "Animals", "Food & Drink": "Food", "Travel & Places": "Travel", "T-shirt/top": "T-shirt", "Ankle boot": "Boot" };

export const shortName = (name) => SHORT[name] ?? name;

/** The side of `count` squares that fill a box, and how many stand in a row. */
function packing(count, w, tall, gap) {
  let best = { size: 0, columns: 1 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const size = Math.floor(Math.min((w - gap * (columns - 1)) / columns, (tall - gap * (rows - 1)) / rows));
    if (size >= best.size && size > 0) best = { size, columns, rows };
  }
  return best;
}

/** The fixed noise, a column for each class. */
export function gridScene({ look, about, picked, w, tall, bare }) {
  const columns = about.classes.length;
  const rows = Math.ceil(look.count / columns);
  const fitting = (head) => Math.floor(Math.min((w - GAP * (columns - 1)) / columns, (tall - head - GAP * (rows - 1)) / rows));
  const font = Math.max(13, Math.round(fitting(HEAD) / 5));
  const head = Math.max(HEAD, font + 7);
  const size = fitting(head);
  const tiles = bare ? null : tilesOf(look); // bare: only how large it would be
  const items = Array.from({ length: look.count }, (_, i) => ({
    tiles, i, x: (i % columns) * (size + GAP), y: head + Math.floor(i / columns) * (size + GAP), size, picked: i === picked,
    index: i, label: about.labels[i], verdict: look.verdicts[i], kind: "made" }));
  const words = about.classes.map((name, c) => ({ text: shortName(name), x: c * (size + GAP), y: head / 2 - 1, width: size, align: "center", weight: 500, size: font }));
  return { key: "grid", label: `${look.count} generated pictures from fixed noise, a column for each class, at step ${look.step.toLocaleString("en")}`,
    w: columns * (size + GAP) - GAP, tall: head + rows * (size + GAP) - GAP, items, words };
}

/** Many pictures of one class; those that the classifier takes for another are underlined. */
export function classScene({ sheet, about, loss, picked, w, tall }) {
  const { size, columns, rows } = packing(sheet.count, w, tall - HEAD, GAP);
  const tiles = tilesOf(sheet);
  const items = Array.from({ length: sheet.count }, (_, i) => ({
    tiles, i, x: (i % columns) * (size + GAP), y: HEAD + Math.floor(i / columns) * (size + GAP), size, picked: i === picked, index: i, label: sheet.label,
    verdict: sheet.verdicts[i], taken: sheet.taken?.[i], kind: "made", mark: sheet.taken && sheet.taken[i] !== sheet.label ? "fake" : "" }));
  const name = shortName(about.classes[sheet.label]);
  const seen = sheet.recognised == null ? "" : ` · ${Math.round(100 * sheet.recognised)} % recognised by our classifier; the others are underlined`;
  const wide = columns * (size + GAP) - GAP;
  const words = [{ text: `${sheet.count} × “${name}” at step ${sheet.step.toLocaleString("en")}${seen}`, x: 0, y: HEAD / 2 - 1, width: wide, weight: 500 }];
  return { key: `class${sheet.label}`, label: words[0].text, w: wide, tall: HEAD + rows * (size + GAP) - GAP, items, words, loss };
}

/** What D thinks of each: real pictures and generated ones, the most convincing first, over how many have which verdict. */
export function verdictScene({ look, about, realLook, w, tall }) {
  const between = Math.round(w / 32);
  const half = Math.floor((w - between) / 2);
  const stripe = Math.max(54, Math.round(tall * 0.16));
  const room = tall - HEAD - stripe - 26;
  const { size, columns, rows } = packing(look.count, half, room, 2);
  const range = rangeOf(look);
  const [items, words] = [[], []];
  const side = (kind, tiles, verdicts, left, colour, title) => {
    const order = Array.from(verdicts.keys()).sort((a, b) => verdicts[b] - verdicts[a]);
    order.forEach((i, place) => items.push({ tiles, i, x: left + (place % columns) * (size + 2), y: HEAD + Math.floor(place / columns) * (size + 2), size,
      index: i, label: about.labels[i], verdict: verdicts[i], kind }));
    const mean = verdicts.reduce((sum, value) => sum + value, 0) / Math.max(1, verdicts.length);
    words.push({ text: `${title}, these ${verdicts.length}: D says ${verdict(mean, look.loss)} on average`, x: left, y: HEAD / 2 - 1, width: half, colour, weight: 600 });
  };
  side("real", tilesOf(realLook), look.real, 0, "real", "Real");
  side("made", tilesOf(look), look.verdicts, half + between, "fake", "Generated");
  const top = HEAD + rows * (size + 2) + 6;
  const block = columns * (size + 2) - 2;
  return { key: "verdicts", label: "Real and generated pictures, sorted by what the discriminator says of them, the most convincing first", w, tall, items, words, loss: look.loss,
    extra(g, ink) {
      const [real, made] = [binned(look.real, range), binned(look.verdicts, range)];
      const most = Math.max(8, ...real, ...made); // one scale for both, so that they can be compared
      histogram(g, ink, real, most, range, { x: 0, y: top, w: block, tall: tall - top }, ink.real, look.loss);
      histogram(g, ink, made, most, range, { x: half + between, y: top, w: block, tall: tall - top }, ink.fake, look.loss);
    } };
}

function rangeOf(look) {
  if (PROBABILITY.has(look.loss)) return [0, 1];
  const all = [...look.real, ...look.verdicts].filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return low < high ? [low, high] : [low - 0.5, low + 0.5];
}

const BINS = 20;

function binned(verdicts, [low, high]) {
  const counts = new Array(BINS).fill(0);
  for (const value of verdicts) if (Number.isFinite(value)) counts[Math.min(BINS - 1, Math.floor((BINS * (value - low)) / (high - low)))]++;
  return counts;
}

function histogram(g, ink, counts, most, [low, high], box, colour, loss) {
  const foot = box.y + box.tall - 18;
  const one = box.w / BINS;
  g.fillStyle = colour;
  counts.forEach((count, i) => {
    const tall = ((foot - box.y) * count) / most;
    g.fillRect(box.x + i * one + 1, foot - tall, one - 2, tall);
  });
  g.fillStyle = ink.line;
  g.fillRect(box.x, foot, box.w, 1);
  g.fillStyle = ink.ink2;
  g.font = `12px ${ink.mono}`;
  g.textBaseline = "middle";
  const text = (value) => (PROBABILITY.has(loss) ? `${Math.round(100 * value)} %` : value.toFixed(1).replace("-", "−"));
  g.textAlign = "left";
  g.fillText(text(low), box.x, foot + 10);
  g.textAlign = "right";
  g.fillText(text(high), box.x + box.w, foot + 10);
  g.textAlign = "center";
  g.font = `12px ${ink.text}`;
  g.fillText(PROBABILITY.has(loss) ? "D says: real" : "D’s score", box.x + box.w / 2, foot + 10);
}

/** A plane of the latent space as a sheet of pictures. */
export function walkScene({ sheet, about, at, w, tall }) {
  const { rows, columns, extent } = sheet;
  const size = Math.floor(Math.min((w - (columns - 1)) / columns, (tall - HEAD - (rows - 1)) / rows));
  const tiles = tilesOf(sheet);
  const items = Array.from({ length: sheet.count }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return { tiles, i, x: column * (size + 1), y: HEAD + row * (size + 1), size, index: i, label: sheet.label, kind: "walk", picked: i === at,
      place: [extent * ((2 * column) / (columns - 1) - 1), extent * (1 - (2 * row) / (rows - 1))] };
  });
  const wide = columns * (size + 1) - 1;
  const words = [{ text: `“${shortName(about.classes[sheet.label])}” over a plane of the latent space, ±${extent} lengths of z either way, at step ${sheet.step.toLocaleString("en")}`,
    x: 0, y: HEAD / 2 - 1, width: wide, weight: 500 }];
  return { key: "walk", label: words[0].text, w: wide, tall: HEAD + rows * (size + 1) - 1, items, words };
}

export const BETWEEN = 24; // two games
export const HEADS = 3 * HEAD;
const NARROW = 500;

/** Two games side by side, or one below the other where there is no width, each under what is said of it. half(which, w, tall): the scene of one, or null; heads: lines of each. */
export function pairScene({ half, heads, w, tall }) {
  const stacked = w < NARROW;
  const wide = stacked ? w : Math.floor((w - BETWEEN) / 2);
  const scenes = ["a", "b"].map((which) => half(which, wide, (stacked ? (tall - BETWEEN) / 2 : tall) - HEADS));
  const known = scenes.filter(Boolean);
  if (!known.length) return null;
  const left = [0, stacked ? 0 : wide + BETWEEN];
  const top = [0, stacked ? HEADS + known[0].tall + BETWEEN : 0]; // of each one's lines
  const items = scenes.flatMap((scene, k) => scene?.items.map((item) => ({ ...item, which: "ab"[k], x: item.x + left[k], y: item.y + top[k] + HEADS })) ?? []);
  const words = scenes.flatMap((scene, k) => [
    ...heads[k].map((text, line) => ({ text, x: left[k], y: top[k] + HEAD * line + HEAD / 2 - 1, width: wide, weight: line ? 400 : 600, colour: line ? "ink2" : "ink" })),
    ...(scene?.words.map((each) => ({ ...each, x: each.x + left[k], y: each.y + top[k] + HEADS })) ?? [])]);
  return { key: `two ${known[0].key}`, label: `Two games. A: ${scenes[0]?.label ?? "not begun"}. B: ${scenes[1]?.label ?? "not begun"}`, w, tall: HEADS + top[1] + Math.max(...known.map((scene) => scene.tall)), items, words,
    extra(g, ink) {
      scenes.forEach((scene, k) => {
        if (!scene?.extra) return;
        g.save();
        g.translate(left[k], top[k] + HEADS);
        scene.extra(g, ink);
        g.restore();
      });
    } };
}

const LABEL = 108;
const ROWS = 8;

/** The film so far as rows: the same noise at a few moments, the newest below. */
export function filmScene({ looks, about, w, tall, shown, picked }) {
  const count = Math.min(ROWS, looks.length);
  const chosen = Array.from({ length: count }, (_, i) => looks[Math.round((i * (looks.length - 1)) / Math.max(1, count - 1))]);
  const most = about.classes.length;
  const size = Math.floor(Math.min((tall - GAP * (count - 1)) / count, (w - LABEL - GAP * (most - 1)) / most, 76));
  const [items, words] = [[], []];
  chosen.forEach((look, row) => {
    const y = row * (size + GAP);
    for (let i = 0; i < Math.min(most, look.count); i++) {
      items.push({ tiles: tilesOf(look), i, x: LABEL + i * (size + GAP), y, size, index: i, label: about.labels[i], verdict: look.verdicts[i], kind: "made", step: look.step,
        picked: look === shown && i === picked % most });
    }
    words.push({ text: `step ${look.step.toLocaleString("en")}`, x: 0, y: y + size / 2 - (size > 34 ? 8 : 0), width: LABEL - 10, mono: true, weight: look === shown ? 700 : 500, colour: look === shown ? "accent" : "ink" });
    if (size > 34) words.push({ text: look.precomputed ? "precomputed" : "live", x: 0, y: y + size / 2 + 9, width: LABEL - 10, size: 12 });
  });
  return { key: "film", label: `The same noise at ${count} moments of the training, the newest below`, w: LABEL + most * (size + GAP) - GAP, tall: count * (size + GAP) - GAP, items, words };
}
