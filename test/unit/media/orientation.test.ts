import { expect, test } from 'vitest';
import { orientationFilters, orientationFromMatrix, orientationFromRotation } from '../../../main/media/orientation.ts';

const matrix = (a: number, b: number, c: number, d: number) =>
  `\n00000000: ${a * 65536} ${b * 65536} 0\n00000001: ${c * 65536} ${d * 65536} 0\n00000002: 0 0 1073741824\n`;

test('a matrix and the rotation it stands for give the same orientation', () => {
  expect(orientationFromMatrix(matrix(1, 0, 0, 1))).toEqual(orientationFromRotation(0));
  expect(orientationFromMatrix(matrix(0, -1, 1, 0))).toEqual(orientationFromRotation(90));
  expect(orientationFromMatrix(matrix(-1, 0, 0, -1))).toEqual(orientationFromRotation(180));
  expect(orientationFromMatrix(matrix(0, 1, -1, 0))).toEqual(orientationFromRotation(-90));
});

test('mirrored matrices, which no rotation expresses, are kept', () => {
  expect(orientationFromMatrix(matrix(-1, 0, 0, 1))).toEqual({
    transpose: false,
    mirrorHorizontally: true,
    mirrorVertically: false,
  });
  expect(orientationFromMatrix(matrix(0, 1, 1, 0))).toEqual({
    transpose: true,
    mirrorHorizontally: false,
    mirrorVertically: false,
  });
});

test('text without a usable matrix gives none', () => {
  expect(orientationFromMatrix('')).toBeUndefined();
  expect(orientationFromMatrix(matrix(0, 0, 0, 0))).toBeUndefined();
});

test('an odd angle turns to the nearest quarter', () => {
  expect(orientationFromRotation(-88)).toEqual(orientationFromRotation(270));
});

test('the filters swap first and mirror afterwards', () => {
  expect(orientationFilters(orientationFromRotation(90))).toEqual(['transpose=0', 'vflip']);
  expect(orientationFilters(orientationFromRotation(0))).toEqual([]);
});
