// What the hub sends of a game, as numbers. A stream is a row of records, `length (uint32) · kind (uint8) · body`;
// apps/gan_trainer/wire.py says what is in them.

const LOOK = 1;
const HEAD = 5; // bytes before a record's body
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

/** The records of a whole answer: [{kind, body}]. */
export function records(buffer) {
  const found = [];
  const bytes = new Uint8Array(buffer);
  for (let at = 0; at + HEAD <= bytes.length;) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const length = view.getUint32(0, true);
    found.push({ kind: view.getUint8(4), body: bytes.subarray(at + HEAD, at + HEAD + length) });
    at += HEAD + length;
  }
  return found;
}

export const told = (body) => JSON.parse(text.decode(body));

/** Read a game as it is played. on: run(about), look(look), status(body), end(), failed({error, lost, gone}). Resolves when
    the stream ends; aborting the signal ends the game, too. Looks that arrive together are all handed on. read: what makes a
    look of a record's body. */
export async function listen(url, body, signal, on, read = readLook) {
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal });
  if (!answer.ok || !answer.body) {
    const said = await answer.json().catch(() => ({}));
    return on.failed({ error: said.error || "The gallery did not answer. Try again in a moment.", refused: true, gone: said.gone });
  }
  const reader = answer.body.getReader();
  let held = new Uint8Array(0);
  let ended = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    held = held.length ? joined(held, value) : value;
    let at = 0;
    while (held.length - at >= HEAD) {
      const view = new DataView(held.buffer, held.byteOffset + at);
      const length = view.getUint32(0, true);
      if (held.length - at < HEAD + length) break;
      const content = held.subarray(at + HEAD, at + HEAD + length);
      at += HEAD + length;
      if (view.getUint8(4) === LOOK) { on.look(read(content)); continue; }
      const { event, ...rest } = told(content);
      ended ||= event === "end" || event === "failed";
      on[event]?.(rest);
    }
    held = held.slice(at);
  }
  if (!ended) on.failed({ error: "The connection to the game was lost.", lost: true });
}

function joined(a, b) {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
