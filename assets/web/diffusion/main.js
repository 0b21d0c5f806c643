// The run that the settings ask for, shared by the tools that look at it. A new setting starts a new run and ends the old
// one; what the old one showed stays until the first step of the new one has arrived.

import { Take, listen } from "./take.js";

export const SETTINGS = ["model", "label", "guidance", "sampler", "eta", "steps", "schedule", "count", "seed"];
const SETTLE_MS = 120; // a slider under the finger asks once it pauses

export function createMain(app) {
  const listeners = new Set();
  const main = { take: null, coming: null, wanted: false, on: (fn) => (listeners.add(fn), () => listeners.delete(fn)) };
  let timer = 0;
  let abort = null;
  let asked = ""; // the settings of the run that is here or on its way

  // A tool that stumbles over a step is no reason to lose the run.
  const emit = (event, data) => {
    for (const fn of [...listeners]) {
      try { fn(event, data); } catch (fault) { reportError(fault); }
    }
  };
  const settings = () => Object.fromEntries(SETTINGS.map((key) => [key, app.store.get(key)]));

  /** A tool is open that shows the run: start it, unless it is here already or on its way. Whether it was started. */
  main.need = () => {
    main.wanted = true;
    const fresh = JSON.stringify(settings()) !== asked;
    if (fresh) main.start();
    return fresh;
  };
  main.rest = () => { main.wanted = false; };
  main.settings = settings;

  main.start = () => {
    clearTimeout(timer);
    asked = JSON.stringify(settings());
    return read(new Take(), settings());
  };

  /** The same run from its last step on, after its engine or its connection was lost. */
  main.goOn = () => {
    const { take } = main;
    if (!take?.token) return main.start();
    return read(take, { token: take.token, index: take.newest });
  };

  async function read(take, body) {
    abort?.abort();
    const mine = (abort = new AbortController());
    main.coming = take;
    main.sent = performance.now();
    take.state = "waiting";
    emit("asked", take);
    const current = (fn) => (data) => { if (abort === mine) fn(data); };
    const failed = current((fault) => {
      take.state = "failed";
      if (take.newest < 0) asked = "";
      emit("failed", { ...fault, take });
    });
    try {
      await listen(`${app.base}/run`, { ...body, session: app.session }, mine.signal, take, {
        status: current((status) => emit("status", status)),
        step: current((frame) => {
          if (main.take !== take) {
            main.take = take;
            main.firstMs = performance.now() - main.sent;
            emit("new", take);
          } else if (take.newest === frame.index) emit("step", frame);
        }),
        end: current(() => emit("end", take)),
        failed,
      });
    } catch (fault) {
      if (fault.name !== "AbortError") failed({ error: "The connection to the run was lost.", lost: true });
    }
  }

  app.store.on(SETTINGS, () => {
    if (!main.wanted) return;
    clearTimeout(timer);
    timer = setTimeout(() => { if (main.wanted && JSON.stringify(settings()) !== asked) main.start(); }, SETTLE_MS);
  });
  return main;
}
