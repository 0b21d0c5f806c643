// Models from elsewhere, in a dialog. A model of the Hub is looked at first, so that its size is known before anything is
// fetched; what is here already is taken at once. The prompt stays, and is cut into the new model's tokens.

import { h } from "../common/dom.js";
import { stylesheet } from "../common/sheet.js";
import { factsOf } from "./prompt.js";

const megabytes = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${Math.round(bytes / 1e6).toLocaleString("en")} MB`);
const shortName = (name) => name.replace(/^folder:/, "").split("/").at(-1);

export async function openShelf({ store, data, say: announce }) {
  await stylesheet(new URL("../diffusion/models.css", import.meta.url));
  const leaving = new AbortController();
  const told = h("p", { class: "mx-told", role: "status", "aria-live": "polite" });
  const close = h("button", { type: "button", class: "g-btn", onclick: () => dialog.close() }, "Close");
  const body = h("div", { class: "mx-body" }, h("p", { class: "mx-wait" }, "Looking at what is here …"));
  const dialog = h("dialog", { class: "mx-dialog", "aria-labelledby": "mx-title", onclose: () => { leaving.abort(); dialog.remove(); } },
    h("header", {}, h("h2", { id: "mx-title" }, "Take another model"), close), body, told);
  document.body.append(dialog);
  dialog.showModal();
  const shelf = {
    data, signal: leaving.signal,
    say(text, kind = "info") { told.textContent = text; told.dataset.kind = kind; },
    take(config) {
      dialog.close();
      if (!data.catalog.some((each) => each.name === config.name)) data.catalog.push(config);
      store.set({ model: config.name });
      announce(`${config.title || config.name} is here: ${factsOf(config)}.`);
    },
  };
  let found;
  try {
    found = await (await fetch(`${data.base}/shelf`, { signal: leaving.signal })).json();
  } catch (fault) {
    if (fault.name !== "AbortError") shelf.say("The gallery did not answer. It may be restarting: close this and try again in a moment.", "error");
    return;
  }
  if (!Array.isArray(found.curated)) return shelf.say(found.error || "No other models can be taken here.", "error");
  body.replaceChildren(...sections(found, shelf));
  (body.querySelector("button, input") ?? close).focus();
}

function sections(found, shelf) {
  const parts = [];
  if (found.policy === "bundled") parts.push(h("p", { class: "mx-note" }, "Whoever hosts this gallery lets it show its bundled models only. Start one of your own to take any model."));
  if (found.curated.length) parts.push(part("Well-known ones", "Fetched once from the Hugging Face Hub, then they work offline.",
    found.curated.map((each) => entry({ title: each.title, name: each.name, facts: `${each.megabytes} MB`, here: each.here, shelf }))));
  parts.push(part("Folders on this machine", found.own.length ? "" : "None yet. Whoever runs the gallery can put a folder in transformers’ layout into models/, beside the README.",
    found.own.map((name) => entry({ title: shortName(name), name, facts: "a folder", here: true, shelf }))));
  if (found.policy === "any") parts.push(other(shelf));
  return parts;
}

const part = (title, note, entries) => h("section", { class: "mx-part" }, h("h3", {}, title), note && h("p", { class: "mx-note" }, note), ...entries);

// One model: what it is, and the button that takes it, or fetches it and then takes it.
function entry({ title, name, facts, here, shelf }) {
  const word = here ? "Use" : "Fetch";
  const button = h("button", { type: "button", class: here ? "g-btn main" : "g-btn", "aria-label": `${word} ${name}` }, word);
  const bar = h("progress", { class: "mx-bar", max: 1, value: 0, hidden: true, "aria-label": `How much of ${name} is here` });
  let stop = null;
  button.addEventListener("click", async () => {
    if (stop) return stop.abort();
    stop = new AbortController();
    const signal = AbortSignal.any([shelf.signal, stop.signal]);
    try {
      if (!here) button.textContent = "Stop";
      shelf.take(here ? (await looked(shelf, name, signal)).config : await fetched(shelf, name, signal, (done, total) => {
        bar.hidden = false;
        bar.value = total ? done / total : 0;
        shelf.say(`${megabytes(done)} of ${megabytes(total)} of ${name} are here.`);
      }));
    } catch (fault) {
      if (shelf.signal.aborted) return;
      const stopped = fault.name === "AbortError";
      shelf.say(stopped ? "Stopped. Nothing was changed." : fault.message, stopped ? "info" : "error");
      bar.hidden = true;
      button.textContent = word;
    } finally {
      stop = null;
    }
  });
  return h("div", { class: "mx-entry" }, h("div", {}, h("b", {}, title), h("span", {}, name)), h("span", { class: "mx-facts" }, facts), button, bar);
}

// Any model of the Hub: its id is typed, it is looked at, and its size stands beside the button that fetches it.
function other(shelf) {
  const input = h("input", { class: "g-input", type: "text", id: "mx-id", maxlength: 200, autocomplete: "off", spellcheck: "false", placeholder: "owner/model" });
  const found = h("div", {});
  const form = h("form", { class: "mx-form", onsubmit: async (event) => {
    event.preventDefault();
    shelf.say(`Asking for ${input.value.trim() || "it"} …`);
    found.replaceChildren();
    try {
      const { config, offer } = await looked(shelf, input.value, shelf.signal);
      if (config) return shelf.take(config);
      shelf.say("");
      found.replaceChildren(entry({ title: shortName(offer.name), name: offer.name, facts: `${megabytes(offer.bytes)}${offer.licence ? ` · ${offer.licence}` : ""}`, here: false, shelf }));
      found.querySelector("button").focus();
    } catch (fault) {
      if (!shelf.signal.aborted) shelf.say(fault.message, "error");
    }
  } }, h("label", { for: "mx-id" }, "Its id on the Hub"), input, h("button", { type: "submit", class: "g-btn" }, "Look"));
  return h("section", { class: "mx-part" }, h("h3", {}, "Any other"), h("p", { class: "mx-note" },
    "A causal language model that transformers loads without remote code: GPT-2, GPT-NeoX, Llama, Qwen and others. Only safetensors files are read."), form, found);
}

const looked = async (shelf, name, signal) => (await shelf.data.post("look", { name }, signal)).json();

async function fetched(shelf, name, signal, tell) {
  const reader = (await shelf.data.post("fetch", { name }, signal)).body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error("The line broke while it was fetched: fetch it again to go on.");
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines.map(JSON.parse)) {
      if (line.error) throw new Error(line.error);
      if (line.config) return line.config;
      tell(line.done, line.total);
    }
  }
}
