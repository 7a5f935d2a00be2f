import '@tensorflow/tfjs-backend-cpu/dist/index.js';
import { beforeAll, expect, test } from 'vitest';
import * as tf from '../../../../main/engine/backends/tf.ts';
import {
  countParameters,
  disposeTree,
  mapTree,
  treeEntries,
  treeFromEntries,
} from '../../../../main/engine/nn/tree.ts';

beforeAll(() => tf.setBackend('cpu'));

test('a tree and its dotted paths are the same thing', () => {
  const entries = [
    ['blocks.0.weight', tf.ones([2, 3])],
    ['blocks.1.weight', tf.ones([2])],
    ['bias', tf.ones([4])],
  ] as const;
  const tree = treeFromEntries(entries);
  expect(treeEntries(tree)).toEqual(entries);
  expect(countParameters(tree)).toBe(12);
  disposeTree(tree);
});

test('mapping replaces every tensor under its path', () => {
  const tree = treeFromEntries([['a.b', tf.ones([2])]]);
  const doubled = mapTree(tree, (tensor, path) => (path === 'a.b' ? tf.mul(tensor, 2) : tensor));
  expect(treeEntries(doubled)[0]![1].arraySync()).toEqual([2, 2]);
});

test('a path through a tensor and a path given twice are refused', () => {
  const one = tf.ones([1]);
  expect(() =>
    treeFromEntries([
      ['a', one],
      ['a.b', one],
    ]),
  ).toThrow('"a.b" lies below a tensor');
  expect(() =>
    treeFromEntries([
      ['a', one],
      ['a', one],
    ]),
  ).toThrow('twice');
});
