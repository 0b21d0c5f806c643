// What a run is made of, as rows of controls: each tool shows those that it needs.

import { h, segmented } from "../common/dom.js";
import { chooser } from "./models.js";

const DATA = { mnist: "Digits", fashion: "Fashion", emoji: "Emoji" };
const SAMPLERS = [["ddpm", "DDPM", "Ho et al. 2020: fresh noise after every step"], ["ddim", "DDIM", "Song et al. 2021: as much noise as η says, none at 0"],
  ["dpm++", "DPM++", "Lu et al. 2022: looks back a step and needs few"], ["euler", "Euler", "the straight line of the differential equation"]];
const SCHEDULES = [["linear", "Linear"], ["cosine", "Cosine"], ["sigmoid", "Sigmoid"]];
const MARKS = [4, 20, 50, 1000];
const MOST_STEPS = 1000;
const MOST_SEED = 2 ** 31 - 1;
const MANY = 12; // more classes than fit as buttons
const LIMITS = {
  steps: ["the number of steps", 1, MOST_STEPS], seed: ["the seed", 0, MOST_SEED],
};

// How many pictures the select offers; an address may name any number up to 16.
const COUNTS = [1, 2, 4, 9, 10, 16];

/** Rows for the named controls, in the order given. Returns {element, render}. */
export function createControls(app, names) {
  const element = h("div", { class: "dx-controls" });
  const parts = names.map((name) => MADE[name](app));
  element.append(...parts.map((part) => part.element));
  const render = () => parts.forEach((part) => part.render());
  app.store.on("*", render);
  render();
  return { element, render };
}

export function row(text, control, extra) {
  return h("div", { class: "dx-row" }, h("span", { class: "dx-name" }, text), control, extra);
}

/** A whole number as it was typed; what it may not be is said and put back. */
export function whole(app, key, input) {
  const [what, low, high] = LIMITS[key];
  const value = Number(input.value);
  if (input.value.trim() !== "" && Number.isInteger(value) && value >= low && value <= high) app.store.set({ [key]: value });
  else app.status(`${what} is ${input.value.slice(0, 40) || "empty"}; it may be ${low} to ${high}: choose a whole number in between.`, "error");
  input.value = String(app.store.get(key));
}

export function slider(app, key, { text, low, high, step, show = String, name = text, title }) {
  const range = h("input", { class: "g-range", type: "range", min: low, max: high, step, "aria-label": name, title, oninput: () => app.store.set({ [key]: Number(range.value) }) });
  const value = h("output", { class: "dx-value" });
  return {
    element: row(text, range, value),
    render: () => {
      range.value = String(app.store.get(key));
      value.textContent = show(app.store.get(key));
      range.setAttribute("aria-valuetext", value.textContent);
    },
  };
}

// Buttons that are made once and pressed, so that the keyboard's place is not lost.
export function choice(app, key, name, options) {
  let held = null;
  const host = h("div", { class: "dx-seg" });
  return {
    host,
    render: () => {
      const now = app.store.get(key);
      if (!held) host.append((held = segmented(name, options.map(([value, text, title]) => ({ value, text, title })), now, (value) => app.store.set({ [key]: value }))));
      [...held.children].forEach((button, i) => button.setAttribute("aria-pressed", String(options[i][0] === now)));
    },
  };
}

function model(app) {
  const names = chooser(app, DATA);
  const count = h("select", { class: "g-input dx-count", "aria-label": "Number of pictures", title: "Pictures at once, each from a seed of its own",
    onchange: () => app.store.set({ count: Number(count.value) }) });
  return {
    element: h("div", {}, row("Model", names.host, h("label", { class: "dx-times" }, "×", count)), names.note),
    render: () => {
      names.render();
      const now = app.store.get("count");
      const wanted = COUNTS.includes(now) ? COUNTS : [...COUNTS, now].sort((a, b) => a - b);
      if (count.children.length !== wanted.length) count.replaceChildren(...wanted.map((n) => h("option", { value: n }, String(n))));
      count.value = String(now);
    },
  };
}

function label(app) {
  const element = h("div", { class: "dx-classes" });
  let shown = null;
  // Pictures for one of each class, or as many as fit.
  const enough = (classes) => Math.max(app.store.get("count"), Math.min(classes, COUNTS.at(-1)));
  const press = (value) => () => app.store.set({ label: value });
  const button = (value, text, title) => h("button", { type: "button", "data-value": String(value), title, onclick: press(value) }, text);

  function build(classes) {
    const extra = h("span", { class: "dx-more" }, button(-1, "none", "let the model choose"),
      h("button", { type: "button", "data-value": "each", title: "picture after picture the next class", onclick: () => app.store.set({ label: "each", count: enough(classes.length) }) }, "one of each"));
    const head = h("div", { class: "dx-classhead" }, h("span", { class: "dx-name" }, "Class"), extra);
    if (classes.length > MANY) {
      const select = h("select", { class: "g-input dx-kinds", "aria-label": "Class", onchange: () => app.store.set({ label: Number(select.value) }) },
        none(classes.length), ...classes.map((name, i) => h("option", { value: i }, name)));
      element.replaceChildren(head, select);
      return inGroups(app, select).then(() => { if (shown === classes) choose(select); });
    }
    const long = classes.some((name) => name.length > 3);
    const grid = h("div", { class: long ? "g-seg dx-grid" : "g-seg", role: "group", "aria-label": "Class" }, ...classes.map((name, i) => button(i, name)));
    element.replaceChildren(head, grid);
  }

  return {
    element,
    render: () => {
      const classes = app.config()?.classes ?? [];
      element.hidden = !classes.length;
      if (shown !== classes) build((shown = classes));
      element.querySelector('[data-value="-1"]')?.toggleAttribute("hidden", app.config()?.free === false);
      const now = app.store.get("label");
      const select = element.querySelector("select");
      if (select) choose(select);
      for (const each of element.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each.dataset.value === String(now)));
    },
  };

  function choose(select) {
    const now = app.store.get("label");
    select.value = typeof now === "number" && now >= 0 ? String(now) : "";
  }
}

const none = (count) => h("option", { value: "", hidden: true }, `One of ${count} …`);

// Many classes belong to a few groups, where the hub knows them; a telephone shows such a list in its own way.
async function inGroups(app, select) {
  const answer = await fetch(`${app.base}/classes?${new URLSearchParams({ model: app.config().name })}`).then((got) => got.json()).catch(() => ({}));
  if (!answer.groups?.length) return;
  select.replaceChildren(select.firstChild, ...answer.groups.map(({ name, classes }) =>
    h("optgroup", { label: name }, ...classes.map(([value, text, symbol]) => h("option", { value }, `${symbol} ${text.replaceAll("-", " ")}`.trim())))));
}

function guidance(app) {
  const inner = slider(app, "guidance", {
    text: "Guidance", low: 0, high: 20, step: 0.5, show: (w) => w.toFixed(1), name: "Guidance scale w",
    title: "0 ignores the class, 1 asks for it, more insists on it",
  });
  return {
    element: inner.element,
    render: () => {
      inner.render();
      const { classes, free } = app.config() ?? {};
      turnOff(inner.element, !classes?.length || free === false); // a model that was always told a class has no other branch
    },
  };
}

function turnOff(element, off) {
  element.classList.toggle("dx-off", off);
  element.querySelector("input").disabled = off;
}

function sampler(app) {
  const names = choice(app, "sampler", "Sampler", SAMPLERS);
  return { element: row("Sampler", names.host), render: names.render };
}

function eta(app) {
  const inner = slider(app, "eta", { text: "η", low: 0, high: 1, step: 0.05, show: (value) => value.toFixed(2), name: "Eta, the noise that DDIM adds", title: "0: none, 1: as much as DDPM" });
  return {
    element: inner.element,
    render: () => {
      inner.render();
      turnOff(inner.element, app.store.get("sampler") !== "ddim");
    },
  };
}

const toShare = (steps) => (100 * Math.log(steps)) / Math.log(MOST_STEPS);
const fromShare = (share) => Math.max(1, Math.round(MOST_STEPS ** (share / 100)));

function steps(app) {
  const range = h("input", { class: "g-range", type: "range", min: 0, max: 100, step: 0.5, "aria-label": "Number of steps",
    oninput: () => app.store.set({ steps: fromShare(Number(range.value)) }),
    onkeydown: (event) => {
      const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (!by) return;
      event.preventDefault(); // one step at a time at the low end, where each counts
      const now = app.store.get("steps");
      app.store.set({ steps: Math.max(1, Math.min(MOST_STEPS, now + by * Math.max(1, Math.round(now * 0.05)))) });
    } });
  const input = h("input", { class: "g-input dx-number", type: "number", min: 1, max: MOST_STEPS, step: 1, "aria-label": "Number of steps, typed", onchange: () => whole(app, "steps", input) });
  const marks = h("div", { class: "dx-marks" }, ...MARKS.map((mark) => h("button", {
    type: "button", style: { left: `${toShare(mark)}%` }, "aria-label": `${mark} steps`, onclick: () => app.store.set({ steps: mark }) }, String(mark))));
  return {
    element: row("Steps", h("div", { class: "dx-steps" }, range, marks), input),
    render: () => {
      const now = app.store.get("steps");
      if (fromShare(Number(range.value)) !== now) range.value = String(toShare(now));
      range.setAttribute("aria-valuetext", `${now} steps`);
      if (document.activeElement !== input) input.value = String(now);
      for (const each of marks.children) each.setAttribute("aria-pressed", String(each.textContent === String(now)));
    },
  };
}

// A model from elsewhere may have a schedule of its own, beside the three that have a name.
function schedule(app) {
  const named = choice(app, "schedule", "Schedule", SCHEDULES);
  const all = choice(app, "schedule", "Schedule", [["trained", "Its own", "the one that this model was trained with"], ...SCHEDULES]);
  return {
    element: row("Schedule", h("div", { class: "dx-seg" }, named.host, all.host)),
    render: () => {
      all.host.hidden = app.config()?.schedule !== "trained";
      named.host.hidden = !all.host.hidden;
      named.render();
      all.render();
    },
  };
}

function seed(app) {
  const input = h("input", { class: "g-input dx-seed", type: "number", min: 0, max: MOST_SEED, step: 1, "aria-label": "Seed of the noise", onchange: () => whole(app, "seed", input) });
  const another = h("button", { type: "button", class: "g-btn dx-another", title: "Other noise, another picture", onclick: () => app.store.set({ seed: Math.floor(Math.random() * 1e6) }) }, "Another");
  return {
    element: row("Seed", input, another),
    render: () => { if (document.activeElement !== input) input.value = String(app.store.get("seed")); },
  };
}

const MADE = { model, label, guidance, sampler, eta, steps, schedule, seed };
