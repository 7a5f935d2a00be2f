import { expect, test } from 'vitest';
import { Random } from '../../../../main/engine/nn/random.ts';

test('the same seed gives the same numbers and another seed others', () => {
  expect(new Random(7).normals(5)).toEqual(new Random(7).normals(5));
  expect(new Random(7).normals(5)).not.toEqual(new Random(8).normals(5));
  expect(new Random(1).uint32()).not.toBe(new Random(2).uint32());
});

test('a saved state continues exactly, also after an odd number of normals', () => {
  const random = new Random('a');
  random.normals(3);
  const saved = JSON.parse(JSON.stringify(random.state()));
  const next = random.normals(7);
  expect(Random.restore(saved).normals(7)).toEqual(next);
});

test('normals have mean 0, deviation 1 and thin tails', () => {
  const values = new Random(3).normals(200_000);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const beyondTwo = values.filter((value) => Math.abs(value) > 2).length / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.01);
  expect(Math.abs(variance - 1)).toBeLessThan(0.015);
  expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.002);
});

test('a mask holds as many ones as its probability says', () => {
  const mask = new Random(5).mask(50_000, 0.2);
  expect(mask.reduce((sum, value) => sum + value, 0) / mask.length).toBeCloseTo(0.2, 2);
  expect(new Set(mask)).toEqual(new Set([0, 1]));
});

test('a shuffle keeps every item and reaches every order', () => {
  const random = new Random(9);
  const orders = new Set(Array.from({ length: 200 }, () => random.shuffle(['a', 'b', 'c']).join('')));
  expect(orders.size).toBe(6);
});

test('a fork is unrelated and leaves the parent where it was', () => {
  const random = new Random(4);
  const before = random.state();
  expect(random.fork('noise').uint32()).not.toBe(random.fork('dropout').uint32());
  expect(random.state()).toEqual(before);
});

test('integers stay below their limit and reach each value', () => {
  const values = new Random(11).integers(500, 5);
  expect(new Set(values)).toEqual(new Set([0, 1, 2, 3, 4]));
});
