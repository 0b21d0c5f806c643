// What the visitor has set, in one place, and its copy in the address bar.
//
//   const store = createStore({ state, defaults }, { turns: ["tool", "model"], passing: ["play"] });
//
// turns: the keys whose change is a turn that Back takes back, an entry of its own in the browser's history; anything else
// replaces the address of the entry one is in. passing: what changes by itself while one looks on, and makes no scene
// another. After every change the window hears "gallery:state", by which the cards of the scenes are lit.
// Scenes, and Back itself: visits.js.

const SETTLE_MS = 250; // browsers refuse more than about 200 address changes in 30 s

const short = (value) => String(Math.round(value * 1000) / 1000);

// Pins with "~" between them: t123 a test picture, p0.5,1 a point, o0.5,1 the code of one's own picture.
const pinText = (pin) =>
  pin.kind === "test" ? `t${pin.index}` : `${pin.kind === "own" ? "o" : "p"}${pin.z.map(short).join(",")}`;

const FORMATS = {
  z: (z) => (z && z.length <= 64 ? z.map(short).join(",") : ""),
  pins: (pins) => pins.map(pinText).join("~"),
  layers: (names) => names.join(",") || "none",
  view: (view) => (view ? view.map(short).join(",") : ""),
  only: (classes) => classes.join(","),
};

const plain = (value) => (value === true ? "1" : value === false || value == null ? "" : String(value));
const same = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);

export function createStore(opening, { turns = [], passing = null } = {}) {
  const state = { ...opening.state };
  const defaults = { ...opening.defaults };
  const formats = { ...FORMATS };
  const listeners = new Set();
  const lent = new Map(); // key -> the value that the address goes on naming
  let timer = 0;
  let depth = 0; // listeners set further keys: all of it is one change
  let turned = false;
  let quiet = false;

  const text = (key, values) => (formats[key] || plain)(values[key]);
  const named = () => (lent.size ? { ...state, ...Object.fromEntries(lent) } : state);

  function query() {
    const parts = [];
    const values = named();
    for (const key of Object.keys(values)) {
      if (!(key in defaults) || same(values[key], defaults[key])) continue;
      const value = text(key, values);
      // Commas and tildes may stand as they are, and a link stays readable.
      if (value !== "") parts.push(`${key}=${encodeURIComponent(value).replace(/%2C/g, ",").replace(/%7E/g, "~").replace(/%2F/g, "/")}`);
    }
    return parts.join("&");
  }

  function write(way = "replaceState") {
    clearTimeout(timer);
    const now = query();
    const address = location.pathname + (now ? `?${now}` : "") + location.hash;
    if (address !== location.pathname + location.search + location.hash) history[way](way === "pushState" ? null : history.state, "", address);
  }

  // Every key as it would stand in the address, defaults too.
  function tell() {
    if (!passing) return;
    const texts = (values) => Object.fromEntries(Object.keys(defaults).map((key) => [key, text(key, values)]));
    dispatchEvent(new CustomEvent("gallery:state", { detail: { state: texts(named()), defaults: texts(defaults), passing } }));
  }

  // What `change` sets is one change; `turns` is whether it is a turn in any case.
  function together(change, turn) {
    if (turn && !turned && !quiet) {
      if (!depth) write(); // the entry that is left keeps what was set in it
      turned = true;
    }
    depth++;
    try {
      change();
    } finally {
      depth--;
    }
    if (depth) return;
    clearTimeout(timer);
    if (turned) write("pushState");
    turned = false;
    timer = setTimeout(() => (write(), tell()), SETTLE_MS);
  }

  const api = {
    get: (key) => (key === undefined ? state : state[key]),
    set(patch) {
      const kept = Object.keys(patch).filter((key) => lent.delete(key)); // what is set is no longer lent, be it the same
      const changed = new Set(Object.keys(patch).filter((key) => !same(state[key], patch[key])));
      if (!changed.size && !kept.length) return;
      together(() => {
        for (const key of changed) state[key] = patch[key];
        for (const { keys, fn } of [...listeners]) {
          if (keys === null || keys.some((key) => changed.has(key))) fn(state, changed);
        }
      }, turns.some((key) => changed.has(key)));
    },
    // Set for as long as a thing lasts: the address, and the scene it is of, go on naming what stood there before.
    lend(patch) {
      const before = named();
      const owed = Object.keys(patch).map((key) => [key, before[key]]);
      api.set(patch);
      for (const [key, value] of owed) if (!same(state[key], value)) lent.set(key, value);
    },
    giveBack() { api.set(Object.fromEntries(lent)); },
    // Everything that `change` sets is one turn.
    turn: (change) => together(change, true),
    // Everything that `change` sets belongs to the entry of the history that one has just come (back) to.
    arrive(change) {
      clearTimeout(timer);
      quiet = true;
      try {
        together(change, false);
      } finally {
        quiet = false;
      }
    },
    // keys: a name, a list of names, or "*". Returns a function that ends the listening.
    on(keys, fn) {
      const entry = { keys: keys === "*" ? null : [].concat(keys), fn };
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
    // A tool names a key of its own; the server must know it too (FIELDS in the tool's Python module).
    define(key, { default: fallback = "", format } = {}) {
      if (!(key in defaults)) defaults[key] = fallback;
      if (!(key in state)) state[key] = fallback;
      if (format) formats[key] = format;
    },
    defaults,
    query,
    write: () => write(),
    url: () => location.origin + location.pathname + (query() ? `?${query()}` : ""),
  };
  return api;
}
