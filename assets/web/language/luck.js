// The numbers that tokens are drawn with: numpy's default_rng([seed, place]).random(), so that the page and the engine
// draw alike. SeedSequence and PCG64 (XSL-RR) as numpy has them: O'Neill 2014, "PCG: A Family of Simple Fast
// Space-Efficient Statistically Good Algorithms for Random Number Generation".

const MASK = (1n << 128n) - 1n;
const STEP = 0x2360ed051fc65da44385df649fccf645n;
const POOL = 4;

const xorshift = (value) => (value ^ (value >>> 16)) >>> 0;
const times = (a, b) => Math.imul(a, b) >>> 0;

function hasher(start, multiplier) {
  let constant = start;
  return (value) => {
    const mixed = (value ^ constant) >>> 0;
    constant = times(constant, multiplier);
    return xorshift(times(mixed, constant));
  };
}

/** Eight uint32 of numpy's SeedSequence over up to four uint32. */
function seedWords(entropy) {
  const hash = hasher(0x43b0d7e5, 0x931e8875);
  const pool = Array.from({ length: POOL }, (_, i) => hash(entropy[i] ?? 0));
  for (let from = 0; from < POOL; from++) {
    for (let to = 0; to < POOL; to++) {
      if (from !== to) pool[to] = xorshift((times(0xca01f9dd, pool[to]) - times(0x4973f715, hash(pool[from]))) >>> 0);
    }
  }
  const out = hasher(0x8b51f9dd, 0x58f38ded);
  return Array.from({ length: 8 }, (_, i) => out(pool[i % POOL]));
}

/** A float64 in [0, 1) that depends on the seed and the place alone; both are whole numbers below 2^32. */
export function luck(seed, place) {
  const words = seedWords([seed, place]).map(BigInt);
  const wide = (i) => (words[i + 1] << 96n) | (words[i] << 64n) | (words[i + 3] << 32n) | words[i + 2];
  const increment = ((wide(4) << 1n) | 1n) & MASK;
  const step = (state) => (state * STEP + increment) & MASK;
  const state = step(step((increment + wide(0)) & MASK)); // the first of the two ends the seeding
  const folded = (state >> 64n) ^ (state & 0xffffffffffffffffn);
  const turn = state >> 122n;
  const value = ((folded >> turn) | (folded << (64n - turn))) & 0xffffffffffffffffn;
  return Number(value >> 11n) * 2 ** -53;
}
