// What the visitor has set, in one place, and its copy in the address bar.

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

export function createStore(opening) {
  const state = { ...opening.state };
  const defaults = { ...opening.defaults };
  const formats = { ...FORMATS };
  const listeners = new Set();
  let timer = 0;

  function query() {
    const parts = [];
    for (const key of Object.keys(state)) {
      if (!(key in defaults) || same(state[key], defaults[key])) continue;
      const text = (formats[key] || plain)(state[key]);
      // Commas and tildes may stand as they are, and a link stays readable.
      if (text !== "") parts.push(`${key}=${encodeURIComponent(text).replace(/%2C/g, ",").replace(/%7E/g, "~").replace(/%2F/g, "/")}`);
    }
    return parts.join("&");
  }

  function write() {
    clearTimeout(timer);
    const text = query();
    const address = location.pathname + (text ? `?${text}` : "") + location.hash;
    if (address !== location.pathname + location.search + location.hash) history.replaceState(history.state, "", address);
  }

  return {
    get: (key) => (key === undefined ? state : state[key]),
    set(patch) {
      const changed = new Set(Object.keys(patch).filter((key) => !same(state[key], patch[key])));
      if (!changed.size) return;
      for (const key of changed) state[key] = patch[key];
      for (const { keys, fn } of [...listeners]) {
        if (keys === null || keys.some((key) => changed.has(key))) fn(state, changed);
      }
      clearTimeout(timer);
      timer = setTimeout(write, SETTLE_MS);
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
    write,
    url: () => location.origin + location.pathname + (query() ? `?${query()}` : ""),
  };
}
