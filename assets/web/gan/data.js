// What the hub sends of a game, as numbers; apps/gan_trainer/wire.py says what is in the records.

const UNIT = 1 / 4096; // of a place
const text = new TextDecoder();

function opened(body) {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const length = view.getUint32(0, true);
  const head = JSON.parse(text.decode(body.subarray(4, 4 + length)));
  let at = 4 + length;
  const pairs = (count, unit = UNIT) => {
    const out = new Float32Array(2 * count);
    for (let i = 0; i < out.length; i++, at += 2) out[i] = view.getInt16(at, true) * unit;
    return out;
  };
  const bytes = (count) => body.slice(at, (at += count));
  return { head, pairs, bytes };
}

export function readLook(body) {
  const { head, pairs, bytes } = opened(body);
  const [rows, columns] = head.mesh;
  return { ...head, meshShape: head.mesh, samples: pairs(head.samples), arrows: pairs(head.arrows, head.unit), mesh: pairs(rows * columns), surface: bytes(head.side ** 2) };
}

export function readReal(body) {
  const { head, pairs } = opened(body);
  return { ...head, points: pairs(head.points), centres: pairs(head.centres) };
}

export function readRound(body) {
  const { head, pairs, bytes } = opened(body);
  const [z, real, fake, moved] = [0, 1, 2, 3].map(() => pairs(head.batch));
  return { ...head, z, real, fake, moved, pull: pairs(head.batch, head.unit), before: bytes(head.side ** 2), learned: bytes(head.side ** 2) };
}
