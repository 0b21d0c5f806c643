// The rules of the game: what each is called, which values it takes, and how it stands in an address.

export const LOSSES = [
  ["non-saturating", "Non-saturating", "G raises log D(G(z)): steep where D is sure. Goodfellow's own advice, 2014"],
  ["minimax", "Minimax", "G lowers log(1 − D(G(z))): the formula of the paper, flat where D is sure"],
  ["least-squares", "Least squares", "D is drawn towards 1 and 0, G towards 1. LSGAN, 2017"],
  ["hinge", "Hinge", "D only wants a margin. Used by SNGAN, SAGAN and BigGAN"],
  ["wgan", "Wasserstein, clipped", "D is a critic without a sigmoid, its weights clipped. WGAN, 2017"],
  ["wgan-gp", "Wasserstein, penalty", "the critic's slope is drawn towards 1 instead. WGAN-GP, 2017"],
];

/** Names of rules as a reader sees them. */
export const NAMES = {
  loss: "loss", g_layers: "layers of G", d_layers: "layers of D", z_dim: "dimension of z", z_kind: "noise z", batch: "batch",
  d_steps: "D steps per G step", optimiser: "optimiser", lr_g: "learning rate of G", lr_d: "learning rate of D", beta1: "β1", beta2: "β2", decay: "rates fall by step",
  clip: "clipping", gp: "gradient penalty λ", r1: "R1 γ", noise: "instance noise", smoothing: "label smoothing",
  spectral: "spectral norm", batch_norm: "batch norm",
};
export const KEYS = Object.keys(NAMES);
export const PROBABILITY = new Set(["non-saturating", "minimax"]);

/** A number of D's as the loss has it: a probability in per cent, else a score. */
export function verdict(value, loss) {
  if (value == null || !Number.isFinite(value)) return "–";
  return PROBABILITY.has(loss) ? `${Math.round(100 * value)}\u00a0%` : value.toFixed(2).replace("-", "−");
}

export const lossName = (loss) => LOSSES.find(([value]) => value === loss)?.[1] ?? loss;

/** A rule's value in words. */
export function valueText(key, value) {
  if (key === "loss") return lossName(value);
  if (Array.isArray(value)) return value.join(" · ");
  if (value === true) return "on";
  if (value === false) return "off";
  return typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value);
}

const addressed = (value) => (value === true ? "1" : value === false ? "0" : Array.isArray(value) ? value.join(",") : String(value));

/** Rules that differ, as an address has them: "loss:wgan-gp;gp:0.1". */
export const difference = (rules) => (rules ? Object.entries(rules).map(([key, value]) => `${key}:${addressed(value)}`).join(";") : "");

export const rulesOf = (store) => Object.fromEntries(KEYS.map((key) => [key, store.get(key)]));

export const inWords = (rules) => Object.entries(rules).map(([key, value]) => `${NAMES[key]} ${valueText(key, value)}`).join(", ");

export const capital = (text) => text.replace(/^[a-z]/, (letter) => letter.toUpperCase()); // β stays what it is
