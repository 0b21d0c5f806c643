// One run of the model: what it writes is put to the branch as it comes. It ends with its reader, so that aborting the
// signal ends it in the engine too.

import { stepOf } from "./branches.js";

const LOST = "The connection was lost while the text was written. Press play to go on from here.";

async function* lines(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      if (rest) yield JSON.parse(rest);
      return;
    }
    const whole = (rest + value).split("\n");
    rest = whole.pop();
    for (const line of whole) if (line) yield JSON.parse(line);
  }
}

/** Writes until the branch has `length` tokens, or ends before. grown(): more is there; waiting(sentence): nothing is yet.
    Throws an Error whose message can be shown, and AbortError. */
export async function write(data, about, branch, length, signal, { grown, waiting }) {
  const { steps } = branch;
  if (branch.ended || steps.length >= length) return;
  const { model, prompt: text, settings, seed } = about;
  const answer = await data.post("write", { model, text, settings, seed, count: length - steps.length, then: steps.map(({ id }) => id) }, signal);
  let ended = "";
  try {
    for await (const line of lines(answer)) {
      if (line.error) throw new Error(steps.length ? `${line.error} Press play to go on from here.` : line.error);
      if (line.status) waiting(line.status);
      if (!line.steps) continue;
      steps.push(...line.steps.map(stepOf));
      ended = line.ended || ended;
      if (ended === "end" || ended === "context") branch.ended = ended;
      grown();
    }
  } catch (fault) {
    if (signal.aborted) throw new DOMException("", "AbortError");
    throw fault instanceof TypeError ? new Error(LOST) : fault;
  }
  if (!ended) throw new Error(LOST);
}
