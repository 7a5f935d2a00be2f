import { describe, expect, test } from 'vitest';
import { attention } from '../../../../main/engine/backends/fused.ts';
import type { Node, Value } from '../../../../main/engine/backends/lazy/graph.ts';
import { lazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { testDevices, useDevice } from './compare.ts';
import { randomValues, relativeError } from './outcomes.ts';

const [queries, keys, width] = [4300, 1000, 8];

/** Output and gradients of the attention of some of the queries. */
async function attend(start: number, count: number): Promise<Float32Array[]> {
  const random = (rows: number, seed: number) => tf.tensor(randomValues(rows * width, seed), [1, rows, width]);
  const [q, k, v, upstream] = [random(queries, 1), random(keys, 2), random(keys, 3), random(queries, 4)];
  const bias = tf.slice(tf.tensor(randomValues(queries, 5), [1, 1, queries, 1]), [0, 0, start, 0], [1, 1, count, 1]);
  const rows = (x: tf.Tensor) => tf.slice(x, [0, start, 0], [1, count, width]);
  const run = (...inputs: tf.Tensor[]) => attention(inputs[0]!, inputs[1]!, inputs[2]!, { heads: 2, bias });
  const inputs = [rows(q), k, v];
  const gradients = tf.grads((...given) => tf.sum(tf.mul(run(...given), rows(upstream))))(inputs);
  return Promise.all([run(...inputs), ...gradients].map(async (tensor) => Float32Array.from(await tensor.data())));
}

const devices = await testDevices();

describe('attention of so many queries that it goes through them in chunks', () => {
  for (const device of devices)
    test(`is on ${device} that of its parts`, async () => {
      await useDevice(device);
      const whole = await attend(0, queries);
      const parts = [await attend(0, 2000), await attend(2000, 2300)];
      const joined = (index: number) => Float32Array.of(...parts[0]![index]!, ...parts[1]![index]!);
      const added = (index: number) => parts[0]![index]!.map((value, i) => value + parts[1]![index]![i]!);
      const expected = [joined(0), joined(1), added(2), added(3)];
      const tolerance = device === 'openvino' ? 2e-2 : 1e-5;
      for (const [index, values] of expected.entries())
        expect(relativeError(whole[index]!, values), `tensor ${index}`).toBeLessThan(tolerance);
    });
});

/** The most bytes that are alive at once while every node is computed as soon as it can be: the worst that an executor would do. */
function mostAlive(wanted: readonly Value[]): number {
  const nodes = new Set<Node>();
  const waiting = wanted.flatMap(({ node }) => node ?? []);
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (nodes.has(node)) continue;
    nodes.add(node);
    waiting.push(...node.inputs.flatMap((input) => input?.node ?? []));
  }
  const levels = new Map<Node, number>();
  for (const node of [...nodes].sort((a, b) => a.sequence - b.sequence))
    levels.set(node, 1 + Math.max(0, ...node.inputs.map((input) => (input?.node ? levels.get(input.node)! : 0))));
  const ordered = [...nodes].sort((a, b) => levels.get(a)! - levels.get(b)!);
  const lastUse = new Map<Value, number>(wanted.map((value) => [value, ordered.length]));
  for (const [index, { inputs }] of ordered.entries())
    for (const input of inputs) if (input?.node) lastUse.set(input, Math.max(index, lastUse.get(input) ?? 0));
  const bytes = ({ shape }: Value) => 4 * shape.reduce((a, b) => a * b, 1);
  let alive = 0;
  let most = 0;
  for (const [index, { outputs, inputs }] of ordered.entries()) {
    for (const output of outputs) if (lastUse.has(output)) alive += bytes(output);
    most = Math.max(most, alive);
    for (const input of new Set(inputs)) if (input?.node && lastUse.get(input) === index) alive -= bytes(input);
  }
  return most;
}

test('the memory of the gradients of attention grows linearly with the tokens', async () => {
  await useDevice('onnxruntime');
  const most = (tokens: number) => {
    const given = [1, 2, 3].map(() => tf.tensor(new Float32Array(tokens * 128), [1, tokens, 128]));
    const gradients = tf.grads((q, k, v) => tf.sum(attention(q!, k!, v!, { heads: 2 })))(given);
    const found = mostAlive(gradients.map((tensor) => lazyBackend()!.valueFor(tensor)));
    tf.dispose([given, gradients]);
    return found;
  };
  expect(most(16384) / most(8192)).toBeLessThan(2.1);
});

test('attention records nothing that nobody needs, which would hold its inputs for ever', async () => {
  await useDevice('onnxruntime');
  for (const tokens of [64, 4096]) {
    const given = [1, 2, 3].map(() => tf.tensor(new Float32Array(tokens * 8), [1, tokens, 8]));
    const held = given.map((tensor) => lazyBackend()!.valueFor(tensor).references);
    const gradients = tf.grads((q, k, v) => tf.sum(attention(q!, k!, v!, { heads: 2 })))(given);
    tf.dispose(gradients);
    expect(given.map((tensor) => lazyBackend()!.valueFor(tensor).references)).toEqual(held);
    tf.dispose(given);
  }
});
