// The distribution of the next token: bars, numbers, a token looked for, a token drawn. One reading of the prompt comes
// from the hub; everything that follows from the settings is worked out here, within a frame.

import { h, put, segmented } from "../common/dom.js";
import { term } from "../common/tip.js";
import { createBars, axisEnd, percent, whole } from "./bars.js";
import { createControls } from "./controls.js";
import { createCumulated } from "./cumulated.js";
import { createFinder, lookup } from "./finder.js";
import { luck } from "./luck.js";
import { SETTINGS, settingsOf } from "./settings.js";
import { createWarper, draw } from "./warp.js";

const SLOW_MS = 200; // a reading that takes longer is said to be under way
const HOLD_MS = 700; // a drawn token is looked at before the next distribution takes its place
const MOST_SEED = 2 ** 31 - 1;

export function createDistribution({ host, side, store, data, say }) {
  let now = null; // {reading, warper, vocabulary}
  let from = 0, frame = 0, turn = 0, leaving = null, shown = false, mistaken = false, asked = "";
  let drawn = { prompt: "", text: "", then: [], place: -1, until: 0, waiting: false };
  const ends = [];
  const bars = createBars();
  const cumulated = createCumulated();
  const numbers = createNumbers();
  const finder = createFinder({ store, now: () => now, rankText });
  const scale = segmented("Scale of the bars", [{ value: "prob", text: "Linear" }, { value: "log", text: "Log" }], store.get("scale"), (value) => store.set({ scale: value }));
  const wrong = (sentence, kind) => { mistaken = kind === "error"; say(sentence, kind); }; // said of what was typed
  const controls = createControls({ store, say: wrong, size: () => now?.warper.size ?? data.config(store.get("model"))?.vocabulary ?? 0 });
  const pager = createPager((by) => { from += by * bars.count; schedule(); });
  const drawer = createDrawer({ store, say: wrong, pull });
  const stage = h("div", { class: "lx-distribution" }, h("div", { class: "lx-top" }, numbers.element, h("div", { class: "lx-tools" }, finder.element, scale)), bars.element,
    h("div", { class: "lx-foot" }, drawer.element, cumulated.element, pager.element));

  async function read() {
    const { model, prompt } = store.get();
    if (drawn.prompt !== prompt || drawn.model !== model) drawn = { prompt, model, text: prompt, then: [], place: -1, until: 0, waiting: false };
    const key = JSON.stringify([model, drawn.text, drawn.then]);
    const mine = ++turn;
    leaving?.abort();
    if (key === asked && now) { // back where it was before the answer to something else came
      host.removeAttribute("aria-busy");
      return tell();
    }
    leaving = new AbortController();
    const slow = setTimeout(() => {
      say("Reading …", "busy");
      host.setAttribute("aria-busy", "true");
    }, SLOW_MS + Math.max(0, drawn.until - performance.now()));
    try {
      const [vocabulary, reading] = await Promise.all([data.vocabulary(model), data.read(model, drawn.text, drawn.then, leaving.signal)]);
      await rest(drawn.until - performance.now());
      if (mine !== turn) return;
      now = { reading, vocabulary, warper: createWarper(reading.logits, reading.ids) };
      asked = key;
      drawn.place = -1;
      cumulated.needle(null);
      from = 0;
      host.removeAttribute("aria-busy");
      tell();
      schedule();
    } catch (fault) {
      if (mine !== turn || fault.name === "AbortError") return;
      host.setAttribute("aria-busy", "true");
      say(fault.message, "error"); // the bars stay, pale: they are of the prompt before
    } finally {
      clearTimeout(slow);
      if (mine === turn) drawn.waiting = false;
    }
  }

  function tell() {
    const { reading, vocabulary } = now;
    dispatchEvent(new CustomEvent("language:read", { detail: { ids: reading.ids, context: reading.context, special: vocabulary.special } }));
    const words = store.get("find");
    if (drawn.said) say(drawn.said);
    else if (words && lookup(vocabulary, words) < 0) say(`No token of this model is “${words}”: several make it up.`);
    else say("Drag the temperature: what the network said stays outlined, what the settings make of it is filled.");
    stage.dataset.ready = host.dataset.ready = "true";
  }

  // A mistake in typing is spoken of until something else is set.
  function set() {
    const told = mistaken || drawn.said;
    mistaken = false;
    drawn.said = ""; // it was drawn from what stood there before
    if (told && now) tell();
    schedule();
  }

  function schedule() {
    frame ||= requestAnimationFrame(paint);
  }

  function paint() {
    frame = 0;
    if (!shown || !now) return;
    const { warper, vocabulary } = now;
    const view = (now.view = warper.warp(settingsOf(store.get())));
    const mode = store.get("scale");
    from = Math.max(0, Math.min(from, warper.size - bars.count));
    const largest = Math.max(warper.before.p[view.order[0]], view.q[view.cut.indexOf(0)] ?? 0);
    bars.paint({ warper, view, vocabulary, from, scale: mode, end: axisEnd(largest), found: found(), drawn: drawn.place });
    cumulated.paint({ view, vocabulary });
    numbers.render(warper, view);
    pager.render(from, bars.count, warper.size);
    controls.render(view);
    drawer.render(drawn);
    finder.render();
    [...scale.children].forEach((button, i) => button.setAttribute("aria-pressed", String((i === 1) === (mode === "log"))));
  }

  // The token looked for: its place in the order of now, its rank before, its rank among those that are kept.
  function found() {
    const words = store.get("find");
    if (!words) return null;
    const id = lookup(now.vocabulary, words);
    if (id < 0 || id >= now.warper.size) return null;
    const { order, cut } = now.view;
    let kept = 0, place = 0;
    for (; order[place] !== id; place++) if (!cut[place]) kept++;
    return { id, place, rank: now.warper.places[id] + 1, now: kept + 1 };
  }

  function rankText(id) {
    return `rank ${whole(now.warper.places[id] + 1)} · ${percent(now.warper.before.p[id])}`;
  }

  // Draw a token with the next number of the seed and put it after the prompt.
  function pull() {
    if (!now || drawn.waiting) {
      drawn.until = 0;
      return;
    }
    const { model } = store.get();
    const u = luck(store.get("seed"), drawn.then.length);
    const view = now.view ?? now.warper.warp(settingsOf(store.get()));
    const { place } = draw(view, u);
    const id = view.order[place];
    const words = now.vocabulary.shown(id);
    drawn.place = place;
    cumulated.needle(u, `u = ${u.toFixed(4)}, number ${drawn.then.length + 1} of seed ${store.get("seed")}, falls on “${words}”`);
    if (now.vocabulary.special.has(id)) {
      say(`The number ${u.toFixed(4)} falls on ${words}, which ends the text: here the model would stop.`);
      return schedule();
    }
    drawn.then = [...drawn.then, id];
    drawn.said = `The number ${u.toFixed(4)} falls on “${words}”, which had ${percent(view.q[place])}: it is put after the prompt.`;
    say(drawn.said);
    drawn.until = performance.now() + HOLD_MS;
    drawn.waiting = true;
    const prompt = drawn.text + now.vocabulary.decode(drawn.then);
    Object.assign(drawn, { prompt, model });
    schedule();
    if (prompt === store.get("prompt")) read(); // half a letter: the text is the same, the tokens are not
    else store.set({ prompt });
  }

  const fit = new ResizeObserver(() => { bars.measure(); cumulated.resize(); schedule(); });
  return {
    show() {
      shown = true;
      host.setAttribute("aria-label", "Distribution of the next token");
      host.replaceChildren(stage);
      side.replaceChildren(controls.element);
      bars.measure();
      fit.observe(stage);
      fit.observe(bars.list);
      ends.push(store.on([...Object.keys(SETTINGS), "scale", "seed"], set), store.on("find", () => { schedule(); if (now) tell(); }), store.on(["prompt", "model"], read));
      const again = () => { cumulated.theme(); schedule(); };
      addEventListener("gallery:theme", again);
      addEventListener("gallery:back", read);
      ends.push(() => removeEventListener("gallery:theme", again), () => removeEventListener("gallery:back", read));
      if (now) schedule();
      return read();
    },
    hide() {
      shown = false;
      leaving?.abort();
      turn++;
      drawn.waiting = false;
      fit.disconnect();
      host.removeAttribute("aria-busy");
      ends.splice(0).forEach((end) => end());
    },
    destroy() { this.hide(); controls.destroy(); },
  };
}

const rest = (ms) => (ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : null);

// Entropy, effective number of tokens, tokens kept: before, small, and after.
function createNumbers() {
  const cell = (name, about) => {
    const before = h("small", {}), after = h("b", {}, "–");
    return {
      element: h("span", {}, h("i", {}, term(name, about)), h("span", {}, before, after)),
      tell(was, is) {
        put(before, was === is ? "" : `${was} →`); // one number where the settings change nothing
        put(after, is);
      },
    };
  };
  const entropy = cell("Entropy, nats", "How unsure: the mean surprise of a token drawn from it. Before and after the settings.");
  const effective = cell("Effective tokens", "e to the entropy: as unsure as between so many tokens that are equally likely");
  const kept = cell("Tokens kept", "How many tokens can still be drawn, of the whole vocabulary");
  return {
    element: h("div", { class: "lx-numbers" }, entropy.element, effective.element, kept.element),
    render({ before, size }, view) {
      const many = (number) => (number >= 1000 ? whole(Math.round(number)) : number.toFixed(number >= 100 ? 0 : 1));
      entropy.tell(before.entropy.toFixed(2), view.entropy.toFixed(2));
      effective.tell(many(before.effective), many(view.effective));
      kept.tell(whole(size), whole(view.kept));
    },
  };
}

function createPager(move) {
  const back = h("button", { type: "button", "aria-label": "Likelier tokens", title: "Likelier tokens", onclick: () => move(-1) }, "▲");
  const on = h("button", { type: "button", "aria-label": "Less likely tokens", title: "Less likely tokens", onclick: () => move(1) }, "▼");
  const text = h("span", {});
  return {
    element: h("div", { class: "lx-pager" }, back, text, on),
    render(from, count, size) {
      const words = `${whole(from + 1)}–${whole(Math.min(size, from + count))}`;
      put(text, words);
      back.disabled = from <= 0;
      on.disabled = from + count >= size;
    },
  };
}

function createDrawer({ store, say, pull }) {
  const button = h("button", { type: "button", class: "g-btn primary lx-draw", title: "Draw the next token by the seed’s next number, and put it after the prompt", onclick: pull }, "Draw a token");
  const input = h("input", { class: "lx-number", type: "text", inputmode: "numeric", autocomplete: "off", maxlength: 10, "aria-label": "Seed", onchange: () => {
    const seed = Number(input.value);
    if (input.value.trim() !== "" && Number.isInteger(seed) && seed >= 0 && seed <= MOST_SEED) store.set({ seed });
    else say(`The seed is ${input.value.slice(0, 20) || "empty"}; it may be 0 to ${MOST_SEED.toLocaleString("en")}: type a whole number in between.`, "error");
    input.value = String(store.get("seed"));
  } });
  return {
    element: h("div", { class: "lx-drawer" }, button, h("label", {}, term("Seed", "Where the numbers of chance begin: the same seed draws the same tokens. Another seed is other luck."), input)),
    render() { if (document.activeElement !== input) input.value = String(store.get("seed")); },
  };
}
