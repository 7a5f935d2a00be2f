import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../../../main/engine/backends/tf.ts';
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
    expect(identity.residual).toEqual(start.residual);
    expect(identity.basis).not.toEqual(start.basis);
    expect(identity.coefficients).not.toEqual(start.coefficients);
    const both = toyRun(toyRecipe());
    const after = numbers(await train(both.run, both.state));
    expect(after.basis).toEqual(identity.basis);
    expect(after.coefficients).toEqual(identity.coefficients);
    expect(after.residual).not.toEqual(identity.residual);
  });

  it('leaves the special tokens alone when their learning rate is zero', async () => {
    const { run, state } = toyRun(toyRecipe({ tokenLearningRate: 0 }));
    expect(numbers(await train(run, state)).tokens).toEqual([0, 0, 0, 0]);
    const moving = toyRun(toyRecipe({ tokenLearningRate: 1e-3 }));
    expect(numbers(await train(moving.run, moving.state)).tokens).not.toEqual([0, 0, 0, 0]);
  });

  it('as plain LoRA trains one pair of matrices on the clip', async () => {
    const { run, state, losses } = toyRun(toyRecipe({ method: 'lora' }));
    const after = numbers(await train(run, state));
    expect(losses).toHaveLength(6);
    expect(after.residual!.every((value) => value === 0)).toBe(true);
    expect(after.coefficients!.some((value) => value !== 0)).toBe(true);
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
