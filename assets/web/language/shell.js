// The page's shell: prompt, model, tools and the stage. It stands in the page before Streamlit has started, above what
// Streamlit draws, and stays there: a rerun of the script touches nothing of it.
//
// The script mounts one component, which draws nothing; its JavaScript is
//
//   export default async (component) => {
//     const { mount } = await import(`${document.documentElement.dataset.base || ""}/assets/web/language/shell.js`);
//     mount(component);
//   };
//
// From the shell to the script: component.setStateValue("state", {...every key of the address, turn}). It is handed over
// when the component is first there, when the tool changes, and, while the script draws the tool (sides, decoding,
// bonnet), when anything else does. turn: counts the times that the shell itself changed what the script's widgets show
// (a scene, Back): the widgets take the state's values when it has grown, and keep their own otherwise.
// From the script to the shell: component.data.native = {key: value} of its widgets; the shell writes them to the address.
//
// A tool that the shell draws is made once and shown and hidden:
//   createDistribution / createWriter({ host, side, store, data, say }) -> { show(), hide(), destroy() }
// host: the instrument; side: the place for controls; both are empty when show() is called, and the tool may fill them as
// it likes until hide(), after which the shell empties them. say(sentence, kind = "info" | "busy" | "error").

import { h } from "../common/dom.js";
import { stylesheet } from "../common/sheet.js";
import { createStore } from "../common/store.js";
import { visits } from "../common/visits.js";
import { createData, dataBase } from "./data.js";
import { createDistribution } from "./distribution.js";
import { createPrompt } from "./prompt.js";

export const TOOLS = { distribution: "Distribution", write: "Write", sides: "Side by side", decoding: "Decoding", bonnet: "Under the bonnet" };
const NATIVE = ["sides", "decoding", "bonnet"];
const WIDGETS = ["temps", "samples", "len", "method", "beams", "lp", "read", "text"]; // keys that the script's widgets hold
const HAND_MS = 250;
const LONGEST = 6000; // bytes of a prompt in the address, which the hub reads up to 8,192; a longer one is not in the link

let shell = null;
let arrived = null; // the component, where it comes before the opening

/** Called by the component at every rerun of the script. */
export function mount(component) {
  arrived = component;
  shell?.connect(component);
}

export async function boot(main) {
  const parts = build();
  main.prepend(parts.host);
  const say = sayer(parts.status);
  let opening;
  try {
    opening = await (await fetch(`${dataBase()}/opening${location.search}`)).json();
  } catch (fault) {
    console.debug("the opening did not arrive", fault);
    return say("The gallery did not answer. Reload the page in a moment.", "error");
  }
  if (opening.error) return say(opening.error, "error");
  shell = createShell(parts, opening, say);
  window.__language = shell;
  shell.start(opening.faults);
  if (arrived) shell.connect(arrived);
}

function build() {
  const instrument = h("figure", { id: "instrument", class: "lx-instrument", "data-ready": "false" });
  const status = h("p", { id: "status", class: "g-status lx-status", role: "status", "aria-live": "polite", "data-kind": "busy" }, "Opening …");
  const tabs = h("div", { class: "g-tabs lx-tabs", role: "tablist", "aria-label": "Tools" });
  const side = h("section", { class: "lx-side", "aria-label": "Controls" });
  const head = h("div", { class: "lx-head" });
  const stage = h("div", { class: "lx-stage", id: "lx-stage", role: "tabpanel" }, instrument, side);
  return { host: h("div", { class: "lx" }, head, h("div", { class: "lx-bar" }, tabs, status), stage), head, tabs, status, stage, instrument, side };
}

// One sentence for whoever looks or listens.
function sayer(element) {
  return (text, kind = "info") => {
    const words = text ? text[0].toUpperCase() + text.slice(1) : "";
    if (element.textContent !== words) element.textContent = words;
    element.title = words;
    element.dataset.kind = kind;
  };
}

function createShell(parts, opening, say) {
  const store = createStore(opening, { turns: ["tool", "model"], passing: ["play"] });
  store.define("temps", { format: (values) => [].concat(values).join(",") });
  store.define("prompt", { format: (text) => (encodeURIComponent(text).length > LONGEST ? "" : text) });
  const data = createData(opening.catalog);
  const made = {};
  let open = null, component = null, handed = "", timer = 0, turn = 0, complaint = "";

  // What could not be read of an address stands until the visitor changes something.
  const tell = (text, kind = "info") => {
    if (complaint && kind !== "error") return;
    complaint = "";
    say(text, kind);
    parts.status.hidden = native() && kind !== "error"; // beneath, the script speaks for itself
  };
  function complain(faults) {
    if (!faults.length) return;
    const more = faults.length > 1 ? ` (${faults.length - 1} more of what the address says could not be read.)` : "";
    tell(faults[0] + more, "error");
    complaint = faults[0];
  }

  const native = () => NATIVE.includes(store.get("tool"));
  const toolOf = {
    distribution: async (given) => createDistribution(given),
    write: async (given) => (await import("./write.js")).createWriter(given),
  };

  async function choose() {
    const name = store.get("tool");
    if (open === name) return;
    const before = open;
    open = name;
    select(parts, name);
    parts.stage.dataset.tool = name;
    (await made[before])?.hide();
    if (native()) await stylesheet(new URL("./native.css", import.meta.url));
    if (store.get("tool") !== name) return;
    parts.instrument.replaceChildren();
    parts.side.replaceChildren();
    place(parts, native(), complaint);
    hand();
    if (native()) return;
    made[name] ??= toolOf[name]({ host: parts.instrument, side: parts.side, store, data, say: tell }).catch((fault) => {
      console.warn(name, fault);
      delete made[name];
      parts.instrument.replaceChildren(h("p", { class: "lx-missing" }, "This tool could not be loaded; the rest of the page works. Reload to try again."));
      return null;
    });
    const tool = await made[name];
    if (store.get("tool") === name) await tool?.show();
  }

  // The script is told; what it knows already is not told again.
  function hand() {
    clearTimeout(timer);
    if (!component) return;
    const now = JSON.stringify({ ...store.get(), turn });
    if (now === handed) return;
    handed = now;
    component.setStateValue("state", JSON.parse(now));
  }

  function restore(state, faults) {
    if (WIDGETS.some((key) => JSON.stringify(store.get(key)) !== JSON.stringify(state[key]))) turn++;
    if (store.get("play") && state.play) store.set({ play: false }); // so that a scene pressed twice plays twice
    store.set(state);
    complain(faults);
    parts.host.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  return {
    store, data,
    connect(given) {
      component = given;
      const values = given.data?.native ?? {};
      const known = Object.fromEntries(Object.entries(values).filter(([key]) => key in store.defaults));
      if (native() && Object.keys(known).length) {
        store.set(known);
        handed = handed && JSON.stringify({ ...JSON.parse(handed), ...known }); // the script knows what it said itself
      }
      hand();
    },
    start(faults) {
      parts.head.append(...createPrompt({ store, data, say: tell, enter: () => { if (store.get("tool") === "write") store.set({ play: true }); } }));
      fillTabs(parts.tabs, store);
      visits({ store, base: data.base, apply: restore, failed: (sentence) => tell(sentence, "error") });
      addEventListener("pagehide", () => navigator.sendBeacon(`${data.base}/leave?session=${data.session}`)); // nothing runs on for nobody
      store.on("*", (_, changed) => {
        if (complaint && [...changed].some((key) => key !== "play")) {
          complaint = "";
          tell("");
        }
        if (!native() || changed.has("tool")) return;
        clearTimeout(timer);
        timer = setTimeout(hand, HAND_MS);
      });
      store.on("tool", () => { say(""); choose(); });
      choose();
      complain(faults);
    },
  };
}

// Where the script draws the body, its containers are the instrument and the status, and the shell's are not; what could
// not be read of the address is the shell's to say all the same.
function place(parts, native, complaint) {
  parts.host.toggleAttribute("data-native", native);
  parts.stage.hidden = native;
  parts.status.hidden = native && !complaint;
  for (const name of ["instrument", "status"]) {
    if (native) parts[name].removeAttribute("id");
    else parts[name].id = name;
  }
}

// One tab stop, arrow keys between the tabs.
function fillTabs(row, store) {
  const names = Object.keys(TOOLS);
  row.append(...names.map((name) => h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-selected": "false", tabindex: "-1", onclick: () => store.set({ tool: name }) }, TOOLS[name])));
  row.addEventListener("keydown", (event) => {
    const at = names.indexOf(store.get("tool"));
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const name = names[(next + names.length) % names.length];
    store.set({ tool: name });
    document.getElementById(`tab-${name}`).focus();
  });
}

function select(parts, chosen) {
  for (const name of Object.keys(TOOLS)) {
    const tab = document.getElementById(`tab-${name}`);
    tab.setAttribute("aria-selected", String(name === chosen));
    tab.tabIndex = name === chosen ? 0 : -1;
    if (name === chosen) {
      tab.scrollIntoView?.({ block: "nearest", inline: "nearest" });
      if (!NATIVE.includes(name)) tab.setAttribute("aria-controls", "lx-stage");
    }
  }
  parts.stage.setAttribute("aria-labelledby", `tab-${chosen}`);
}
