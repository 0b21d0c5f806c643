// A few words for what a run was made with.

export const SAMPLER_NAMES = { ddpm: "DDPM", ddim: "DDIM", "dpm++": "DPM-Solver++", euler: "Euler" };

export function what(app, { labels, guidance, sampler, eta, count }) {
  const asked = labels.length > 1 ? "one of each class" : labels[0] === -1 ? "no class asked for" : `asked for “${app.className(labels[0])}”`;
  const way = sampler === "ddim" && eta ? `DDIM, η = ${eta}` : SAMPLER_NAMES[sampler];
  const strength = labels.every((label) => label === -1) ? "" : `, guidance ${guidance}`;
  return `${count > 1 ? `${count} pictures, ` : ""}${asked}${strength}, ${way}`;
}
