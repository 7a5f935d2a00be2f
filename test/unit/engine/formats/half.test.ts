import { expect, test } from 'vitest';
import { decodeBrain, decodeHalf, encodeBrain, encodeHalf } from '../../../../main/engine/formats/half.ts';

test('every finite half survives decoding and encoding', () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, index) => index).filter((value) => (value & 0x7c00) !== 0x7c00);
  const values = new Float32Array(bits.length);
  decodeHalf(bits, values);
  expect(encodeHalf(values)).toEqual(bits);
});

test('halves round to the nearest, ties to even, also below the normal range', () => {
  const step = 2 ** -24;
  const encoded = encodeHalf(
    Float32Array.from([1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 0.5 * step, 0.51 * step, 1.5 * step, Number.NaN]),
  );
  const decoded = new Float32Array(encoded.length);
  decodeHalf(encoded, decoded);
  expect([...decoded]).toEqual([1, 1 + 2 ** -9, 65504, Infinity, 0, step, 2 * step, Number.NaN]);
});

test('bfloat16 keeps the upper half of a float and rounds to even', () => {
  const encoded = encodeBrain(Float32Array.from([1, -2, 1 + 2 ** -8, 1 + 3 * 2 ** -8, Number.NaN, -Infinity]));
  const decoded = new Float32Array(encoded.length);
  decodeBrain(encoded, decoded);
  expect([...decoded]).toEqual([1, -2, 1, 1 + 2 ** -6, Number.NaN, -Infinity]);
});
