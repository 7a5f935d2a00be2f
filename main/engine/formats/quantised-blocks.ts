import { decodeFloat16 } from './half.ts';

/**
 * Blocks of quantised values as GGML lays them out (ggml-common.h of llama.cpp): a row of a matrix is cut into blocks, and each has
 * its own scales. All numbers are little-endian.
 */

/** Q8_0: 32 values a block, a float16 scale d, then signed bytes q. Value: d q. */
export function decodeQ8(bytes: Uint8Array, target: Float32Array, offset: number): void {
  const quants = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0, to = offset; at < bytes.length; at += 34, to += 32) {
    const scale = half(bytes, at);
    for (let i = 0; i < 32; i++) target[to + i] = scale * quants[at + 2 + i]!;
  }
}

/** Q4_K: 256 values a block, float16 d and m, 12 bytes of scales, 128 of quants. Value: d s q - m t, s and t of each 32 values. */
export function decodeQ4K(bytes: Uint8Array, target: Float32Array, offset: number): void {
  decodeK(bytes, target, offset, 144, 16, undefined);
}

/** Q5_K: as Q4_K, with 32 bytes of the quants' fifth bits before their lower four. */
export function decodeQ5K(bytes: Uint8Array, target: Float32Array, offset: number): void {
  decodeK(bytes, target, offset, 176, 48, 16);
}

/** `low`: where the lower four bits of the quants begin in a block; `high`: where their fifth bits do, if they have any. */
function decodeK(
  bytes: Uint8Array,
  target: Float32Array,
  offset: number,
  blockBytes: number,
  low: number,
  high: number | undefined,
): void {
  for (let at = 0, to = offset; at < bytes.length; at += blockBytes, to += 256) {
    const scale = half(bytes, at);
    const minimum = half(bytes, at + 2);
    for (let group = 0; group < 8; group++) {
      const [s, t] = sixBits(bytes, at + 4, group);
      // As the reference computes it: each product is rounded to float32 before the difference is.
      const step = Math.fround(scale * s);
      const least = Math.fround(minimum * t);
      const quants = at + low + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      for (let i = 0; i < 32; i++) {
        const fifth = high === undefined ? 0 : (bytes[at + high + i]! >> group) & 1;
        const quant = ((bytes[quants + i]! >> shift) & 15) | (fifth << 4);
        target[to + 32 * group + i] = Math.fround(step * quant) - least;
      }
    }
  }
}

/** Q6_K: 256 values a block, lower four and upper two bits of the quants, 16 signed scales s, float16 d. Value: d s (q - 32). */
export function decodeQ6K(bytes: Uint8Array, target: Float32Array, offset: number): void {
  const scales = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0, to = offset; at < bytes.length; at += 210, to += 256) {
    const scale = half(bytes, at + 208);
    for (let i = 0; i < 256; i++) {
      const [part, group, within] = [i >> 7, (i >> 5) & 3, i & 31]; // halves of the block, each in four groups of 32
      const low = bytes[at + 64 * part + 32 * (group & 1) + within]! >> (4 * (group >> 1));
      const high = bytes[at + 128 + 32 * part + within]! >> (2 * group);
      const quant = ((low & 15) | ((high & 3) << 4)) - 32;
      target[to + i] = Math.fround(scale * scales[at + 192 + (i >> 4)]!) * quant;
    }
  }
}

/** Scale and minimum of a group of 32 values: eight pairs of six bits in twelve bytes. */
function sixBits(bytes: Uint8Array, at: number, group: number): [scale: number, minimum: number] {
  if (group < 4) return [bytes[at + group]! & 63, bytes[at + group + 4]! & 63];
  const low = bytes[at + group + 4]!;
  return [(low & 15) | ((bytes[at + group - 4]! >> 6) << 4), (low >> 4) | ((bytes[at + group]! >> 6) << 4)];
}

const one = new Float32Array(1);
const bits = new Uint16Array(1);

function half(bytes: Uint8Array, at: number): number {
  bits[0] = bytes[at]! | (bytes[at + 1]! << 8);
  decodeFloat16(bits, one);
  return one[0]!;
}
