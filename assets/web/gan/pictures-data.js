// What the hub sends of a game of pictures; apps/gan_trainer/pictures_wire.py says what is in it.

const text = new TextDecoder();
const NUMBERS = ["step", "loss_d", "loss_g", "d_real", "d_fake", "norm_d", "norm_g"];

/** A record's body: its head, with images (count x side x side x channels bytes) and floats(n), read one after the other. */
export function opened(body) {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const length = view.getUint32(0, true);
  const head = JSON.parse(text.decode(body.subarray(4, 4 + length)));
  let at = 4 + length;
  const bytes = (count) => body.slice(at, (at += count));
  const images = bytes(head.count * head.side ** 2 * head.channels);
  return { head: { ...head, images }, floats: (count) => new Float32Array(bytes(4 * count).buffer) };
}

export function readLook(body) {
  const { head, floats } = opened(body);
  const [verdicts, real, rows] = [floats(head.count), floats(head.count), floats(head.rows * NUMBERS.length)];
  return { ...head, verdicts, real, points: pointsOf(rows, head.loss) };
}

/** Pictures of one class, with verdicts where they were judged. */
export function readSheet(body) {
  const { head, floats } = opened(body);
  return { ...head, verdicts: "rows" in head ? null : floats(head.count) };
}

function pointsOf(rows, loss) {
  return Array.from({ length: rows.length / NUMBERS.length }, (_, row) => {
    const point = { loss, changed: [] };
    NUMBERS.forEach((name, i) => {
      const value = rows[row * NUMBERS.length + i];
      point[name] = Number.isFinite(value) ? value : null;
    });
    return point;
  });
}
