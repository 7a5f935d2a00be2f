import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { WeightArrays } from '../../../../main/engine/backends/weights.ts';
import { openSafetensors } from '../../../../main/engine/formats/safetensors.ts';
import { writeSafetensors } from '../../../../main/engine/formats/safetensors-write.ts';
import {
  linearSpecs,
  loadParameters,
  type ParameterSpec,
  parametersToWrite,
} from '../../../../main/engine/nn/parameters.ts';
import { disposeTree, treeEntries } from '../../../../main/engine/nn/tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'motif-parameters-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(async () => {
  await selectBackend({ device: 'cpu' });
});

const specs = new Map<string, ParameterSpec>([
  ...linearSpecs('layer', 3, 2),
  ['kernel', { stored: [2, 3, 1, 4], axes: [2, 3, 1, 0] }],
  ['patch', { stored: [2, 3, 2], view: [2, 6], axes: [1, 0] }],
]);
const values = (count: number) => Float32Array.from({ length: count }, (_, index) => index);
const complete = [
  { name: 'layer.weight', shape: [2, 3], values: values(6) },
  { name: 'layer.bias', shape: [2], values: values(2) },
  { name: 'kernel', shape: [2, 3, 1, 4], values: values(24) },
  { name: 'patch', shape: [2, 3, 2], values: values(12) },
];

async function load(tensors: typeof complete, ignore?: RegExp) {
  const path = join(folder, 'model.safetensors');
  await writeSafetensors(path, tensors);
  const source = await openSafetensors(path);
  return loadParameters(source, specs, ignore ? { ignore } : {}).finally(() => source.close());
}

test('a dense layer lies [in, out] in memory and other axes where the model wants them', async () => {
  const tree = await load(complete);
  const tensors = Object.fromEntries(treeEntries(tree));
  expect(await tensors['layer.weight']!.array()).toEqual([
    [0, 3],
    [1, 4],
    [2, 5],
  ]);
  const expected = tf.transpose(tf.tensor(values(24), [2, 3, 1, 4]), [2, 3, 1, 0]);
  expect(await tensors.kernel!.array()).toEqual(await expected.array());
  expect(tensors.patch!.shape).toEqual([6, 2]);
  disposeTree(tree);
});

test('trees that are read one after the other lie in the same memory, and otherwise in their own', async () => {
  const path = join(folder, 'shared.safetensors');
  const doubled = complete.map(({ values, ...rest }) => ({ ...rest, values: values.map((value) => 2 * value) }));
  const named = (prefix: string) => (tensor: (typeof complete)[0]) => ({ ...tensor, name: prefix + tensor.name });
  await writeSafetensors(path, [...complete.map(named('0.')), ...doubled.map(named('1.'))]);
  const source = await openSafetensors(path);
  const arrays = new WeightArrays();
  const read = async (prefix: string) => {
    const tree = await loadParameters(source, specs, { prefix, arrays });
    return { tree, memory: treeEntries(tree).map(([, tensor]) => tensor.dataSync() as Float32Array) };
  };
  const [first, beside] = [await read('0.'), await read('1.')];
  const expected = beside.memory.map((values) => values.map((value) => value / 2));
  expect(first.memory).toEqual(expected);
  expect(new Set([...first.memory, ...beside.memory].map(({ buffer }) => buffer)).size).toBe(8);
  disposeTree(first.tree);
  disposeTree(beside.tree);
  arrays.giveAll();
  const after = await read('0.');
  expect(after.memory).toEqual(expected);
  const known = new Set([...first.memory, ...beside.memory].map(({ buffer }) => buffer));
  expect(after.memory.every(({ buffer }) => known.has(buffer))).toBe(true);
  disposeTree(after.tree);
  await source.close();
});

test('writing undoes reading', async () => {
  const tree = await load(complete);
  const written = parametersToWrite(tree, specs);
  for (const [index, { name, shape, values }] of written.entries()) {
    expect({ name, shape }).toEqual({ name: complete[index]!.name, shape: complete[index]!.shape });
    expect(typeof values === 'function' && (await values())).toEqual(complete[index]!.values);
  }
  disposeTree(tree);
});

test.each([
  ['a missing tensor', complete.slice(1), /model\.safetensors: tensor "layer\.weight" is missing/],
  [
    'an extra tensor',
    [...complete, { name: 'other', shape: [1], values: values(1) }],
    /model\.safetensors: tensor "other" does not belong/,
  ],
  [
    'a misshapen tensor',
    [{ name: 'layer.weight', shape: [3, 2], values: values(6) }, ...complete.slice(1)],
    /model\.safetensors: tensor "layer\.weight" is \[3,2\], the model needs \[2,3\]/,
  ],
])('%s is refused with file and tensor named, and nothing is kept', async (_, tensors, message) => {
  const before = tf.memory().numTensors;
  await expect(load(tensors)).rejects.toMatchObject({ code: 'damaged-file' });
  await expect(load(tensors)).rejects.toThrow(message);
  expect(tf.memory().numTensors).toBe(before);
});

test('a tensor that other versions leave in the file can be ignored', async () => {
  disposeTree(await load([...complete, { name: 'old', shape: [1], values: values(1) }], /^old$/));
});
