// The six numbers that reshape a distribution: their names in the address, in the engine and on the page, and their limits.

const two = (value) => String(Math.round(value * 100) / 100);
const three = (value) => String(Math.round(value * 1000) / 1000);

// off: the value that changes nothing. low, high: what may be typed. step: of the arrow keys. slide, value: between a
// setting and the place of its slider, 0 to 1.
export const SETTINGS = {
  t: { engine: "temperature", name: "Temperature", off: 1, low: 0, high: 5, step: 0.05, show: two, slide: (t) => t / 5, value: (x) => Math.round(500 * x) / 100,
    about: "Logits are divided by it before the softmax. Below 1 the likely become likelier, above 1 all come closer to each other. At 0 only the likeliest is left: greedy, exactly." },
  rep: { engine: "repetition_penalty", name: "Repetition penalty", off: 1, low: 0.5, high: 5, step: 0.05, show: two, slide: (r) => Math.max(0, r - 1), value: (x) => Math.round(100 * (1 + x)) / 100,
    about: "Comes first: the logits of tokens that were read already are divided by it where positive, multiplied where negative. Keskar et al. 2019." },
  k: { engine: "top_k", name: "Top-k", off: 0, low: 0, high: 1_000_000, step: 1, whole: true, show: (k) => k.toLocaleString("en"),
    about: "Keeps the k likeliest tokens, however the probability lies. Fan et al. 2018." },
  p: { engine: "top_p", name: "Top-p", off: 1, low: 0.001, high: 1, step: 0.01, show: three, slide: (p) => p, value: (x) => Math.max(0.01, Math.round(100 * x) / 100),
    about: "Keeps the fewest tokens that together hold p of the probability: few where the model is sure, many where it is not. Holtzman et al. 2020." },
  minp: { engine: "min_p", name: "Min-p", off: 0, low: 0, high: 1, step: 0.01, show: three, slide: (p) => Math.sqrt(p), value: (x) => Math.round(1000 * x * x) / 1000,
    about: "Cuts what is less likely than this share of the likeliest token. Nguyen et al. 2024." },
  typ: { engine: "typical_p", name: "Typical-p", off: 1, low: 0.001, high: 1, step: 0.01, show: three, slide: (p) => p, value: (x) => Math.max(0.01, Math.round(100 * x) / 100),
    about: "Keeps the tokens whose surprise is nearest to the entropy, until they hold this much of the probability; even the likeliest may go. Meister et al. 2023." },
};

/** As the engine names them, from the state of the page. */
export const settingsOf = (state) => Object.fromEntries(Object.entries(SETTINGS).map(([key, { engine }]) => [engine, state[key]]));

/** A setting as its slider has it for a vocabulary of `size` tokens. Top-k is on a logarithmic scale, off at its right end. */
export function scaleOf(key, size) {
  const setting = SETTINGS[key];
  if (key !== "k") return setting;
  const most = Math.max(2, size || 2);
  return {
    ...setting, slide: (k) => (k === 0 || k >= most ? 1 : Math.log(k) / Math.log(most)),
    value: (x) => (x >= 1 ? 0 : Math.min(most - 1, Math.max(1, Math.round(most ** x)))),
  };
}

const THOUSANDS = /^\d{1,3}([.\s]\d{3})+$/; // 12,345 with a comma made a dot, or 12 345

/** What was typed, as a number; "off" and nothing at all are the value that changes nothing. Throws a sentence. */
export function typed(key, text) {
  const { name, off, low, high, whole } = SETTINGS[key];
  const words = text.trim().replaceAll(",", ".").replace("−", "-");
  if (words === "" || words.toLowerCase() === "off") return off;
  const value = Number(whole && THOUSANDS.test(words) ? words.replace(/[.\s]/g, "") : words);
  if (Number.isFinite(value) && value >= low && value <= high && (!whole || Number.isInteger(value))) return value;
  const most = high.toLocaleString("en");
  if (low === 0.001 && value === 0) throw new Error(`${name} is 0, which leaves no token to choose: give more than 0, up to ${most}.`);
  throw new Error(`${name} is ${text.slice(0, 30)}; it may be ${low} to ${most}: type ${whole ? "a whole number" : "a number"} in between${key === "t" ? "" : ", or “off”"}.`);
}
