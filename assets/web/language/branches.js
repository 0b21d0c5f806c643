// The texts that were written from one prompt with the same settings and seed. A token that is chosen by hand makes a
// branch of the text that it was chosen in; all other tokens come from the seed, so that the chosen ones name a branch:
//
//   "12:345~20:7"     at place 12 (from 0, after the prompt) token 345, at place 20 token 7
//
// A branch: {key, forced: [[place, id], ...], parent, steps, ended}. steps: what is written of it so far, from the prompt
// on; a branch has those before its own place in common with its parent, the very same objects.
// A step: {id, p, q, u, low, entropy, kept, others: [[id, p, q], ...], drawn}; drawn: the token that u fell on where another
// was chosen by hand, else undefined. p, q and low are null where nobody has measured them.

export const keyOf = (forced) => forced.map(([place, id]) => `${place}:${id}`).join("~");

/** As the address has it. A token chosen before one that was chosen earlier takes that one's text away. */
export function forcedOf(key) {
  let forced = [];
  for (const pair of key ? key.split("~") : []) {
    const [place, id] = pair.split(":").map(Number);
    if (Number.isInteger(place) && Number.isInteger(id)) forced = [...forced.filter(([before]) => before < place), [place, id]];
  }
  return forced;
}

/** A step of the stream as an object. */
export const stepOf = ([id, p, q, u, low, entropy, kept, others]) => ({ id, p, q, u, low, entropy, kept, others });

/** The same place with another token. found: {p, q, low} where it is not among those that the step tells of. */
function byHand(step, id, found) {
  let low = 0;
  for (const [other, p, q] of step.others) {
    if (other === id) return { ...step, id, p, q, low, drawn: step.drawn ?? step.id };
    low += q;
  }
  return { ...step, id, p: null, q: null, low: null, ...found, drawn: step.drawn ?? step.id };
}

export const tells = (step, id) => step.others.some(([other]) => other === id);

export class Branches {
  /** about: what the texts were written with, as the writer has it. */
  constructor(about) {
    this.about = about;
    this.all = new Map();
    this.root = this.#add([], null, []);
  }

  #add(forced, parent, steps) {
    const branch = { key: keyOf(forced), forced, parent, steps, ended: "" };
    this.all.set(branch.key, branch);
    return branch;
  }

  /** The text that has token `id` at `place` and is `branch` before it: one that is here, or a new one.
      end: the token that ends a text. */
  choose(branch, place, id, { end = -1, found = null } = {}) {
    const forced = branch.forced.filter(([before]) => before < place);
    const base = this.all.get(keyOf(forced));
    if (base.steps[place]?.id === id) return base;
    const known = this.all.get(keyOf([...forced, [place, id]]));
    if (known) return known;
    const made = this.#add([...forced, [place, id]], base, [...branch.steps.slice(0, place), byHand(branch.steps[place], id, found)]);
    if (id === end) made.ended = "end";
    return made;
  }

  children(branch) {
    const found = [...this.all.values()].filter((each) => each.parent === branch);
    return found.sort((a, b) => b.forced.at(-1)[0] - a.forced.at(-1)[0]); // drawn so, no line crosses another
  }

  /** All branches, each followed by its own: [{branch, level}], the first level is 1. */
  rows(branch = this.root, level = 1) {
    return [{ branch, level }, ...this.children(branch).flatMap((each) => this.rows(each, level + 1))];
  }
}
