/* A training run as the page hears it: one POST whose answer is a stream of server-sent events. */

/** Calls on[event](data) for each event; resolves when the stream ends. Aborting the signal ends the run, too. */
export async function listen(url, body, signal, on) {
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal });
  if (!answer.ok || !answer.body) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(told.error || `The gallery answered ${answer.status}. Start the training again.`);
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const event = /^event: (.*)$/m.exec(block);
      const data = /^data: (.*)$/m.exec(block);
      if (event && data) on[event[1]]?.(JSON.parse(data[1]));
    }
  }
}

const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** base64 of int16 pairs and their unit -> Float32Array of places (2N). */
export function places(base64, unit) {
  const whole = new Int16Array(bytes(base64).buffer);
  return Float32Array.from(whole, (number) => number * unit);
}

export const classes = bytes;
