// How a game stands, in a few numbers, each with what it means.

import { h, put } from "../common/dom.js";
import { tip } from "../common/tip.js";
import { PROBABILITY, verdict } from "./rules.js";

const MEANT = {
  modes: "The heaps of the data that G has found: a heap counts once it holds a tenth of its fair share of the generated points.",
  good: "Generated points that lie on the data: within three standard deviations of a heap's middle, or as near to a real point as real points are.",
  jsd: "Jensen–Shannon divergence between the data and what G makes, on a grid of 20 by 20 cells: 0 bit where they are the same, 1 bit where they share no cell.",
  w1: "Wasserstein-1, estimated: how far, on average, a generated point would have to be carried to lie where the data lie. The plane is 3 wide.",
  d_real: "What D says of real points, on average. With a loss that has probabilities: how likely it takes them for real.",
  d_fake: "What D says of generated points, on average. At rest both are at one half: D can only guess.",
  gap: "A critic's scores have no zero: only their difference counts, and says how far apart it can hold the two.",
  rate: "Steps of training a second, both networks learning in each.",
};

/** {name: text} of a look, in two rows; what it has no number for is missing. */
export function rowsOf(look, modes) {
  return [
    { ...(modes ? { modes: `${look.found}/${modes} modes` } : {}), good: `${Math.round(100 * look.good)} % good`,
      ...(look.jsd == null ? {} : { jsd: `JSD ${look.jsd.toFixed(2)}` }), ...(look.carried == null ? {} : { w1: `W₁ ${look.carried.toFixed(2)}` }) },
    PROBABILITY.has(look.loss) ? { d_real: `D(real) ${verdict(look.d_real, look.loss)}`, d_fake: `D(gen.) ${verdict(look.d_fake, look.loss)}` }
      : { gap: `D(real) − D(gen.) ${verdict(look.d_real - look.d_fake, look.loss)}` },
  ];
}

export class Numbers {
  constructor() {
    this.parts = Object.fromEntries(Object.entries(MEANT).map(([name, words]) => [name, h("span", { class: "g-tipped", tabindex: "0", ...tip(words) })]));
    const row = (...names) => h("span", {}, ...names.map((name) => this.parts[name]));
    this.element = h("p", { class: "gx-numbers" }, row("modes", "good", "jsd", "w1"), row("d_real", "d_fake", "gap", "rate"));
  }

  none() { for (const part of Object.values(this.parts)) part.hidden = true; }

  show(look, modes, rate) {
    const [quality, verdicts] = rowsOf(look, modes);
    const said = { ...quality, ...verdicts, ...(rate > 1 ? { rate: `${Math.round(rate).toLocaleString("en")} steps/s` } : {}) };
    for (const [name, part] of Object.entries(this.parts)) {
      put(part, (said[name] ?? "").replaceAll(" ", "\u00a0")); // a line is broken between two numbers, never within one
      part.hidden = !said[name];
    }
  }
}
