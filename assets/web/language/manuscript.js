// What is written: the texts that began with one prompt, and the run that brings the current one to its length. It tells
// its writer what happens; when and how much of it is shown is the writer's affair.

import { Branches, tells } from "./branches.js";
import { write } from "./run.js";
import { createWarper } from "./warp.js";

export class Manuscript {
  /** wanted(): tokens that a text is to have. heard: {grown(), followed(), failed(sentence), told(sentence, kind)};
      grown: there is something new to show. followed: the tokens that an address names have been chosen. failed: the run
      has ended, what is written stays. */
  constructor({ data, wanted, heard }) {
    Object.assign(this, { data, wanted, heard, texts: null, current: null, vocabulary: null, run: null, following: false });
  }

  /** A new text; what was written before is forgotten. about: model, prompt, seed, settings. */
  open(about) {
    this.stop();
    this.texts = new Branches(about);
    this.current = this.texts.root;
    this.following = false;
  }

  /** Writes from the prompt on, along the tokens that were chosen by hand: [[place, id], ...]. */
  async write(forced) {
    this.following = forced.length > 0;
    const mine = (this.run = new AbortController());
    await this.#guarded(mine, async () => {
      this.vocabulary = await this.data.vocabulary(this.texts.about.model);
      mine.signal.throwIfAborted();
      await this.#follow(forced, mine);
      await this.#fill(mine);
    });
  }

  // Each text as far as it is left, then the token that was chosen there.
  async #follow(forced, mine) {
    let trouble = "";
    for (const [place, id] of forced) {
      await this.#fill(mine, place + 1);
      if (this.current.steps.length <= place) trouble = `The text ends before token ${place + 1}, where another was chosen.`;
      else if (id >= this.vocabulary.size) trouble = `This model has no token ${id}: the text goes on as it is drawn.`;
      if (trouble) break;
      const known = await this.#found(place, id);
      mine.signal.throwIfAborted();
      this.current = this.texts.choose(this.current, place, id, known);
    }
    this.following = false;
    if (forced.length) this.heard.followed();
    if (trouble) this.heard.told(trouble, "error");
  }

  // The current text to its length, or to `length` tokens.
  #fill(mine, length = this.length()) {
    let first = true;
    return write(this.data, this.texts.about, this.current, length, mine.signal, {
      grown: () => {
        if (first && !this.following) this.heard.told("");
        first = false;
        this.heard.grown();
      },
      waiting: (sentence) => this.heard.told(sentence, "busy"),
    });
  }

  // What fails keeps what is written.
  async #guarded(mine, work) {
    try {
      await work();
      if (this.run === mine) this.run = null;
    } catch (fault) {
      if (fault.name === "AbortError" || this.run !== mine) return;
      Object.assign(this, { run: null, following: false });
      this.heard.failed(fault.message);
    }
    this.heard.grown();
  }

  /** More is asked for if the text is not whole and nobody is writing it. */
  need() {
    if (this.run || this.whole()) return;
    const mine = (this.run = new AbortController());
    this.#guarded(mine, () => this.#fill(mine));
  }

  stop() {
    this.run?.abort();
    this.run = null;
  }

  /** The text that has token `id` at `place` and is the current one before it. */
  async choose(place, id) {
    this.stop();
    const from = this.current;
    return this.texts.choose(from, place, id, await this.#found(place, id));
  }

  turnTo(branch) {
    this.stop();
    this.current = branch;
  }

  // p and q of a token that the step does not tell of: worked out from the logits, as the distribution is.
  async #found(place, id) {
    const end = this.vocabulary.end;
    const { about } = this.texts;
    if (tells(this.current.steps[place], id)) return { end };
    try {
      const reading = await this.data.read(about.model, about.prompt, this.current.steps.slice(0, place).map((step) => step.id));
      const warper = createWarper(reading.logits, reading.ids);
      const { order, q } = warper.warp(about.settings);
      const at = order.indexOf(id);
      return { end, found: { p: warper.before.p[id], q: q[at], low: q.subarray(0, at).reduce((sum, each) => sum + each, 0) } };
    } catch {
      return { end }; // shown without its numbers
    }
  }

  // --- how far it is -----------------------------------------------------------------------------------------------

  /** Tokens that the current text is to have: a token that was chosen by hand is one of them. */
  length() { return Math.max(this.wanted(), (this.current?.forced.at(-1)?.[0] ?? -1) + 1); }

  whole() { return Boolean(this.current) && (Boolean(this.current.ended) || this.current.steps.length >= this.length()); }

  /** Tokens of it that are there. */
  have() { return Math.min(this.current?.steps.length ?? 0, this.length()); }

  /** Whether nothing has been written yet, nor is. */
  blank() { return !this.texts || (!this.run && !this.texts.root.steps.length); }

  /** The mean surprise of a text is what its perplexity is made of. */
  summary() {
    const drawn = this.current.steps.slice(0, this.have()).filter(({ p }) => p > 0);
    const mean = drawn.reduce((sum, { p }) => sum - Math.log(p), 0) / drawn.length;
    const perplexity = Math.exp(mean);
    return `${this.have()} tokens written; their perplexity under the model is ${perplexity.toLocaleString("en", { maximumFractionDigits: perplexity < 100 ? 1 : 0 })}.`;
  }
}
