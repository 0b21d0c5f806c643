/* One slider for each dimension, the most telling first, each on a strip of what its values do from where one stands. */
import { h } from "../common/dom.js";
import { cell, named, newest, picture, sharp, token } from "../common/sheet.js";

const STEPS = 9;                 // pictures in a strip: nine squares fill a row of the column
const AT_FIRST = 10;             // rows before "show more"
const BESIDE_ASLEEP = 1;         // rows that stay when the collapsed ones are the point
const MIRROR_MS = 700;           // the small copy follows the picture this long after a move: the model has answered by then
const STRIPS_EVERY_MS = 180;     // the strips follow a moving slider about five times a second; the picture at once

export default function sliders(app) {
  let overview = null;
  let rows = [];
  let all = false;
  let seed = 1;
  let sheet = null;

  const spectrum = h("canvas", { class: "dim-spectrum", role: "img" });
  const total = h("p", { class: "dim-total" });
  const sisters = h("div", { class: "dim-beta" });
  const means = h("select", { "aria-label": "Go to the mean of a class", onchange: goToMean });
  const seedBox = h("input", { type: "number", min: "0", max: "2147483647", step: "1", value: "1", "aria-label": "Seed of the draw",
    onchange: () => draw(Number(seedBox.value)) });
  // where the picture is out of sight (a phone), it follows the sliders, small
  const mini = h("canvas", { class: "dim-mini", "aria-hidden": "true", width: 64, height: 64 });
  let mirroring = 0;
  const more = h("div", {});
  const list = h("div", { class: "dim-list" });
  const element = h("div", { class: "dim-tool" },
    h("div", { class: "dim-row-tools" },
      h("button", { type: "button", onclick: () => move(new Array(overview?.d ?? 0).fill(0), "every dimension at 0"), title: "The middle of the prior" }, "Reset to 0"),
      means,
      h("button", { type: "button", onclick: () => draw(seed + 1), title: "A new point from the prior N(0, 1)" }, "Draw"),
      seedBox),
    mini, h("div", { class: "dim-sum-up" }, spectrum, h("div", {}, total, sisters)), list);

  const strips = newest(askStrips, paintStrips, STRIPS_EVERY_MS);

  // --- where one stands ---

  function here() {
    const z = Array.from(app.z());
    return overview && z.length === overview.d ? z : new Array(overview?.d ?? 0).fill(0);
  }

  function move(z, how) {
    if (!overview || !z.length) return;
    app.store.set({ z });
    if (how) app.status(how);
  }

  async function draw(value) {
    seed = Number.isInteger(value) && value >= 0 ? value : 0;
    seedBox.value = String(seed);
    const answer = await app.server.prior_draw({ model: app.store.get("model"), seed }).catch(() => null);
    if (answer) move(answer.z, answer.how);
  }

  async function goToMean() {
    const label = Number(means.value);
    means.selectedIndex = 0;
    const answer = await app.server.class_mean({ model: app.store.get("model"), label }).catch(() => null);
    if (answer) move(answer.z, answer.how);
  }

  function mirror(until = performance.now() + MIRROR_MS) {
    if (getComputedStyle(mini).display === "none") return;
    cancelAnimationFrame(mirroring);
    const big = app.here.canvas;
    if (big.width) mini.getContext("2d").drawImage(big, 0, 0, 64, 64);
    if (performance.now() < until) mirroring = requestAnimationFrame(() => mirror(until));
  }

  // --- rows ---

  function visible() {
    const active = overview.dimensions.filter((dimension) => !dimension.collapsed);
    return all ? active : active.slice(0, app.store.get("dims") === "collapsed" ? BESIDE_ASLEEP : AT_FIRST);
  }

  function row(dimension) {
    const { k, kl, low, high, collapsed, sentence, spread } = dimension;
    const canvas = h("canvas", { "aria-hidden": "true" });
    const amount = h("span", {});
    const range = h("input", {
      type: "range", min: String(low), max: String(high), step: "any", "data-k": String(k),
      "aria-label": `Dimension ${k + 1}, ${overview.plain ? `spread ${spread.toFixed(2)}` : `KL ${kl.toFixed(collapsed ? 3 : 2)} nats${collapsed ? ", collapsed" : ""}`}`,
      oninput: () => set(k, Number(range.value)),
      onkeydown: (event) => key(event, dimension),
      onfocus: () => app.status(`${named(k)}: ${sentence}`), title: sentence,
    });
    const figure = overview.plain ? `±${spread.toFixed(1)}` : kl.toFixed(collapsed ? 3 : 2);
    const node = h("div", { class: `dim-row${collapsed ? " collapsed" : ""}` },
      h("div", { class: "dim-name" }, h("b", {}, "z", h("sub", {}, String(k + 1))), " ", amount, h("small", {}, `${figure} ${overview.plain ? "spread" : "nats"}`)),
      h("div", { class: "dim-strip" }, canvas, range));
    return { dimension, node, canvas, range, amount };
  }

  function set(k, value) {
    const z = here().slice();
    z[k] = Math.round(value * 1000) / 1000;
    move(z);
  }

  function key(event, { k, low, high }) {
    const step = (high - low) / (event.shiftKey ? 12 : 60);
    const now = here()[k];
    const to = { ArrowRight: now + step, ArrowUp: now + step, ArrowLeft: now - step, ArrowDown: now - step, PageUp: now + 5 * step,
      PageDown: now - 5 * step, Home: low, End: high, 0: 0 }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    set(k, Math.min(high, Math.max(low, to)));
  }

  function build() {
    const collapsed = overview.dimensions.filter((dimension) => dimension.collapsed);
    const active = visible();
    const hidden = overview.dimensions.length - collapsed.length - active.length;
    const asleep = collapsed.map(row);
    rows = [...active.map(row), ...asleep];
    list.replaceChildren(...rows.slice(0, active.length).map(({ node }) => node));
    if (hidden > 0 || all) {
      more.replaceChildren(h("button", { type: "button", class: "dim-small", onclick: () => { all = !all; build(); ask(); } },
        all ? "Show fewer" : `Show ${hidden} more`));
    } else more.replaceChildren();
    if (app.store.get("dims") !== "collapsed") list.append(more);
    if (!asleep.length && app.store.get("dims") === "collapsed") {
      list.append(h("p", { class: "dim-why" }, overview.plain ? "A plain autoencoder has no KL term, so nothing makes it give a dimension up."
        : "No dimension of this model collapsed: each says more than " + `${overview.threshold} nats. A larger β is a shorter leash; try it above.`));
    }
    if (asleep.length) {
      list.append(h("p", { class: "dim-why" },
        `${asleep.length} of ${overview.d} collapsed (KL below ${overview.threshold} nats): the decoder ` +
        "learned to ignore them. Move one and see."),
      ...asleep.map(({ node }) => node));
    }
    if (app.store.get("dims") === "collapsed") list.append(more);
    follow();
  }

  function follow() {
    const z = here();
    for (const { dimension, range, amount } of rows) {
      const value = z[dimension.k];
      if (document.activeElement !== range || Math.abs(Number(range.value) - value) > 1e-3) range.value = String(value);
      range.setAttribute("aria-valuetext", value.toFixed(2));
      amount.textContent = value.toFixed(2).replace("-", "−");
    }
  }

  // --- strips ---

  function ask() {
    if (!overview || !rows.length || !showing) return;
    strips({
      model: overview.model, z: here(), dims: rows.map(({ dimension }) => dimension.k), steps: STEPS, size: 36,
      low: rows.map(({ dimension }) => dimension.low), high: rows.map(({ dimension }) => dimension.high),
    });
  }

  async function askStrips(what) {
    const answer = await app.server.dimension_traversal(what);
    return { ...answer, image: await picture(answer.sheet) };
  }

  function paintStrips(answer, { model, dims }) {
    if (model !== overview?.model || dims.length !== rows.length) return;
    sheet = answer;
    repaint();
  }

  function repaint() {
    if (!sheet) return;
    const soft = sheet.side > 28;
    rows.forEach(({ canvas }, index) => {
      const width = canvas.clientWidth || 240;
      const height = canvas.clientHeight || 30;
      const context = sharp(canvas, width, height, soft);
      const size = width / STEPS;
      for (let step = 0; step < STEPS; step++) cell(context, sheet.image, sheet.side, index, step, step * size, (height - size) / 2, size);
    });
  }

  // --- the spectrum, and the same recipe at another beta ---

  function family() {
    const mine = app.catalog.find((model) => model.name === overview.model);
    if (!mine || mine.kind !== "vae") return [];
    const all = app.catalog.filter((model) => model.kind === "vae" && model.dataset === mine.dataset &&
      model.latent === mine.latent && (model === mine || model.beta !== mine.beta) && !model.name.startsWith("trained/"));
    return all.length > 1 ? all.sort((a, b) => a.beta - b.beta) : [];
  }

  function drawSpectrum() {
    const d = overview.d;
    const sizes = overview.dimensions.map((dimension) => (overview.plain ? dimension.spread : dimension.kl));
    const other = family().find((model) => model.name !== overview.model);
    const against = other?.kl_per_dim ? [...other.kl_per_dim].sort((a, b) => b - a) : [];
    const width = spectrum.clientWidth || 300;
    const height = spectrum.clientHeight || 38;
    const context = sharp(spectrum, width, height);
    const top = Math.max(...sizes, ...against, 1e-6);
    const step = width / d;
    const bar = Math.max(1, step - Math.min(3, step * 0.25));
    sizes.forEach((size, index) => {
      const tall = Math.max(1.5, (size / top) * (height - 2));
      context.fillStyle = overview.dimensions[index].collapsed ? token("--edge") : token("--a");
      context.fillRect(index * step, height - tall, bar, tall);
    });
    context.strokeStyle = token("--ink-2");
    context.setLineDash([2, 2]);
    against.forEach((size, index) => {
      const tall = Math.max(1.5, (size / top) * (height - 2));
      context.strokeRect(index * step + 0.5, height - tall, bar - 1, tall);
    });
    const asleep = overview.dimensions.filter((dimension) => dimension.collapsed).length;
    total.textContent = overview.plain ? "sorted by how far the codes spread" : `KL ${overview.kl.toFixed(1)} nats, ${d - asleep} of ${d} in use`;
    total.title = overview.plain ? "A plain autoencoder has no KL term."
      : `Sorted by KL: how much each number tells the decoder, in nats, on average over ${overview.pictures.toLocaleString("en")} test pictures.${other ? ` Dashed: the same recipe at β = ${other.beta}.` : ""}`;
    spectrum.setAttribute("aria-label", overview.plain
      ? `Spread of the codes by dimension, from ${sizes[0].toFixed(2)} to ${sizes[d - 1].toFixed(2)}`
      : `KL by dimension, sorted: from ${sizes[0].toFixed(2)} to ${sizes[d - 1].toFixed(3)} nats; ${asleep} of ${d} collapsed`);
  }

  function drawSisters() {
    const models = family();
    sisters.hidden = models.length < 2;
    sisters.replaceChildren("β", ...models.map((model) => {
      const asleep = (model.kl_per_dim || []).filter((kl) => kl < overview.threshold).length;
      return h("button", { type: "button", class: "dim-small", "aria-pressed": String(model.name === overview.model),
        onclick: () => app.store.set({ model: model.name }), title: `the same recipe with β = ${model.beta}: ${asleep} of ${overview.d} dimensions collapsed` }, String(model.beta));
    }));
  }

  // --- life ---

  async function load() {
    const model = app.store.get("model");
    if (overview?.model === model) { follow(); ask(); return; }
    const answer = await app.server.dimension_overview({ model }).catch(() => null);
    if (!answer || app.store.get("model") !== model) return;
    overview = answer;
    sheet = null;
    all = false;
    means.replaceChildren(h("option", { value: "" }, "Mean of …"), ...answer.classes.map((name, label) => h("option", { value: String(label) }, name)));
    build();
    drawSpectrum();
    drawSisters();
    ask();
    mirror();
  }

  let showing = false;
  const recolour = () => { if (overview && showing) drawSpectrum(); };
  const offs = [
    app.onSpace(() => { if (showing) load(); }),
    app.store.on("dims", () => { if (showing && overview) { all = false; build(); ask(); } }),
    app.store.on("z", () => { if (showing && overview) { follow(); ask(); mirror(); } }),
  ];
  addEventListener("gallery:theme", recolour);
  const resize = new ResizeObserver(() => { if (overview && showing) { repaint(); drawSpectrum(); } });
  return {
    element,
    show() { showing = true; load(); mirror(); resize.observe(list); },
    hide() { showing = false; resize.disconnect(); },
    destroy() { this.hide(); offs.forEach((off) => off()); removeEventListener("gallery:theme", recolour); },
  };
}
