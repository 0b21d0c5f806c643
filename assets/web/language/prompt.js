// The prompt and the model that reads it, above every tool.

import { h } from "../common/dom.js";
import { tip } from "../common/tip.js";

const TYPING_MS = 250; // a pause of so much is taken for the end of a word
const COUNT_MS = 600; // so much later it is read to be counted, where no tool has done so
const OTHER = "\0"; // the menu's entry that opens the shelf of other models

const millions = (count) => (count >= 1e9 ? `${(count / 1e9).toFixed(1)} B` : count >= 1e5 ? `${(count / 1e6).toFixed(count < 1e6 ? 2 : 1)} M` : count.toLocaleString("en"));

/** enter(): the visitor pressed Enter. Returns the elements of the head. */
export function createPrompt({ store, data, say, enter }) {
  return [field({ store, data, enter }), menu({ store, data, say })];
}

function field({ store, data, enter }) {
  let timer = 0;
  const area = h("textarea", { id: "prompt", class: "lx-prompt", rows: 1, dir: "auto", spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-label": "Prompt", placeholder: "Type the beginning of a text" });
  const count = createCount({ store, data });
  const grow = () => { // to three lines at most
    const line = parseFloat(getComputedStyle(area).lineHeight) || 28;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 3 * line + 14)}px`;
  };
  const commit = () => {
    clearTimeout(timer);
    store.set({ prompt: area.value });
  };
  area.addEventListener("input", () => {
    grow();
    clearTimeout(timer);
    timer = setTimeout(commit, TYPING_MS);
  });
  area.addEventListener("change", commit);
  area.addEventListener("keydown", (event) => { // Shift and Enter make a new line
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    commit();
    enter();
  });
  const render = () => {
    if (area.value !== store.get("prompt")) {
      clearTimeout(timer);
      area.value = store.get("prompt");
      area.scrollTop = area.scrollHeight;
    }
    grow();
  };
  store.on("prompt", render);
  addEventListener("resize", grow);
  requestAnimationFrame(render);
  render();
  return h("div", { class: "lx-field" }, area, count);
}

// How many tokens the prompt is. The tool that shows its distribution tells so; under another it is asked for.
function createCount({ store, data }) {
  const count = h("span", { class: "lx-count", ...tip("So many tokens your text is, of those that the model can read. Where a token of its own begins each text, it takes one place, too.") });
  let timer = 0;
  function show({ ids, context, special }) {
    const start = special.has(ids[0]) ? 1 : 0;
    const most = context.toLocaleString("en"), own = (ids.length - start).toLocaleString("en");
    count.textContent = start ? `${own} tokens + start token, of ${most}` : `${own} of ${most} tokens`;
    count.dataset.full = String(ids.length >= 0.9 * context);
    count.dataset.stale = "false";
    clearTimeout(timer);
  }
  async function ask() {
    const { model, prompt, tool } = store.get();
    if (tool === "distribution") return;
    try {
      const [{ ids, context }, { special }] = await Promise.all([data.read(model, prompt), data.vocabulary(model)]);
      if (store.get("model") === model && store.get("prompt") === prompt) show({ ids, context, special });
    } catch { /* the tool says what is wrong with it */ }
  }
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, COUNT_MS);
  };
  store.on(["model", "prompt"], () => {
    count.dataset.stale = "true"; // of the text before
    later();
  });
  addEventListener("language:read", ({ detail }) => show(detail));
  later();
  return count;
}

function menu({ store, data, say }) {
  const select = h("select", { class: "lx-select", "aria-label": "Model", onchange: async () => {
    if (select.value !== OTHER) return store.set({ model: select.value });
    render();
    const { openShelf } = await import("./shelf.js");
    openShelf({ store, data, say });
  } });
  const facts = h("small", { class: "lx-facts" });
  function render() {
    const now = store.get("model");
    const names = data.catalog.map((each) => each.name).join("\n");
    if (select.dataset.names !== names) {
      select.dataset.names = names;
      select.replaceChildren(...data.catalog.map((each) => h("option", { value: each.name }, each.title)), h("option", { value: OTHER }, "Other models …"));
    }
    select.value = now;
    const config = data.config(now);
    facts.replaceChildren(...(config ? linesOf(config) : []).map((line) => h("span", { title: line }, line)));
  }
  store.on("model", render);
  render();
  return h("div", { class: "lx-model lx-menu" }, select, facts);
}

const sizeOf = ({ parameters }) => parameters && `${millions(parameters)} parameters`;
const restOf = ({ context, vocabulary, licence }) => [vocabulary && `${vocabulary.toLocaleString("en")} tokens`, context && `reads ${context.toLocaleString("en")}`, licence];
const linesOf = (config) => [[config.about, sizeOf(config)].filter(Boolean).join(", "), restOf(config).filter(Boolean).join(" · ")].filter(Boolean);

/** What is said of a model in one line. */
export const factsOf = (config) => [sizeOf(config), ...restOf(config)].filter(Boolean).join(" · ");
