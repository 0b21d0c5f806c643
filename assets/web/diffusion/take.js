// A run as the page holds it: every step that has arrived, as bytes to look at. The hub's stream is a row of records,
// `length (uint32) · kind (uint8) · body`; apps/diffusion_stepper/wire.py says what is in them.

const STEP = 1;
const HEAD = 5; // bytes before a record's body
const FIELDS = 16; // bytes of a step before its pictures: index, t, alpha_bar, seconds

export class Take {
  constructor() {
    this.about = null; // {token, steps, count, h, w, c, begin, labels, …} as the hub told it
    this.frames = []; // by step; those before `begin` are missing
    this.newest = -1;
    this.state = "waiting"; // waiting, running, done, failed
  }

  get token() { return this.about?.token ?? ""; }
  get steps() { return this.about?.steps ?? 0; }
  get first() { return this.about?.begin0 ?? 0; }
  get guided() { return Boolean(this.frames[this.first]?.with_label); }

  at(index) { return this.frames[Math.max(this.first, Math.min(index, this.newest))] ?? null; }

  told(about) {
    const begin0 = this.about?.begin0 ?? about.begin;
    this.about = { ...about, begin0 };
  }

  add(body) {
    const { count, h, w, c } = this.about;
    const view = new DataView(body.buffer, body.byteOffset, FIELDS);
    const frame = { index: view.getUint32(0, true), t: view.getFloat32(4, true), alpha_bar: view.getFloat32(8, true), seconds: view.getFloat32(12, true) };
    const size = count * h * w * c;
    const names = ["x_t", "eps", "x_0", "with_label", "without_label"];
    for (let i = 0; FIELDS + (i + 1) * size <= body.length; i++) frame[names[i]] = body.subarray(FIELDS + i * size, FIELDS + (i + 1) * size);
    if (!this.frames.length) this.about.begin0 = frame.index; // a picture brought back begins where its noise level is
    this.frames[frame.index] = frame;
    this.newest = Math.max(this.newest, frame.index);
    this.state = "running";
    return frame;
  }
}

/** Read a run into a take. on: run(about), step(frame), status(body), end(), failed({error, lost, refused, gone}). Resolves when the
    stream ends; aborting the signal ends the run, too. */
export async function listen(url, body, signal, take, on) {
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal });
  if (!answer.ok || !answer.body) {
    const told = await answer.json().catch(() => ({}));
    return on.failed?.({ error: told.error || "The gallery did not answer. Try again in a moment.", refused: true, gone: told.gone });
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
      if (view.getUint8(4) === STEP) on.step?.(take.add(content));
      else ended = tell(JSON.parse(new TextDecoder().decode(content)), take, on) || ended;
      at += HEAD + length;
    }
    held = held.slice(at);
  }
  if (!ended) on.failed?.({ error: "The connection to the run was lost.", lost: true });
}

// Returns whether this was the last word of the stream.
function tell({ event, ...body }, take, on) {
  if (event === "run") take.told(body);
  if (event === "end") take.state = "done";
  if (event === "failed") take.state = "failed";
  on[event]?.(body);
  return event === "end" || event === "failed";
}

function joined(a, b) {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
