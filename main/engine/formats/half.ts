/** Sixteen-bit floating point: float16 (IEEE binary16, `F16`) and bfloat16 (the upper half of a float32, `BF16`). */

let halfTable: Float32Array | undefined;

/** Every float16 as a float32. A table, because a checkpoint holds hundreds of millions of them. */
function halves(): Float32Array {
  halfTable ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
  return halfTable;
}

/** Decodes float16 values into `target` from `offset` on. */
export function decodeFloat16(bits: Uint16Array, target: Float32Array, offset = 0): void {
  const table = halves();
  for (let i = 0; i < bits.length; i++) target[offset + i] = table[bits[i]!]!;
}

/** Decodes bfloat16 values into `target` from `offset` on. */
export function decodeBfloat16(bits: Uint16Array, target: Float32Array, offset = 0): void {
  const words = new Uint32Array(target.buffer, target.byteOffset + 4 * offset, bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
}

/** float32 -> float16, rounded to the nearest, ties to even; too large becomes infinity. */
export function encodeFloat16(values: Float32Array, target = new Uint16Array(values.length)): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i++) target[i] = halfOf(words[i]!);
  return target;
}

/** The bits of a float32 -> those of the nearest float16. */
function halfOf(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // not a number
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and more
  if (magnitude < 0x33000001) return sign; // at most 2^-25, half of the smallest
  const exponent = magnitude >>> 23;
  // Below 2^-14 the step stays at 2^-24, so more bits fall away.
  const dropped = exponent < 113 ? 126 - exponent : 13;
  const significand = exponent < 113 ? (magnitude & 0x7fffff) | 0x800000 : magnitude - (112 << 23);
  const half = 1 << (dropped - 1);
  const kept = significand >>> dropped;
  const rest = significand & ((1 << dropped) - 1);
  return sign | (kept + (rest > half || (rest === half && kept & 1) ? 1 : 0));
}

/** float32 -> bfloat16, rounded to the nearest, ties to even. */
export function encodeBfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(words, (word) => {
    if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40; // keep it not a number
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
}
