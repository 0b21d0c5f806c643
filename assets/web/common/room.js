// What the pages of rooms that draw themselves have in common: an opening that the hub answers, a line of status, requests,
// complaints about an address, and the comings and goings of a visit.

import { visits } from "./visits.js";

const root = document.documentElement;
const SILENCE = "The gallery did not answer. It may be restarting: try again in a moment.";

export const dataBase = () => `${root.dataset.base || ""}/demo/${root.dataset.slug}/data`;

/** A sentence begins with a capital; a name keeps its own beginning. */
export const sentence = (text) => text.replace(/^[a-z](?=[a-z]*[ ,:])/, (letter) => letter.toUpperCase());

export function statusLine(element) {
  return (text, kind = "info") => {
    const words = sentence(text);
    if (element.textContent !== words) element.textContent = words;
    element.dataset.kind = kind;
  };
}

/** The state that the address asks for, {state, faults, defaults, …}; null, and said, where the hub gives none. */
export async function opening(base, status) {
  try {
    const answer = await (await fetch(`${base}/opening${location.search}`)).json();
    if (!answer.error) return answer;
    status(answer.error, "error");
  } catch (fault) {
    console.debug("the opening did not arrive", fault);
    status("The gallery did not answer. Reload the page in a moment.", "error");
  }
  return null;
}

/** app.status, app.complain, app.ready and app.post; app: {base, session, stage: {host, instrument, status}, store}.
    passing: keys whose change is no turning to something else. */
export function equip(app, status, passing) {
  // What could not be read of an address stands until the visitor changes something: ordinary news do not cover it.
  app.complaint = "";
  app.status = (text, kind = "info") => {
    if (app.complaint && kind !== "error") return;
    app.complaint = "";
    status(text, kind);
  };
  app.complain = (faults) => {
    if (!faults.length) return;
    app.status(unread(faults), "error");
    app.complaint = unread(faults);
  };
  app.store.on("*", (_, changed) => { if ([...changed].some((key) => !passing.includes(key))) app.complaint = ""; });
  /** The page can be used: said once by whichever tool is open. */
  app.ready = () => {
    app.stage.host.dataset.ready = "true";
    app.stage.instrument.dataset.ready = "true";
  };
  app.post = async (path, body, signal) => {
    const answer = await reached(app, path, body, signal).then((got) => got.json(), silent);
    if (answer.error) {
      app.status(answer.error, "error");
      throw Object.assign(new Error(answer.error), { gone: answer.gone });
    }
    return answer;
  };
}

const silent = (fault) => {
  if (fault.name === "AbortError") throw fault;
  return { error: SILENCE };
};

const reached = (app, path, body, signal) => fetch(`${app.base}/${path}`, {
  method: "POST", body: body instanceof Blob ? body : JSON.stringify({ ...body, session: app.session }), signal,
  headers: { "Content-Type": body instanceof Blob ? "application/octet-stream" : "application/json" },
});

/** Scenes, Back and Forward, and nothing running on for nobody. before: called with the state that is about to be set. */
export function live(app, before = () => {}) {
  const restore = (state, faults) => {
    before(state);
    app.store.set(state);
    app.complain(faults);
    app.stage.host.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  };
  visits({ store: app.store, base: app.base, apply: restore, failed: (said) => app.status(said, "error") });
  addEventListener("pagehide", () => navigator.sendBeacon(`${app.base}/leave?session=${app.session}`));
  // A complaint stands until the visitor turns to something else.
  app.store.on("tool", () => { if (app.stage.status.dataset.kind === "error") app.status(""); });
}

// One sentence about an address that could not be read whole: the first fault, and how many more there are.
function unread([first, ...others]) {
  return others.length ? `${first} (${others.length} more of what the address says could not be read.)` : first;
}
