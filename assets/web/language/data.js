// What the page asks the hub for, and what it keeps of the answers. One object for all tools:
//
//   data.base                          where the page's data is asked for, without a slash at the end
//   data.session                       this page's name, sent with every request
//   data.catalog, data.config(name)    the models: [{name, title, parameters, context, vocabulary, licence, family, measured, foreign}]
//   await data.vocabulary(model)       {tokens: [Uint8Array], text(id), shown(id), decode(ids), special: Set, end, size}; kept for each model
//                                      text: what a token adds to a text, as far as its bytes are whole letters
//                                      shown: the same for the eye: spaces ·, tabs ⇥, line breaks ↵, bytes that are no letter <e2 80>
//                                      decode(ids): the text of many tokens; one that ends inside a letter ends before that letter
//   data.vocabularyNow(model)          the same if it is here already, else null
//   await data.read(model, text, then = [], signal)
//                                      {ids, prompt, context, logits: Float32Array}; kept while it is among the last few
//   await data.post(path, body, signal)   the Response of a POST of JSON; a refusal is thrown as Error(sentence), and an
//                                      end by the signal as AbortError. The session is put into the body.
//
// Whatever fails is thrown as an Error whose message may be shown; nothing is said here.

const KEPT = 8; // readings kept: to go back and forth between a few prompts asks nobody
const AWAY = "The gallery did not answer. It may be restarting: try again in a moment.";
const root = document.documentElement;

export const dataBase = () => `${root.dataset.base || ""}/demo/${root.dataset.slug || "temperature-slider"}/data`;

export function createData(catalog, base = dataBase()) {
  const session = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  const vocabularies = new Map(); // model -> promise
  const here = new Map(); // model -> vocabulary
  const readings = new Map(); // what was asked -> reading, the newest last

  async function post(path, body, signal) {
    let answer;
    try {
      answer = await fetch(`${base}/${path}`, {
        method: "POST", body: JSON.stringify({ ...body, session }), signal, headers: { "Content-Type": "application/json" },
      });
    } catch (fault) {
      if (fault.name === "AbortError") throw fault;
      dispatchEvent(new Event("gallery:unanswered"));
      throw new Error(AWAY);
    }
    if (answer.ok) return answer;
    const told = await answer.json().catch(() => ({}));
    throw new Error(told.error || AWAY);
  }

  function vocabulary(model) {
    if (!vocabularies.has(model)) {
      const asked = fetchVocabulary(base, model);
      vocabularies.set(model, asked);
      asked.then((found) => here.set(model, found), () => vocabularies.delete(model)); // asked again the next time
    }
    return vocabularies.get(model);
  }

  async function read(model, text, then = [], signal) {
    const key = JSON.stringify([model, text, then]);
    let reading = readings.get(key);
    if (!reading) reading = unpack(await (await post("read", { model, text, then }, signal)).arrayBuffer());
    readings.delete(key);
    readings.set(key, reading);
    if (readings.size > KEPT) readings.delete(readings.keys().next().value);
    return reading;
  }

  return {
    base, session, catalog, post, vocabulary, read,
    config: (name) => catalog.find((each) => each.name === name) ?? null,
    vocabularyNow: (model) => here.get(model) ?? null,
  };
}

async function fetchVocabulary(base, model) {
  let told;
  try {
    told = await (await fetch(`${base}/vocabulary?${new URLSearchParams({ model })}`)).json();
  } catch {
    throw new Error(AWAY);
  }
  if (told.error) throw new Error(told.error);
  return makeVocabulary(told);
}

/** tokens: strings in which every character is one byte. */
export function makeVocabulary({ tokens, special, end }) {
  const bytes = tokens.map((token) => Uint8Array.from(token, (letter) => letter.charCodeAt(0)));
  const specials = new Set(special);
  const texts = new Map();
  const shows = new Map();
  const remember = (map, make) => (id) => {
    if (!map.has(id)) map.set(id, make(id));
    return map.get(id);
  };
  return {
    tokens: bytes, special: specials, end, size: bytes.length,
    text: remember(texts, (id) => (specials.has(id) ? "" : decodeWhole([bytes[id] ?? new Uint8Array()]))),
    shown: remember(shows, (id) => (specials.has(id) ? tokens[id] : show(bytes[id] ?? new Uint8Array()))),
    decode: (ids) => decodeWhole(ids.filter((id) => !specials.has(id)).map((id) => bytes[id] ?? new Uint8Array())),
  };
}

// In stream mode a decoder holds back a letter that is not complete.
function decodeWhole(pieces) {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return pieces.map((piece) => decoder.decode(piece, { stream: true })).join("");
}

const MARKS = { " ": "·", "\n": "↵", "\r": "␍", "\t": "⇥" };
// What has no shape of its own: control characters, joiners, marks of direction, the odd spaces, private use.
const SHAPELESS = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/** Bytes for the eye. */
export function show(bytes) {
  let out = "";
  for (let at = 0; at < bytes.length;) {
    const length = letterAt(bytes, at);
    if (!length) { // bytes that are no letter, together
      const from = at;
      while (at < bytes.length && !letterAt(bytes, at)) at++;
      out += `<${[...bytes.subarray(from, at)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}>`;
      continue;
    }
    const letter = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(at, at + length));
    at += length;
    out += MARKS[letter] ?? (SHAPELESS.test(letter) ? `<U+${letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}>` : letter);
  }
  return out;
}

// How many bytes the letter that begins here has, 0 where none does.
function letterAt(bytes, at) {
  const lead = bytes[at];
  const length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (!length || at + length > bytes.length) return 0;
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

/** The answer of /read: uint32 length of a header, the header as JSON, float16 logits. */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const halves = new Uint16Array(buffer.slice(4 + length, 4 + length + 2 * header.vocab));
  return { ...header, logits: fromHalves(halves) };
}

// Every float16 as a float32, from a table that is made once: 65,536 values.
let table = null;
export function fromHalves(halves) {
  if (!table) {
    table = new Float32Array(65536);
    for (let bits = 0; bits < 65536; bits++) {
      const exponent = (bits >> 10) & 31, fraction = bits & 1023;
      const size = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15);
      table[bits] = bits & 0x8000 ? -size : size;
    }
  }
  return Float32Array.from(halves, (bits) => table[bits]);
}
