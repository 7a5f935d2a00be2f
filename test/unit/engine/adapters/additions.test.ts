import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Additions,
  type Bottleneck,
  type BottleneckPlace,
  bottleneck,
  hooksOf,
  type LowRank,
} from '../../../../main/engine/adapters/additions.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { openWanPipeline, type WanPipeline } from '../../../../main/engine/models/wan/pipeline.ts';
import {
  type TransformerOptions,
  type TransformerParameters,
  timeFeatures,
  wanTransformer,
} from '../../../../main/engine/models/wan/transformer.ts';
import type { Hooks } from '../../../../main/engine/nn/hooks.ts';
import { linear } from '../../../../main/engine/nn/linear.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { difference, toyModel } from './toy.ts';

const random = new Random('additions');
const normals = (...shape: number[]) => tf.tensor(random.normals(shape.reduce((a, b) => a * b)), shape);
const lowRank = (inSize: number, outSize: number, rank: number, side: LowRank['side']): LowRank => {
  const [m, n] = side === 'output' ? [outSize, inSize] : [inSize, outSize];
  return { basis: normals(m, rank) as tf.Tensor2D, coefficients: normals(rank, n) as tf.Tensor2D, side };
};

let pipeline: WanPipeline;
let parameters: TransformerParameters;
beforeAll(async () => {
  await tf.setBackend('cpu');
  pipeline = await openWanPipeline(fileURLToPath(new URL('../../../golden/model', import.meta.url)));
  parameters = await pipeline.transformer();
});
afterAll(() => pipeline.dispose());

/** The micro model's prediction for fixed inputs of two rows. */
function forward(hooks?: Hooks, options: TransformerOptions = {}): tf.Tensor {
  const fixed = new Random('inputs');
  const { transformerConfig: config } = pipeline;
  const latents = tf.tensor(fixed.normals(2 * 4 * 2 * 16), [2, 4, 2, 4, 4]);
  const text = tf.tensor(fixed.normals(2 * 3 * 24), [2, 3, 24]);
  return wanTransformer(
    config,
    parameters,
    { latents, text, timestep: timeFeatures(config, [400, 700]) },
    { hooks, ...options },
  );
}

const places: BottleneckPlace[] = ['stream', 'normed', 'gated'];
const subLayers = ['attn1', 'attn2', 'ffn'];

/** A bottleneck beside every sub-layer; a hidden width of 3. */
function branches(place: BottleneckPlace, up: (...shape: number[]) => tf.Tensor): Map<string, Bottleneck> {
  const { num_attention_heads, attention_head_dim, num_layers } = pipeline.transformerConfig;
  const d = num_attention_heads * attention_head_dim;
  const paths = Array.from({ length: num_layers }, (_, index) => subLayers.map((name) => `blocks.${index}.${name}`));
  return new Map(
    paths.flat().map((path) => [
      path,
      {
        down: { weight: normals(d, 3) as tf.Tensor2D, bias: normals(3) as tf.Tensor1D },
        up: { weight: up(3, d) as tf.Tensor2D, bias: up(d) as tf.Tensor1D },
        shift: normals(2, 1, d),
        place,
      },
    ]),
  );
}

describe('low-rank changes of one layer', () => {
  it('add up, whichever way round each is read', () => {
    const { parameters: toy, input } = toyModel();
    const [a, b] = [lowRank(3, 4, 2, 'output'), lowRank(3, 4, 5, 'input')];
    const stacked = hooksOf([{ lowRank: new Map([['first', a]]) }, { lowRank: new Map([['first', b]]) }]);
    const changes = [tf.transpose(tf.matMul(a.basis, a.coefficients)), tf.matMul(b.basis, b.coefficients)];
    const weight = tf.addN([toy.first.weight, ...changes]) as tf.Tensor2D;
    expect(difference(stacked.linear!('first', toy.first, input), linear({ weight }, input))).toBeLessThan(1e-5);
    expect(difference(stacked.linear!('second', toy.second, normals(2, 4)), tf.zeros([2, 5]))).toBeGreaterThan(0);
  });

  it('each learn as if the other were part of the frozen weight', () => {
    const { parameters: toy, input } = toyModel();
    const [a, b] = [lowRank(3, 4, 2, 'output'), lowRank(3, 4, 1, 'output')];
    const both = (basis: tf.Tensor) => {
      const first = { ...a, basis: basis as tf.Tensor2D };
      const hooks = hooksOf([{ lowRank: new Map([['first', first]]) }, { lowRank: new Map([['first', b]]) }]);
      return tf.sum(tf.square(hooks.linear!('first', toy.first, input)));
    };
    const merged = tf.add(toy.first.weight, tf.transpose(tf.matMul(b.basis, b.coefficients))) as tf.Tensor2D;
    const alone = (basis: tf.Tensor) => {
      const hooks = hooksOf([{ lowRank: new Map([['first', { ...a, basis: basis as tf.Tensor2D }]]) }]);
      return tf.sum(tf.square(hooks.linear!('first', { weight: merged }, input)));
    };
    expect(difference(tf.grad(both)(a.basis), tf.grad(alone)(a.basis))).toBeLessThan(1e-4);
  });

  it('go beside a dense change, which learns too', () => {
    const { parameters: toy, input } = toyModel();
    const change = lowRank(3, 4, 2, 'output');
    const dense = normals(3, 4) as tf.Tensor2D;
    const answer = (delta: tf.Tensor) => {
      const additions: Additions[] = [
        { dense: new Map([['first', delta as tf.Tensor2D]]) },
        { lowRank: new Map([['first', change]]) },
      ];
      return hooksOf(additions).linear!('first', toy.first, input);
    };
    const product = tf.transpose(tf.matMul(change.basis, change.coefficients));
    const weight = tf.addN([toy.first.weight, dense, product]) as tf.Tensor2D;
    expect(difference(answer(dense), linear({ weight }, input))).toBeLessThan(1e-5);
    // d sum(x W) / dW has the sums of x's columns in its rows.
    const expected = tf.tile(tf.reshape(tf.sum(input, 0), [3, 1]), [1, 4]);
    expect(difference(tf.grad((delta) => tf.sum(answer(delta)))(dense), expected)).toBeLessThan(1e-5);
  });
});

describe('a bottleneck', () => {
  it('is GELU((x + shift) W + b) W + b', () => {
    const [down, up] = [0.5, -2];
    const made = bottleneck(
      {
        down: { weight: tf.tensor2d([[down]]), bias: tf.tensor1d([0.25]) },
        up: { weight: tf.tensor2d([[up]]), bias: tf.tensor1d([1]) },
        shift: tf.tensor3d([[[2]]]),
        place: 'normed',
      },
      tf.tensor3d([[[1.5]]]),
    );
    // GELU(2) = 2 Phi(2) = 1.9544997
    expect(made.dataSync()[0]).toBeCloseTo(-2 * 1.9544997 + 1, 5);
  });

  it('is weighed by the noise level, as the block is told of it, of the frames that are not given', () => {
    const path = 'blocks.0.ffn';
    const one = branches('normed', (...shape) => normals(...shape)).get(path)!;
    const size = one.down.weight.shape[0];
    const x = normals(2, 4, size);
    const level = { weight: normals(size, 1) as tf.Tensor2D, bias: tf.tensor1d([0.5]) };
    // Two ranges of six rows each: what counts is the first row of the second range.
    const modulation = normals(2, 2, 6, size);
    const told = tf.reshape(tf.slice(modulation, [0, 1, 0, 0], [2, 1, 1, size]), [2, size]) as tf.Tensor2D;
    const weight = tf.mul(2, tf.sigmoid(tf.add(tf.matMul(told, level.weight), 0.5))); // [2, 1]
    const expected = tf.mul(bottleneck(one, x), tf.reshape(weight, [2, 1, 1]));
    expect(difference(bottleneck({ ...one, level }, x, modulation), expected)).toBeLessThan(1e-5);
    const equal = { weight: tf.zeros([size, 1]) as tf.Tensor2D, bias: tf.zeros([1]) as tf.Tensor1D };
    expect(difference(bottleneck({ ...one, level: equal }, x, modulation), bottleneck(one, x))).toBeLessThan(1e-6);
    expect(() => bottleneck({ ...one, level }, x)).toThrow('noise level');
  });

  it('learns its weight of the noise level alike where blocks are computed again', () => {
    const path = 'blocks.0.attn1';
    const one = branches('gated', (...shape) => normals(...shape)).get(path)!;
    const size = one.down.weight.shape[0];
    const start = tf.mul(0.1, normals(size, 1));
    const gradient = (recompute: boolean) =>
      tf.grad((weight) => {
        const level = { weight: weight as tf.Tensor2D, bias: tf.tensor1d([0.1]) };
        return tf.sum(forward(hooksOf([{ branches: new Map([[path, { ...one, level }]]) }]), { recompute }));
      })(start);
    const kept = gradient(false);
    expect(Math.max(...tf.abs(kept).dataSync())).toBeGreaterThan(1e-5);
    expect(difference(kept, gradient(true))).toBeLessThan(1e-4);
  });

  it.each(places)('whose way up is zero changes nothing (%s)', (place) => {
    const hooks = hooksOf([{ branches: branches(place, (...shape) => tf.zeros(shape)) }]);
    expect(difference(forward(hooks), forward())).toBe(0);
  });

  it('stands where its place says', () => {
    const path = 'blocks.0.attn1';
    const one = branches('stream', (...shape) => tf.mul(0.3, normals(...shape))).get(path)!;
    const [inStream, inNormed, gated] = places.map((place) =>
      hooksOf([{ branches: new Map([[path, { ...one, place }]]) }]),
    );
    const size = one.down.weight.shape[0];
    const [stream, normed] = [normals(2, 4, size), normals(2, 4, size)];
    const added = (hooks: Hooks | undefined) => hooks!.branch!(path, stream, normed);
    expect(added(inStream).before).toBeUndefined();
    expect(difference(added(inStream).after!, bottleneck(one, stream))).toBe(0);
    expect(added(inNormed).before).toBeUndefined();
    expect(difference(added(inNormed).after!, bottleneck(one, normed))).toBe(0);
    expect(added(gated).after).toBeUndefined();
    expect(difference(added(gated).before!, bottleneck(one, normed))).toBe(0);
    // In the model, what stands before the gate is weighed by it.
    expect(difference(forward(inStream), forward(inNormed))).toBeGreaterThan(1e-4);
    expect(difference(forward(gated), forward(inNormed))).toBeGreaterThan(1e-4);
  });

  it.each(places)(
    'has the gradient that finite differences say, also where blocks are computed again (%s)',
    (place) => {
      const made = branches(place, (...shape) => tf.mul(0.1, normals(...shape)));
      const path = 'blocks.0.attn2';
      const loss = (weight: tf.Tensor, shift: tf.Tensor, recompute: boolean) => {
        const one = made.get(path)!;
        const changed = { ...one, down: { ...one.down, weight: weight as tf.Tensor2D }, shift };
        return tf.sum(
          forward(hooksOf([{ branches: new Map([...made, [path, changed]]) }]), { recompute }),
        ) as tf.Scalar;
      };
      const { down, shift } = made.get(path)!;
      const gradients = (recompute: boolean) =>
        tf.grads((weight, moved) => loss(weight!, moved!, recompute))([down.weight, shift!]);
      const [kept, again] = [gradients(false), gradients(true)];
      for (const index of [0, 1]) expect(difference(kept[index]!, again[index]!)).toBeLessThan(1e-4);
      const step = tf.tensor(
        Array.from({ length: down.weight.size }, (_, index) => (index === 4 ? 0.01 : 0)),
        down.weight.shape,
      );
      const at = (weight: tf.Tensor) => loss(weight, shift!, false).dataSync()[0]!;
      const slope = (at(tf.add(down.weight, step)) - at(tf.sub(down.weight, step))) / 0.02;
      expect(kept[0]!.dataSync()[4]).toBeCloseTo(slope, 1);
      expect(Math.abs(slope)).toBeGreaterThan(1e-3);
    },
  );
});
