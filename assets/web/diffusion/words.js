// A few words for what a run was made with.

export const SAMPLER_NAMES = { ddpm: "DDPM", ddim: "DDIM", "dpm++": "DPM-Solver++", euler: "Euler" };

export function what(app, { labels, guidance, sampler, eta, count }) {
  const asked = labels.length > 1 ? oneOfEach(app, labels) : labels[0] === -1 ? "no class asked for" : `asked for “${app.className(labels[0])}”`;
  const way = sampler === "ddim" && eta ? `DDIM, η = ${eta}` : SAMPLER_NAMES[sampler];
  const strength = labels.every((label) => label === -1) ? "" : `, guidance ${guidance}`;
  return `${count > 1 ? `${count} pictures, ` : ""}${asked}${strength}, ${way}`;
}

/** What changes at a fork, as the address has it: "label:3,guidance:4". */
export const changes = (then) => Object.entries(then).map(([key, value]) => `${key}:${key === "label" && value === -1 ? "none" : value}`).join(",");

// What is asked for where every picture has a class of its own.
function oneOfEach(app, labels) {
  const classes = app.config()?.classes ?? [];
  const missing = classes.filter((_, label) => !labels.includes(label));
  if (!missing.length) return "one of each class";
  if (missing.length > 2) return `one each of ${new Set(labels).size} classes of ${classes.length}`;
  return `one of each class but ${missing.map((name) => `“${name}”`).join(" and ")}`;
}
