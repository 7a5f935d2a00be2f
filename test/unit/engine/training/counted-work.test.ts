import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hooksOf, type LowRank } from '../../../../main/engine/adapters/additions.ts';
import type { Node } from '../../../../main/engine/backends/lazy/graph.ts';
import { lazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import type { WanPipeline } from '../../../../main/engine/models/wan/pipeline.ts';
import type { ModelInfo } from '../../../../shared/domain/model.ts';
import { recipe } from '../../../../shared/domain/recipe.ts';
import { codingWorkOf, editWork, stepWork } from '../../../../shared/domain/work.ts';
import { openEmbedded, runEmbeddedStep, useRecording } from './embedded-step.ts';

let pipeline: WanPipeline;
let info: ModelInfo;

beforeAll(async () => {
  await useRecording({ plain: false });
  pipeline = await openEmbedded();
  info = await pipeline.describe();
});
afterAll(async () => {
  await pipeline.dispose();
  await selectBackend({ device: 'onnxruntime' });
});

const product = (lengths: readonly number[]) => lengths.reduce((a, b) => a * b, 1);

/** Of a product, a convolution or fused attention: two for each multiplication with its addition. */
function operationsOf({ op, inputs, outputs: [output], attributes }: Node): number {
  const [a, b] = inputs.map((value) => value?.shape ?? []);
  switch (op) {
    case 'MatMul':
    case 'Gemm':
    case 'FusedMatMul':
      return 2 * product(output!.shape) * a!.at(attributes.transA ? -2 : -1)!;
    case 'Conv':
      return 2 * product(output!.shape) * product(b!.slice(1));
    case 'MultiHeadAttention':
      return 4 * product(a!) * b![1]!;
    default:
      return 0;
  }
}

/** What all graphs come to that are recorded meanwhile. */
async function counted(work: () => Promise<unknown>): Promise<number> {
  const { computation } = lazyBackend()!;
  let total = 0;
  computation.inspect = (nodes) => {
    for (const node of nodes) total += operationsOf(node);
  };
  await work();
  computation.inspect = undefined;
  return total;
}

describe('what is reckoned with, against the recorded graphs of the embedded model', () => {
  const { rank, batchSize, batchSizeMotion } = recipe.parse({});

  it.each([
    [0, { conditioned: true }],
    [1, { conditioned: true }],
    [0, { conditioned: false }],
    [1, { conditioned: false }],
    [1, { conditioned: true, activationBytes: 0 }],
  ])('a step of stage %i, %o', async (stage, options) => {
    const found = await counted(() => runEmbeddedStep(pipeline, stage, options));
    const planned = stepWork(info, {
      rows: stage === 0 ? batchSize : batchSizeMotion,
      tokens: stage === 0 ? 64 : 320,
      rank,
      learnsBasis: stage === 0,
      recomputes: 'activationBytes' in options,
      conditioned: Number(options.conditioned),
    });
    expect(planned / found).toBeGreaterThan(0.95);
    expect(planned / found).toBeLessThan(1.07);
  });

  it('a pass under three prompts with a concept', async () => {
    const { denoise, timeFeatures } = await pipeline.denoiser();
    const layers = pipeline.shape.layers.filter(({ path }) => path.startsWith('blocks.'));
    const lowRank = new Map(
      layers.map(({ path, inSize, outSize }): [string, LowRank] => [
        path,
        { basis: tf.ones([outSize, rank]), coefficients: tf.ones([rank, inSize]), side: 'output' },
      ]),
    );
    const inputs = {
      latents: tf.ones([3, 32, 5, 16, 16]),
      text: tf.ones([3, info.work.promptTokens, pipeline.textWidth]),
      timestep: timeFeatures([500, 500, 500]),
    };
    const found = await counted(() => denoise(inputs, { hooks: hooksOf([{ lowRank }]), inferenceOnly: true }).data());
    // The first of two steps at noise level 1/2 compares three prompts, beside the clip's own flow: 3 + 1 + 1 + 1 of them in four passes.
    const settings = { fidelity: 0.5, fidelityStart: 'flow-edit', guidance: 4, part: 0.5, steps: 4 } as const;
    const frames = { width: 128, height: 128, frameCount: 17 };
    const unshifted = { ...info, work: { ...info.work, sampling: { ...info.work.sampling, shift: 1 } } };
    const single = editWork(unshifted, { settings: { ...settings, guidance: 1 }, frames, rank }).sampling / 4;
    const planned = editWork(unshifted, { settings, frames, rank }).sampling - 3 * single;
    expect(planned / found).toBeGreaterThan(0.95);
    expect(planned / found).toBeLessThan(1.05);
  });

  it.each([1, 17])('encoding and decoding %i frames', async (count) => {
    const pictures = { data: new Uint8Array(count * 128 * 128 * 3), width: 128, height: 128, count };
    const frames = { width: 128, height: 128, frameCount: count };
    const latents = tf.ones([1, 16, 1 + (count - 1) / 4, 16, 16]);
    const { encode, decode } = info.work.coding;
    const encoded = await counted(async () => (await pipeline.encodeFrames(pictures)).data());
    const decoded = await counted(() => pipeline.decodeFrames(latents));
    for (const [planned, found] of [
      [codingWorkOf(encode, frames), encoded],
      [codingWorkOf(decode, frames), decoded],
    ] as const) {
      expect(planned / found).toBeGreaterThan(0.95);
      expect(planned / found).toBeLessThan(1.07);
    }
  });
});
