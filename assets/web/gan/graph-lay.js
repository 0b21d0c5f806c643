// Where the graph's cards stand in a box of any size, and the ways between them. Type never gets smaller than can be
// read: where there is less room the pictures shrink, and names get shorter.

const SMALLEST = 12.5; // pixels of type
const SHARES = [0.87, 1.22, 1, 0.66]; // of the width, by column: the players have the longest names
const LOSS = 4.7; // times the type: the width that a number of four digits needs
const PLACES = {
  noise: [0, 0], generator: [0, 1], samples: [0, 2], loss_g: [0, 3],
  data: [1, 0], discriminator: [1, 1], verdicts: [1, 2], loss_d: [1, 3],
};

const within = (value, low, high) => Math.max(low, Math.min(high, value));

// The last column never gets too narrow for a loss; the others share what is left.
function columns(room, least) {
  const share = (part, whole) => part / whole.reduce((a, b) => a + b, 0);
  const last = Math.max(least, room * share(SHARES[3], SHARES));
  const others = SHARES.slice(0, 3);
  return [...others.map((part) => (room - last) * share(part, others)), last].map(Math.floor);
}

/** w, h: of the box -> {font, head: height of a card's name, cards: {part: {x, y, w, h}}, lanes: [y above, y below], between: y}. */
export function lay(w, h) {
  const font = within(Math.min(w / 34, h / 15), SMALLEST, 20);
  const [lane, head] = [Math.round(font * 1.5), Math.round(font * 1.5)];
  const gap = within(w * 0.042, 13, 56);
  const room = w - 3 * gap - 4;
  const widths = columns(room, LOSS * font);
  const least = within(h * 0.11, 22, 60); // between the rows
  const tall = Math.floor(Math.min((h - 2 * lane - least) / 2, head + widths[1]));
  const between = Math.min(h - 2 * lane - 2 * tall, 2.4 * least);
  const top = Math.round((h - 2 * tall - between) / 2);
  const rows = [top, Math.round(top + tall + between)];
  const starts = widths.map((_, i) => Math.round(2 + widths.slice(0, i).reduce((a, b) => a + b, 0) + i * gap));
  const cards = {};
  for (const [part, [row, column]] of Object.entries(PLACES)) cards[part] = { x: starts[column], y: rows[row], w: widths[column], h: tall };
  return { font, head, cards, lanes: [top - lane / 2 - 1, rows[1] + tall + lane / 2 + 1], between: top + tall + between / 2 };
}

/** The corners of every way, from the card where it begins to the one where it ends. */
export function waysOf({ cards, lanes, between }) {
  const right = (part) => [cards[part].x + cards[part].w, cards[part].y + cards[part].h / 2];
  const left = (part) => [cards[part].x, cards[part].y + cards[part].h / 2];
  const top = (part, share = 0.5) => [cards[part].x + cards[part].w * share, cards[part].y];
  const foot = (part, share = 0.5) => [cards[part].x + cards[part].w * share, cards[part].y + cards[part].h];
  const over = (from, y, to) => [from, [from[0], y], [to[0], y], to];
  return {
    z: [right("noise"), left("generator")],
    made: [right("generator"), left("samples")],
    fake: over(foot("samples", 0.3), between, top("discriminator")),
    real: [right("data"), left("discriminator")],
    judged: [right("discriminator"), left("verdicts")],
    to_d: [right("verdicts"), left("loss_d")],
    to_g: over(top("verdicts", 0.7), between, foot("loss_g")),
    back_d: over(foot("loss_d"), lanes[1], foot("discriminator")),
    back_g: over(top("loss_g"), lanes[0], top("generator")),
  };
}

const toward = ([x0, y0], [x1, y1], by) => {
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  return [x0 + ((x1 - x0) * by) / length, y0 + ((y1 - y0) * by) / length];
};

/** A line through the corners, rounded, that ends where its arrowhead begins: {line, head} as paths of an SVG. */
export function drawn(corners, width) {
  const last = corners.length - 1;
  const final = Math.hypot(corners[last][0] - corners[last - 1][0], corners[last][1] - corners[last - 1][1]);
  const size = Math.min(4.5 + 0.9 * width, final - 2);
  const tip = toward(corners[last], corners[last - 1], 1);
  const neck = toward(tip, corners[last - 1], size);
  let line = `M${corners[0]}`;
  for (let i = 1; i < last; i++) {
    const r = Math.min(7, Math.hypot(corners[i][0] - corners[i - 1][0], corners[i][1] - corners[i - 1][1]), i === last - 1 ? final - size : 99);
    line += `L${toward(corners[i], corners[i - 1], r)}Q${corners[i]} ${toward(corners[i], corners[i + 1], r)}`;
  }
  line += `L${neck}`;
  const half = 2.6 + 0.75 * width;
  const [dx, dy] = [((tip[0] - neck[0]) / size) * half, ((tip[1] - neck[1]) / size) * half];
  return { line, head: `M${tip}L${[neck[0] - dy, neck[1] + dx]}L${[neck[0] + dy, neck[1] - dx]}Z` };
}
