// Which model: the bundled ones as buttons, and a dialog for those from elsewhere. A model of the Hub is looked at first,
// so that its size is known before anything is fetched; what is here already is taken at once.

import { h } from "../common/dom.js";
import { stylesheet } from "../common/sheet.js";

const MOST_PIXELS = 4 * 256 * 256; // of all pictures of a run, as the engine has it
const TRAINED = "trained";

const megabytes = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${Math.round(bytes / 1e6).toLocaleString("en")} MB`);
export const shortName = (name) => name.replace(/^folder:/, "").split("/").at(-1);

/** Take a model, and with it what it cannot do without: a class, its own schedule, fewer pictures if they are large. */
export function take(app, config) {
  if (!app.catalog.some((each) => each.name === config.name)) app.catalog.push(config);
  const { label, schedule, count } = app.store.get();
  const classes = config.classes?.length ?? 0;
  const known = label === "each" || (label >= 0 && label < classes) || (label === -1 && config.free !== false);
  const most = Math.max(1, Math.floor(MOST_PIXELS / (config.image[0] * config.image[1])));
  app.store.set({
    model: config.name, label: !classes ? -1 : known ? label : 0, count: Math.min(count, most),
    schedule: config.schedule === TRAINED ? TRAINED : schedule === TRAINED ? config.schedule : schedule,
  });
}

/** The row's control: {host, note, render}. names: dataset -> what its button says. note: of a model from elsewhere. */
export function chooser(app, names) {
  const group = h("div", { class: "g-seg dx-models", role: "group", "aria-label": "Model" });
  const more = h("button", { type: "button", title: "Models of the Hugging Face Hub, or folders of your own", "aria-label": "Other models", "aria-haspopup": "dialog", onclick: () => openShelf(app) }, "⋯");
  const host = h("div", { class: "dx-seg" }, group);
  const note = h("div", { class: "dx-about", hidden: true });
  group.append(...app.catalog.filter((each) => !each.foreign).map((each) =>
    h("button", { type: "button", "data-model": each.name, title: each.name, onclick: () => take(app, each) }, names[each.dataset] ?? each.name)), more);
  return {
    host, note,
    render: () => {
      const now = app.config();
      for (const each of group.querySelectorAll("[data-model]")) each.setAttribute("aria-pressed", String(each.dataset.model === now.name));
      more.setAttribute("aria-pressed", String(Boolean(now.foreign)));
      note.hidden = !now.foreign;
      if (now.foreign) note.replaceChildren(h("b", {}, shortName(now.name)), ` ${summary(now)}`);
    },
  };
}

// --- the dialog -----------------------------------------------------------------------------------------------------

async function openShelf(app) {
  await stylesheet(new URL("./models.css", import.meta.url));
  const leaving = new AbortController();
  const told = h("p", { class: "mx-told", role: "status", "aria-live": "polite" });
  const close = h("button", { type: "button", class: "g-btn", onclick: () => dialog.close() }, "Close");
  const body = h("div", { class: "mx-body" }, h("p", { class: "mx-wait" }, "Looking at what is here …"));
  const dialog = h("dialog", { class: "mx-dialog", "aria-labelledby": "mx-title", onclose: () => { leaving.abort(); dialog.remove(); } },
    h("header", {}, h("h2", { id: "mx-title" }, "Take another model"), close), body, told);
  document.body.append(dialog);
  dialog.showModal();
  const say = (text, kind = "info") => { told.textContent = text; told.dataset.kind = kind; };
  const take_ = (config) => { dialog.close(); take(app, config); app.status(`${config.name} is here: ${summary(config)}.`); };
  let shelf;
  try {
    shelf = await (await fetch(`${app.base}/shelf`, { signal: leaving.signal })).json();
  } catch (fault) {
    if (fault.name !== "AbortError") say("The gallery did not answer. It may be restarting: close this and try again in a moment.", "error");
    return;
  }
  if (shelf.error) return say(shelf.error, "error");
  body.replaceChildren(...sections(app, shelf, { say, take: take_, signal: leaving.signal }));
  (body.querySelector("button, input") ?? close).focus();
}

function summary(config) {
  const [height, width] = config.image;
  const classes = config.classes?.length ? `, ${config.classes.length} classes` : ", without classes";
  return `${width} × ${height}${classes}, ${(config.parameters / 1e6).toFixed(1)} million weights${config.latent ? ", in a latent space" : ""}`;
}

function sections(app, shelf, tools) {
  const found = [];
  if (shelf.policy === "bundled") found.push(h("p", { class: "mx-note" }, "Whoever hosts this gallery lets it show its bundled models only. Start one of your own to take any model."));
  if (shelf.curated.length) found.push(part("Well-known ones", "Fetched once from the Hugging Face Hub, then they work offline.", shelf.curated.map((each) => entry({
    title: each.title, name: each.name, facts: `${each.side} × ${each.side} · ${each.megabytes} MB`, here: each.here, app, tools }))));
  found.push(part("Folders on this machine", shelf.own.length ? "" : "None yet. Whoever runs the gallery can put a folder in diffusers’ layout into models/, beside the README.",
    shelf.own.map((name) => entry({ title: shortName(name), name, facts: "a folder", here: true, app, tools }))));
  if (shelf.policy === "any") found.push(other(app, tools));
  return found;
}

const part = (title, note, entries) => h("section", { class: "mx-part" }, h("h3", {}, title), note && h("p", { class: "mx-note" }, note), ...entries);

// One model: what it is, and the button that takes it, or fetches it and then takes it.
function entry({ title, name, facts, here, app, tools }) {
  const button = h("button", { type: "button", class: here ? "g-btn main" : "g-btn" }, here ? "Use" : "Fetch");
  button.setAttribute("aria-label", `${here ? "Use" : "Fetch"} ${name}`);
  const bar = h("progress", { class: "mx-bar", max: 1, value: 0, hidden: true, "aria-label": `How much of ${name} is here` });
  const row = h("div", { class: "mx-entry" }, h("div", {}, h("b", {}, title), h("span", {}, name)), h("span", { class: "mx-facts" }, facts), button, bar);
  let stop = null;
  button.addEventListener("click", async () => {
    if (stop) return stop.abort();
    stop = new AbortController();
    const signal = AbortSignal.any([tools.signal, stop.signal]);
    try {
      if (!here) button.textContent = "Stop";
      const config = here ? (await looked(app, name, signal)).config : await fetched(app, name, signal, (done, total) => {
        bar.hidden = false;
        bar.value = total ? done / total : 0;
        tools.say(`${megabytes(done)} of ${megabytes(total)} of ${name} are here.`);
      });
      tools.take(config);
    } catch (fault) {
      if (tools.signal.aborted) return;
      tools.say(fault.name === "AbortError" ? "Stopped. Nothing was changed." : fault.message, fault.name === "AbortError" ? "info" : "error");
      bar.hidden = true;
      button.textContent = here ? "Use" : "Fetch";
    } finally {
      stop = null;
    }
  });
  return row;
}

// Any model of the Hub: its id is typed, it is looked at, and its size stands beside the button that fetches it.
function other(app, tools) {
  const input = h("input", { class: "g-input", type: "text", id: "mx-id", maxlength: 200, autocomplete: "off", spellcheck: "false", placeholder: "owner/model" });
  const found = h("div", {});
  const form = h("form", { class: "mx-form", onsubmit: async (event) => {
    event.preventDefault();
    tools.say(`Asking for ${input.value.trim() || "it"} …`);
    found.replaceChildren();
    try {
      const { config, offer } = await looked(app, input.value, tools.signal);
      if (config) return tools.take(config);
      tools.say("");
      found.replaceChildren(entry({ title: shortName(offer.name), name: offer.name, facts: `${megabytes(offer.bytes)}${offer.licence ? ` · ${offer.licence}` : ""}`, here: false, app, tools }));
      found.querySelector("button").focus();
    } catch (fault) {
      if (!tools.signal.aborted) tools.say(fault.message, "error");
    }
  } }, h("label", { for: "mx-id" }, "Its id on the Hub"), input, h("button", { type: "submit", class: "g-btn" }, "Look"));
  return h("section", { class: "mx-part" }, h("h3", {}, "Any other"), h("p", { class: "mx-note" },
    "An unconditional or class-conditional diffusion model (UNet2DModel of diffusers), on pixels or, where there is a GPU, in a latent space. Only safetensors files are read."), form, found);
}

async function looked(app, name, signal) {
  const answer = await ask(app, "look", name, signal);
  const told = await answer.json();
  if (told.error) throw new Error(told.error);
  return told;
}

async function fetched(app, name, signal, tell) {
  const answer = await ask(app, "fetch", name, signal);
  if (!answer.ok) throw new Error((await answer.json()).error);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
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

async function ask(app, path, name, signal) {
  try {
    return await fetch(`${app.base}/${path}`, { method: "POST", body: JSON.stringify({ name, session: app.session }), headers: { "Content-Type": "application/json" }, signal });
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Error("The gallery did not answer. It may be restarting: try again in a moment.");
  }
}
