import { expect, test } from 'vitest';
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from '../../../../main/engine/formats/half.ts';

test('every finite half survives decoding and encoding', () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, index) => index).filter((value) => (value & 0x7c00) !== 0x7c00);
  const values = new Float32Array(bits.length);
  decodeFloat16(bits, values);
  expect(encodeFloat16(values)).toEqual(bits);
});

test('halves round to the nearest, ties to even, also below the normal range', () => {
  const step = 2 ** -24;
  const encoded = encodeFloat16(
    Float32Array.from([1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 0.5 * step, 0.51 * step, 1.5 * step, Number.NaN]),
  );
  const decoded = new Float32Array(encoded.length);
  decodeFloat16(encoded, decoded);
  expect([...decoded]).toEqual([1, 1 + 2 ** -9, 65504, Infinity, 0, step, 2 * step, Number.NaN]);
});

test('bfloat16 keeps the upper half of a float and rounds to even', () => {
  const encoded = encodeBfloat16(Float32Array.from([1, -2, 1 + 2 ** -8, 1 + 3 * 2 ** -8, Number.NaN, -Infinity]));
  const decoded = new Float32Array(encoded.length);
  decodeBfloat16(encoded, decoded);
  expect([...decoded]).toEqual([1, -2, 1, 1 + 2 ** -6, Number.NaN, -Infinity]);
});
