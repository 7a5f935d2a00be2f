import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { writeSafetensors } from '../../../../main/engine/formats/safetensors-write.ts';
import {
  readTrainingState,
  type TrainingState,
  writeTrainingState,
} from '../../../../main/engine/training/checkpoint.ts';
import { train } from '../../../../main/engine/training/train.ts';
import { toyRecipe, toyRun } from './toy.ts';

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'motif-train-'));
});
afterAll(() => rm(folder, { recursive: true }));

const numbers = (state: TrainingState) =>
  Object.fromEntries(Object.entries(state.weights).map(([name, tensor]) => [name, [...tensor.dataSync()]]));

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('learning a concept', () => {
  it('lowers the loss in both stages', async () => {
    const { run, state, losses } = toyRun(
      toyRecipe({
        stepsIdentity: 60,
        stepsMotion: 60,
        regularisers: { priorPreservation: true, coefficientDropout: false, textTokenMasking: false },
      }),
    );
    await train(run, state);
    expect(losses).toHaveLength(120);
    expect(mean(losses.slice(40, 60))).toBeLessThan(0.7 * mean(losses.slice(0, 10)));
    expect(mean(losses.slice(90))).toBeLessThan(mean(losses.slice(60, 75)));
  });

  it('freezes A1, B1 in stage II and does not touch B2 in stage I', async () => {
    const first = toyRun(toyRecipe({ stepsMotion: 0 }));
    const start = numbers(first.state);
    const identity = numbers(await train(first.run, first.state));
    expect(identity['concept.residual']).toEqual(start['concept.residual']);
    expect(identity['concept.basis']).not.toEqual(start['concept.basis']);
    expect(identity['concept.coefficients']).not.toEqual(start['concept.coefficients']);
    const both = toyRun(toyRecipe());
    const after = numbers(await train(both.run, both.state));
    expect(after['concept.basis']).toEqual(identity['concept.basis']);
    expect(after['concept.coefficients']).toEqual(identity['concept.coefficients']);
    expect(after['concept.residual']).not.toEqual(identity['concept.residual']);
  });

  it('leaves the special tokens alone when their learning rate is zero', async () => {
    const { run, state } = toyRun(toyRecipe({ tokenLearningRate: 0 }));
    expect(numbers(await train(run, state))['words.rows']).toEqual([0, 0, 0, 0]);
    const moving = toyRun(toyRecipe({ tokenLearningRate: 1e-3 }));
    expect(numbers(await train(moving.run, moving.state))['words.rows']).not.toEqual([0, 0, 0, 0]);
  });

  it('as plain LoRA trains one pair of matrices on the clip', async () => {
    const { run, state, losses } = toyRun(toyRecipe({ method: 'lora' }));
    const after = numbers(await train(run, state));
    expect(losses).toHaveLength(6);
    expect(after['concept.residual']!.every((value) => value === 0)).toBe(true);
    expect(after['concept.coefficients']!.some((value) => value !== 0)).toBe(true);
  });

  it('says so when it diverges', async () => {
    const { run, state } = toyRun(toyRecipe({ learningRate: 1e38, stepsIdentity: 20 }));
    await expect(train(run, state)).rejects.toThrow('diverged at step');
  });

  it('keeps no tensors but the state', async () => {
    const { run, state } = toyRun(toyRecipe({ stepsIdentity: 3, stepsMotion: 0 }));
    const before = tf.memory().numTensors;
    await train(run, state);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('a run stopped and resumed', () => {
  for (const [stage, stopAt] of [
    ['identity', 3],
    ['identity', 6],
    ['motion', 8],
  ] as const) {
    it(`in stage ${stage} after step ${stopAt} ends in the same weights to the bit`, async () => {
      const whole = toyRun(toyRecipe());
      const expected = numbers(await train(whole.run, whole.state));

      const file = join(folder, `${stopAt}.safetensors`);
      const controller = new AbortController();
      let done = 0;
      const stopped = toyRun(toyRecipe(), {
        signal: controller.signal,
        save: (state) => writeTrainingState(file, state),
        onStep: () => {
          if (++done === stopAt) controller.abort();
        },
      });
      await expect(train(stopped.run, stopped.state)).rejects.toMatchObject({ code: 'cancelled' });
      const saved = (await readTrainingState(file))!;
      expect(saved.losses).toHaveLength(stopAt);
      const resumed = toyRun(toyRecipe());
      const final = await train(resumed.run, saved);
      expect(numbers(final)).toEqual(expected);
      expect(final.losses).toEqual(whole.state.losses);
    });
  }
});

it('a checkpoint of version 1, which knew one part only, is gone on from', async () => {
  const whole = toyRun(toyRecipe());
  const expected = numbers(await train(whole.run, whole.state));
  const file = join(folder, 'new.safetensors');
  const half = toyRun(toyRecipe({ stepsMotion: 0 }), { save: (state) => writeTrainingState(file, state) });
  await train(half.run, half.state);
  const state = (await readTrainingState(file))!;
  const first = join(folder, 'first.safetensors');
  const names = {
    'concept.basis': 'basis',
    'concept.coefficients': 'coefficients',
    'concept.residual': 'residual',
    'words.rows': 'tokens',
  };
  const tensors = Object.entries(names).map(([name, old]) => ({
    name: `weights.${old}`,
    shape: state.weights[name]!.shape,
    values: state.weights[name]!.dataSync() as Float32Array,
  }));
  const metadata = { version: 1, stage: 1, step: 0, losses: state.losses };
  await writeSafetensors(first, tensors, { motif_checkpoint: JSON.stringify(metadata) });
  const resumed = toyRun(toyRecipe());
  expect(numbers(await train(resumed.run, (await readTrainingState(first))!))).toEqual(expected);
});

describe('a run that is asked to keep what it has', () => {
  it('ends with the step at hand, as if there were no more', async () => {
    const short = toyRun({ ...toyRecipe(), stepsIdentity: 3, stepsMotion: 0 });
    const expected = numbers(await train(short.run, short.state));
    const kept = toyRun(toyRecipe(), { isEnough: () => kept.losses.length >= 3 });
    const final = await train(kept.run, kept.state);
    expect(kept.losses).toHaveLength(3);
    expect(numbers(final)).toEqual(expected);
  });
});
