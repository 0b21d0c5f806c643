// The prompt and the model that reads it, above every tool.

import { h } from "../common/dom.js";

const TYPING_MS = 250; // a pause of so much is taken for the end of a word
const OTHER = "\0"; // the menu's entry that opens the shelf of other models

const millions = (count) => (count >= 1e9 ? `${(count / 1e9).toFixed(1)} billion` : count >= 1e6 ? `${(count / 1e6).toFixed(1)} million` : count.toLocaleString("en"));

/** enter(): the visitor pressed Enter. Returns the elements of the head. */
export function createPrompt({ store, data, say, enter }) {
  return [field({ store, enter }), menu({ store, data, say })];
}

function field({ store, enter }) {
  let timer = 0;
  const area = h("textarea", { id: "prompt", class: "lx-prompt", rows: 1, dir: "auto", spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-label": "Prompt", placeholder: "Type the beginning of a text" });
  const count = h("span", { class: "lx-count", title: "Tokens that the model has read, of those that it can read; the one that begins a text counts" });
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
  addEventListener("language:read", ({ detail }) => {
    count.textContent = `${detail.tokens.toLocaleString("en")} of ${detail.context.toLocaleString("en")} tokens`;
    count.dataset.full = String(detail.tokens >= 0.9 * detail.context);
  });
  requestAnimationFrame(render);
  render();
  return h("div", { class: "lx-field" }, area, count);
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
    facts.textContent = config ? factsOf(config) : "";
  }
  store.on("model", render);
  render();
  return h("div", { class: "lx-model" }, select, facts);
}

/** What is said of a model in one line. */
export function factsOf({ parameters, context, vocabulary, licence }) {
  return [parameters && `${millions(parameters)} weights`, vocabulary && `${vocabulary.toLocaleString("en")} tokens`, context && `reads ${context.toLocaleString("en")}`, licence].filter(Boolean).join(" · ");
}
