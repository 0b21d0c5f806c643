// What lies here: the decoded picture, large, and what the loss says of it.

import { fixed, h, vector } from "../common/dom.js";
import { picture } from "./data.js";
import { term } from "../common/tip.js";

const ELBO = "What the loss says of a picture, in nats: the price of describing it, given its code, plus the price of the code (KL). Less is better. It is an upper bound on −log p(x).";

export const elbo = () => term("−ELBO", ELBO);

const EXACT = { exact: "exact", atlas: "from the atlas" };

// How far out z lies, against where the prior N(0, I) draws. In two dimensions the share of draws that fall farther
// out than r is exp(-r²/2); in d dimensions they gather at about √d.
function usual(z) {
  const r = Math.hypot(...z);
  if (z.length !== 2) return `It lies ${fixed(r, 1)} from the middle; random draws lie at about ${fixed(Math.sqrt(z.length), 1)}.`;
  const farther = 100 * Math.exp((-r * r) / 2);
  const many = farther > 99.5 ? "nearly all" : farther < 0.5 ? "hardly any" : `about ${Math.round(farther)}`;
  return `Of 100 random draws, ${many} land farther from the middle of the map.`;
}

export function createHere(host) {
  const big = h("canvas", { class: "lx-big", role: "img", "aria-label": "The decoding of the point on the map" });
  const frame = h("div", { class: "lx-frame" }, big);
  const where = h("span");
  const how = h("b", { class: "lx-how" });
  const caption = h("p", { class: "g-cap lx-cap" }, where, " ", how);
  const loss = h("div", { class: "lx-loss" });
  host.append(h("h2", { class: "g-h3" }, "Here"), frame, caption, loss);

  let lent = null;
  let lentBelow = null;
  let described = "";
  let seen = null; // told of every picture that is shown
  let held = false; // a tool's picture keeps its say while the eye moves on

  function show(image, z, way = "exact", terms = null) {
    if (image) {
      picture(big, image);
      seen?.(image);
    }
    if (z) {
      const text = `z = ${vector(z)}`;
      if (text !== where.textContent) where.textContent = text;
    }
    const said = EXACT[way] ?? way;
    if (said !== how.textContent) how.textContent = said;
    how.dataset.how = way;
    if (terms) {
      aboutTerms({ reconstruction: terms.reconstruction, kl: terms.kl, beta: terms.beta });
    }
  }

  // Two bars on one scale that together are -ELBO.
  function bars(reconstruction, kl) {
    const whole = Math.max(reconstruction, 0) + kl || 1;
    const bar = (value, part) => h("div", { class: `lx-bar ${part}`, style: { flexGrow: String(Math.max(value, 0) / whole) } });
    return h("div", { role: "img", "aria-label": `reconstruction ${fixed(reconstruction, 1)} nats, KL divergence ${fixed(kl, 1)} nats` },
      h("div", { class: "lx-bars" }, bar(reconstruction, "rec"), bar(kl, "kl")),
      h("div", { class: "lx-key" }, h("span", { class: "rec" }, `reconstruction ${fixed(reconstruction, 1)}`), h("span", { class: "kl" }, `KL ${fixed(kl, 1)}`)));
  }

  function aboutTerms({ title = "What the loss says of this picture", reconstruction, kl, beta = 1, kind = "vae", pair = null }) {
    const key = JSON.stringify([title, reconstruction, kl, beta, kind]);
    if (key === described && !pair) return;
    described = key;
    const whole = reconstruction + kl;
    const sum = kind === "ae"
      ? [`no KL term: a plain autoencoder only pays for the reconstruction, ${fixed(reconstruction, 1)} nats`]
      : [elbo(), ` = ${fixed(reconstruction, 1)} + ${fixed(kl, 1)} = ${fixed(whole, 1)} nats`];
    loss.replaceChildren(
      h("h3", { class: "g-h3" }, title),
      kind === "ae" ? bars(reconstruction, 0) : bars(reconstruction, kl),
      h("p", { class: "g-cap" }, ...sum),
      ...(kind === "vae" && beta !== 1
        ? [h("p", { class: "g-cap" }, `trained with β = ${beta}: it paid ${fixed(reconstruction + beta * kl, 1)}`)] : []),
      ...(pair ? [pair] : []),
    );
  }

  // A picture that was encoded: the loss, and the picture beside what came back. With `hold` it stays until
  // somebody calls again, wherever the eye moves.
  function about(found) {
    held = Boolean(found?.hold);
    if (!found) return (described = ""), loss.replaceChildren();
    const small = (image, text) => {
      const canvas = h("canvas", { class: "lx-small", role: "img", "aria-label": text });
      picture(canvas, image);
      return h("figure", {}, canvas, h("figcaption", {}, text));
    };
    const kl = [...found.kl_nats].reduce((a, b) => a + b, 0);
    const pair = found.picture && found.reconstruction
      ? h("div", { class: "lx-pair" }, small(found.picture, "picture x"), small(found.reconstruction, "decoded from its μ")) : null;
    aboutTerms({ title: found.title, reconstruction: found.recon_nats, kl, beta: found.beta, kind: found.kind, pair });
  }

  // A place without a picture has no reconstruction error; what can be said of it is how usual it is.
  function place({ z, kind, nearest }) {
    if (held) return;
    const key = `place ${vector(z, 1)} ${kind} ${nearest?.index}`;
    if (key === described) return;
    described = key;
    const lines = [`The decoder painted this from ${z.length === 2 ? "the two numbers" : `the ${z.length} numbers`} of z alone.`,
      kind === "vae" ? usual(z) : "A plain autoencoder was never told which places to use: far from the dots it may paint nonsense."];
    if (nearest) lines.push(`The nearest real picture is “${nearest.label}”, ${fixed(nearest.distance, 2)} away.`);
    loss.replaceChildren(h("h3", { class: "g-h3" }, "This place"), ...lines.map((line) => h("p", {}, line)));
  }

  // A tool may show something of its own in place of the picture, and of what is said below it, until it gives null.
  function lend(element, below = null) {
    if (lent) lent.remove();
    lentBelow?.remove();
    [lent, lentBelow] = [element, below];
    for (const own of [big, caption, loss]) own.hidden = Boolean(element);
    if (element) {
      frame.append(element);
      seen?.(null);
    }
    if (below) host.append(below);
  }

  return { show, about, place, lend, onShow: (fn) => (seen = fn), canvas: big, host, get lent() { return lent; } };
}
