// A run as the hub sends it: a row of records, `length (uint32) · kind (uint8) · body`, as gallery/streams.py writes them.

const FRAME = 1; // any other kind is something told, as JSON
const HEAD = 5; // bytes before a record's body
const text = new TextDecoder();

export const told = (body) => JSON.parse(text.decode(body));

/** The records of a whole answer: [{kind, body}]. */
export function records(buffer) {
  const found = [];
  let rest = new Uint8Array(buffer);
  for (let one = first(rest); one; one = first(rest)) {
    found.push(one);
    rest = rest.subarray(HEAD + one.body.length);
  }
  return found;
}

// {kind, body} of the first record, null where it is not whole yet.
function first(bytes) {
  if (bytes.length < HEAD) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = view.getUint32(0, true);
  return bytes.length < HEAD + length ? null : { kind: view.getUint8(4), body: bytes.subarray(HEAD, HEAD + length) };
}

/** Read a run as it goes on. frame(body): each of its frames. tell(event, body): all that is told, the last of it "end" or
    "failed" with {error, lost, refused, gone}; cut: nobody said so, the stream broke off. Resolves when the stream ends; aborting the signal ends the run, too. */
export async function listen(url, body, signal, { frame, tell }) {
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal });
  if (!answer.ok || !answer.body) {
    const said = await answer.json().catch(() => ({}));
    return tell("failed", { error: said.error || "The gallery did not answer. Try again in a moment.", refused: true, gone: said.gone });
  }
  const reader = answer.body.getReader();
  let held = new Uint8Array(0);
  let ended = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    held = held.length ? joined(held, value) : value;
    for (let one = first(held); one; one = first(held)) {
      held = held.subarray(HEAD + one.body.length);
      if (one.kind === FRAME) { frame(one.body); continue; }
      const { event, ...rest } = told(one.body);
      ended ||= event === "end" || event === "failed";
      tell(event, rest);
    }
    held = held.slice();
  }
  if (!ended) tell("failed", { error: "The connection to the run was lost.", lost: true, cut: true });
}

function joined(a, b) {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
