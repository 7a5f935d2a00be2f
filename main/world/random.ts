/** A small seeded generator: the same seed and name give the same numbers on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  range(low: number, high: number): number;
  /** A whole number in [0, count). */
  index(count: number): number;
  pick<T>(list: readonly T[]): T;
  chance(probability: number): boolean;
}

/** 32-bit hash of a text and a number (FNV-1a, finished as in MurmurHash3 so that neighbouring seeds share nothing). */
export function hash(seed: number, text: string): number {
  let h = 2166136261 ^ (seed | 0) ^ Math.imul(Math.floor(seed / 4294967296), 0x9e3779b1);
  h = mix(h);
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return mix(h) >>> 0;
}

function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** One independent stream for each (seed, name): changing how one attribute is drawn leaves all others as they were. */
export function createRandom(seed: number, name: string): Random {
  let state = hash(seed, name);
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const index = (count: number) => Math.floor(next() * count);
  return {
    next,
    range: (low, high) => low + (high - low) * next(),
    index,
    pick: (list) => list[index(list.length)]!,
    chance: (probability) => next() < probability,
  };
}
