/** All of a generator's state: four 32-bit words. JSON holds it exactly. */
export type RandomState = [number, number, number, number];

/**
 * Seeded random numbers: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018).
 * The same seed gives the same numbers on every machine and backend, and a saved state continues them exactly:
 * no method keeps anything between calls but the four words.
 */
export class Random {
  private words: Uint32Array;

  /** `seed` is any finite number or text; different seeds give unrelated sequences. */
  constructor(seed: number | string) {
    this.words = seedWords(String(seed));
  }

  /** A generator that goes on where the saved one stood. */
  static restore(state: RandomState): Random {
    const random = new Random(0);
    random.words = Uint32Array.from(state);
    return random;
  }

  state(): RandomState {
    const [a, b, c, d] = this.words;
    return [a!, b!, c!, d!];
  }

  /** An unrelated generator for a named purpose; the own sequence does not move. */
  fork(name: string): Random {
    return new Random(`${this.state().join(',')}/${name}`);
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    const s = this.words;
    const product = Math.imul(s[1]!, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  }

  /** A number in [0, 1) with 32 random bits. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** An integer in [0, limit), limit at most 2^32. */
  integer(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** `count` independent integers in [0, limit). */
  integers(count: number, limit: number): number[] {
    return Array.from({ length: count }, () => this.integer(limit));
  }

  /** `count` numbers in [low, high). */
  uniforms(count: number, low = 0, high = 1): Float32Array {
    return Float32Array.from({ length: count }, () => low + (high - low) * this.uniform());
  }

  /** `count` standard normal numbers (Box-Muller; of an odd count the last partner is thrown away). */
  normals(count: number): Float32Array {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i += 2) {
      const radius = Math.sqrt(-2 * Math.log(1 - this.uniform())); // 1 - [0, 1) is never 0
      const angle = 2 * Math.PI * this.uniform();
      values[i] = radius * Math.cos(angle);
      if (i + 1 < count) values[i + 1] = radius * Math.sin(angle);
    }
    return values;
  }

  /** `count` values, each 1 with the given probability and else 0. */
  mask(count: number, probability: number): Float32Array {
    return Float32Array.from({ length: count }, () => (this.uniform() < probability ? 1 : 0));
  }

  /** The items in a random order, every order equally likely (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [result[i], result[j]] = [result[j]!, result[i]!];
    }
    return result;
  }
}

/** Four well-mixed words of a text: FNV-1a over it, then a finaliser (of MurmurHash3) per word. */
function seedWords(text: string): Uint32Array {
  let hash = 0x811c9dc5;
  let second = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    second = Math.imul(second ^ text.charCodeAt(i), 0x85ebca6b) + hash;
  }
  return Uint32Array.from({ length: 4 }, (_, index) => {
    let word = (index % 2 ? second : hash) + Math.imul(index + 1, 0x9e3779b9);
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) | (index === 3 ? 1 : 0); // never all zero, where xoshiro would stand still
  });
}
