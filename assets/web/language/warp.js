// What becomes of a model's logits under the settings, in the order in which transformers applies them: repetition
// penalty (Keskar et al. 2019), temperature, top-k (Fan et al. 2018), top-p (Holtzman et al. 2020), min-p (Nguyen et
// al. 2024), typical-p (Meister et al. 2023). In float64, over tokens that stand sorted: what is sorted once per reading
// is not sorted again while a slider moves, and 50,257 tokens take a few milliseconds.

export const OFF = { temperature: 1, top_k: 0, top_p: 1, min_p: 0, typical_p: 1, repetition_penalty: 1 };
export const KEPT = 0, GREEDY = 1, TOP_K = 2, TOP_P = 3, MIN_P = 4, TYPICAL = 5; // what cut a token
export const CUTS = ["", "temperature 0", "top-k", "top-p", "min-p", "typical-p"];

const ID_BITS = 2 ** 20; // more tokens than any vocabulary has; with 32 bits of a float32 it fits a float64's 53

/** The tokens from the highest logit down, ties by lower id: Int32Array (V,). logits: Float32Array (V,). */
export function sorted(logits) {
  const bits = new Int32Array(Float32Array.from(logits, (value) => value + 0).buffer); // + 0: one zero only
  const keys = new Float64Array(logits.length);
  for (let id = 0; id < keys.length; id++) {
    const rising = bits[id] < 0 ? ~bits[id] >>> 0 : (bits[id] | 0x80000000) >>> 0; // in the order of the floats
    keys[id] = (0xffffffff - rising) * ID_BITS + id;
  }
  keys.sort();
  return Int32Array.from(keys, (key) => key % ID_BITS);
}

/** What the network says of the next token. logits: Float32Array (V,); ids: the tokens it has read. */
export function createWarper(logits, ids) {
  const size = logits.length;
  const first = sorted(logits);
  const seen = [...new Set(ids)].filter((id) => id >= 0 && id < size);
  const before = softmax(logits, first);
  const places = new Int32Array(size); // rank from 0, before anything is changed
  first.forEach((id, place) => { places[id] = place; });
  const held = { penalty: 0, order: new Int32Array(size), scores: new Float64Array(size) };
  const work = { e: new Float64Array(size), q: new Float64Array(size), cut: new Uint8Array(size) };

  return {
    size, logits, before, places,
    /** See reshape(). The arrays of the answer are written anew by the next call. */
    warp(settings) {
      const wanted = { ...OFF, ...settings };
      if (held.penalty !== wanted.repetition_penalty) penalize(logits, first, seen, wanted.repetition_penalty, held);
      return reshape(held, work, wanted);
    },
  };
}

/** p: softmax of the logits by id, Float64Array (V,); its entropy in nats and e to that. */
function softmax(logits, order) {
  const p = new Float64Array(logits.length);
  const top = logits[order[0]];
  let sum = 0;
  for (let id = 0; id < p.length; id++) sum += p[id] = Math.exp(logits[id] - top);
  let entropy = 0;
  for (let id = 0; id < p.length; id++) {
    p[id] /= sum;
    if (p[id] > 0) entropy -= p[id] * Math.log(p[id]);
  }
  return { p, entropy, effective: Math.exp(entropy) };
}

// A positive logit of a token that was read is divided by the penalty, a negative one multiplied; the few that move are
// put in anew, the others keep their order.
function penalize(logits, first, seen, penalty, into) {
  const { order, scores } = into;
  const moved = new Map(penalty === 1 ? [] : seen.map((id) => [id, logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty]));
  const line = [...moved].sort(([a, x], [b, y]) => y - x || a - b);
  let next = 0, place = 0;
  for (const id of first) {
    if (moved.has(id)) continue;
    const score = logits[id];
    while (next < line.length && (line[next][1] > score || (line[next][1] === score && line[next][0] < id))) [order[place], scores[place++]] = line[next++];
    order[place] = id;
    scores[place++] = score;
  }
  while (next < line.length) [order[place], scores[place++]] = line[next++];
  into.penalty = penalty;
}

/** Distribution after the settings, by place from the highest score down:
    order Int32Array (V,) the ids, q Float64Array (V,), cut Uint8Array (V,) what cut it, kept, entropy in nats, effective =
    e^entropy, left: how many tokens each setting left, null where it is off. */
function reshape({ order, scores }, { e, q, cut }, settings) {
  const left = { top_k: null, top_p: null, min_p: null, typical_p: null };
  if (settings.temperature === 0) {
    q.fill(0);
    cut.fill(GREEDY);
    [q[0], cut[0]] = [1, KEPT];
    return { order, q, cut, kept: 1, entropy: 0, effective: 1, left };
  }
  const size = order.length;
  const t = settings.temperature, top = scores[0] / t;
  for (let i = 0; i < size; i++) e[i] = Math.exp(scores[i] / t - top);
  cut.fill(KEPT);
  let end = size; // beyond it everything is cut
  if (settings.top_k > 0) left.top_k = end = topK(scores, cut, settings.top_k);
  if (settings.top_p < 1) {
    end = topP(scores, e, cut, end, settings.top_p);
    left.top_p = count(cut, end);
  }
  if (settings.min_p > 0) {
    end = minP(e, cut, end, settings.min_p);
    left.min_p = count(cut, end);
  }
  if (settings.typical_p < 1) {
    end = typicalP(scores, e, cut, end, t, settings.typical_p);
    left.typical_p = count(cut, end);
  }
  const sum = total(e, cut, end);
  let entropy = 0, kept = 0;
  for (let i = 0; i < end; i++) {
    q[i] = cut[i] ? 0 : e[i] / sum;
    if (cut[i]) continue;
    kept++;
    if (q[i] > 0) entropy -= q[i] * Math.log(q[i]);
  }
  q.fill(0, end);
  return { order, q, cut, kept, entropy, effective: Math.exp(entropy), left };
}

function total(e, cut, end) {
  let sum = 0;
  for (let i = 0; i < end; i++) if (!cut[i]) sum += e[i];
  return sum;
}

function count(cut, end) {
  let kept = 0;
  for (let i = 0; i < end; i++) if (!cut[i]) kept++;
  return kept;
}

// The k highest, and whatever is as high as the last of them.
function topK(scores, cut, k) {
  let end = Math.min(k, scores.length);
  while (end < scores.length && scores[end] === scores[end - 1]) end++;
  cut.fill(TOP_K, end);
  return end;
}

// From the least likely up, as long as all of them together are no more than 1 - p. Among tokens as likely as each other
// the lower id goes first, as a stable sort has it: they stand here from place `from` on, by rising id.
function topP(scores, e, cut, end, p) {
  const sum = total(e, cut, end);
  let together = 0;
  for (let to = end; to > 0;) {
    let from = to - 1;
    while (from > 0 && scores[from - 1] === scores[to - 1]) from--;
    for (let i = from; i < to; i++) {
      together += e[i] / sum;
      if (together > 1 - p || (from === 0 && i === to - 1)) return to;
      cut[i] = TOP_P;
    }
    to = from;
  }
  return end;
}

// What is less likely than a share of the likeliest.
function minP(e, cut, end, share) {
  const sum = total(e, cut, end);
  const first = cut.indexOf(KEPT);
  const least = share * (e[first] / sum);
  let last = first + 1;
  for (let i = first + 1; i < end; i++) {
    if (cut[i]) continue;
    if (e[i] / sum < least) cut[i] = MIN_P;
    else last = i + 1;
  }
  return last;
}

// Those whose surprise is nearest to the entropy, until they hold the mass. Surprise rises with the place, so that the
// nearest are found by two fingers that leave the place where it crosses the entropy.
function typicalP(scores, e, cut, end, t, mass) {
  const sum = total(e, cut, end), shift = scores[0] / t + Math.log(sum);
  const surprise = (i) => shift - scores[i] / t;
  let entropy = 0;
  for (let i = 0; i < end; i++) if (!cut[i] && e[i] > 0) entropy += (e[i] / sum) * surprise(i);
  const distance = (i) => Math.abs(surprise(i) - entropy);
  let right = 0;
  while (right < end && (cut[right] || surprise(right) < entropy)) right++;
  let left = right - 1, together = 0, limit = 0;
  for (;;) {
    while (left >= 0 && cut[left]) left--;
    while (right < end && cut[right]) right++;
    if (left < 0 && right >= end) { limit = Infinity; break; }
    const nearest = right >= end || (left >= 0 && distance(left) <= distance(right)) ? left-- : right++;
    together += e[nearest] / sum;
    limit = distance(nearest);
    if (together >= mass) break;
  }
  let last = 0;
  for (let i = 0; i < end; i++) {
    if (cut[i]) continue;
    if (distance(i) > limit) cut[i] = TYPICAL;
    else last = i + 1;
  }
  return last;
}

/** The place of the token that u in [0, 1) draws: the first whose q, added to all before it, exceeds u. low: the q before it. */
export function draw({ q, cut }, u) {
  let low = 0, last = { place: 0, low: 0 };
  for (let place = 0; place < q.length; place++) {
    if (cut[place] || q[place] === 0) continue;
    last = { place, low };
    low += q[place];
    if (low > u) break;
  }
  return last;
}
