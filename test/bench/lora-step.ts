/**
 * One training step of a LoRA (rank 8, on every linear layer of the blocks) on the reference transformer: 6 layers of 384, a batch of
 * 4 x 512 tokens with 64 text tokens; forward, backward and AdamW, in float32. peer.py does the same in PyTorch.
 *
 *   node test/bench/run.mjs lora-step [--device D] [--steps N] [--layers N] [--recompute] [--plain]
 *
 * Prints one JSON object: median milliseconds, time to trace and compile, programs, peak memory.
 */
import { parseArgs } from 'node:util';
import { hooksOf } from '../../main/engine/adapters/additions.ts';
import { conceptSizes, lowRankAdditions } from '../../main/engine/adapters/set-and-sequence.ts';
import { lazyBackend } from '../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../main/engine/backends/select.ts';
import * as tf from '../../main/engine/backends/tf.ts';
import { traced } from '../../main/engine/backends/traced.ts';
import { type TransformerParameters, timeFeatures, wanTransformer } from '../../main/engine/models/wan/transformer.ts';
import { transformerConfigSchema, transformerSpecs } from '../../main/engine/models/wan/transformer-config.ts';
import { Random } from '../../main/engine/nn/random.ts';
import { treeFromEntries } from '../../main/engine/nn/tree.ts';
import { adamW } from '../../main/engine/training/adamw.ts';
import type { DeviceName } from '../../shared/domain/engine.ts';

const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'onnxruntime' },
    steps: { type: 'string', default: '12' },
    layers: { type: 'string', default: '6' },
    recompute: { type: 'boolean', default: false },
    plain: { type: 'boolean', default: false },
  },
});

await selectBackend({ device: options.device as DeviceName });
const config = transformerConfigSchema.parse({
  num_layers: Number(options.layers),
  num_attention_heads: 6,
  attention_head_dim: 64,
  ffn_dim: 1536,
  freq_dim: 256,
  in_channels: 16,
  out_channels: 16,
  text_dim: 384,
  patch_size: [1, 2, 2],
});
const rank = 8;
const random = new Random(1);
const normal = (shape: number[], scale: number) =>
  tf.tensor(
    random.normals(tf.util.sizeFromShape(shape)).map((value) => value * scale),
    shape,
  );

const parameters = treeFromEntries(
  [...transformerSpecs(config)].map(([name, { stored, view = stored, axes, shape }]) => {
    const held = shape ?? (axes ? axes.map((axis) => view[axis]!) : view);
    return [name, name.endsWith('norm') ? tf.ones(held) : normal(held, 0.03)] as [string, tf.Tensor];
  }),
) as TransformerParameters;

const size = 384;
const layers = Array.from({ length: config.num_layers }, (_, block) => [
  ...['attn1', 'attn2'].flatMap((attention) =>
    ['to_q', 'to_k', 'to_v', 'to_out.0'].map((name) => ({
      path: `blocks.${block}.${attention}.${name}`,
      inSize: size,
      outSize: size,
    })),
  ),
  { path: `blocks.${block}.ffn.net.0.proj`, inSize: size, outSize: 1536 },
  { path: `blocks.${block}.ffn.net.2`, inSize: 1536, outSize: size },
]).flat();
const concept = { layers, rank, basisSide: 'output' as const };
const { basisSizes, coefficientSizes } = conceptSizes(concept);
const total = (sizes: number[]) => sizes.reduce((sum, item) => sum + item, 0);

const optimiser = adamW({ beta1: 0.9, beta2: 0.99, weightDecay: 0.01 });
let weights: Record<string, tf.Tensor> = {
  basis: normal([total(basisSizes), rank], 0.02),
  coefficients: normal([rank, total(coefficientSizes)], 0.02),
};
let moments = optimiser.init(weights);

const batch = {
  latents: normal([4, 16, 8, 16, 16], 1),
  timestep: timeFeatures(config, [100, 300, 500, 900]),
  text: normal([4, 64, 384], 1),
  target: normal([4, 16, 8, 16, 16], 1),
};

interface Inputs {
  weights: Record<string, tf.Tensor>;
  moments: typeof moments;
  batch: typeof batch;
  rates: { learningRate: Record<string, tf.Tensor>; correction1: tf.Tensor; correction2: tf.Tensor };
}
let traceMs = 0;
const step = ({ weights, moments, batch, rates }: Inputs) => {
  const start = performance.now();
  const { value: loss, grads } = tf.valueAndGrads((basis: tf.Tensor, coefficients: tf.Tensor) => {
    const hooks = hooksOf([lowRankAdditions(concept, basis as tf.Tensor2D, coefficients as tf.Tensor2D)]);
    const prediction = wanTransformer(config, parameters, batch, { hooks, recompute: options.recompute });
    return tf.mean(tf.squaredDifference(prediction, batch.target)) as tf.Scalar;
  })([weights.basis!, weights.coefficients!]);
  const gradients = { basis: grads[0]!, coefficients: grads[1]! };
  const { parameters: updated, state } = optimiser.update(weights, gradients, moments, rates);
  traceMs = performance.now() - start;
  return { loss, weights: updated, moments: state };
};
const recorded = traced(step);
const run = (inputs: Inputs) =>
  options.plain ? Promise.resolve(tf.tidy(() => step(inputs) as never)) : recorded.run(inputs);

const times: number[] = [];
const processorTimes: number[] = [];
const losses: number[] = [];
let firstMs = 0;
for (let index = 0; index < Number(options.steps) + 1; index++) {
  const start = performance.now();
  const processorStart = process.cpuUsage();
  const rates = {
    learningRate: { basis: tf.scalar(1e-3), coefficients: tf.scalar(1e-3) },
    correction1: tf.scalar(1 - 0.9 ** (index + 1)),
    correction2: tf.scalar(1 - 0.99 ** (index + 1)),
  };
  const next = (await run({ weights, moments, batch, rates })) as ReturnType<typeof step>;
  losses.push((await next.loss.data())[0]!);
  tf.dispose([
    weights,
    moments.first,
    moments.second,
    rates.learningRate,
    rates.correction1,
    rates.correction2,
    next.loss,
  ]);
  weights = next.weights;
  moments = next.moments;
  const elapsed = performance.now() - start;
  const { user, system } = process.cpuUsage(processorStart);
  if (index === 0) firstMs = elapsed;
  else {
    times.push(elapsed);
    processorTimes.push((user + system) / 1000);
  }
}
times.sort((a, b) => a - b);
processorTimes.sort((a, b) => a - b);
const memory = lazyBackend()?.memory();
console.log(
  JSON.stringify({
    milliseconds: Math.round(times[Math.floor(times.length / 2)]!),
    fastest: Math.round(times[0]!),
    processorMs: Math.round(processorTimes[Math.floor(processorTimes.length / 2)]!),
    firstMs: Math.round(firstMs),
    traceMs: Math.round(traceMs),
    compiled: lazyBackend()?.computation.programs.compiled,
    keptMB: memory && Math.round(memory.keptBytes / 2 ** 20),
    usedMB: memory && Math.round(memory.usedBytes / 2 ** 20),
    peakMB: Math.round(process.resourceUsage().maxRSS / 1024),
    losses: [losses[0], losses.at(-1)],
    tensors: tf.memory().numTensors,
  }),
);
