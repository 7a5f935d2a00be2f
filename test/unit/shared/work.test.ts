import { describe, expect, it } from 'vitest';
import { editSettings } from '../../../shared/domain/edit.ts';
import { type RecipeInput, recipe } from '../../../shared/domain/recipe.ts';
import { passesOf } from '../../../shared/domain/sampling-plan.ts';
import { codingWorkOf, editedFrames, editWork, learningWork, stepWork } from '../../../shared/domain/work.ts';
import { makeClip } from '../../fixtures/library.ts';
import { makeModelInfo, smallWork } from '../../fixtures/model-info.ts';

/** Pictures of 4 tokens, clips of 2 latent frames. */
const model = makeModelInfo({ activationsPerToken: 100 });
const plenty = 1e12;
const settings = editSettings.parse({ prompt: 'in snow', steps: 8, guidance: 4, fidelity: 0.5, part: 1 });

describe('a step of learning', () => {
  const step = { rows: 2, tokens: 4, rank: 3, learnsBasis: true, recomputes: false, conditioned: 0 };
  // 8 tokens of clips and 6 of prompts, and 3 more for each change that is added to its matrix.
  const products = (8 + 3) * 144 + (6 + 3) * 32;
  const thin = 3 * (8 * 68 + 6 * 16);
  // Scores and sums: of each token with 4 of the clip and 3 of the prompt.
  const attention = 2 * 4 * (8 * 4 + 8 * 3);

  it('is a forward pass, the gradients of inputs and of both factors, and attention with its weights again', () => {
    expect(stepWork(model, step)).toBe(2 * (2 * products + 2 * thin + 3.5 * attention));
  });

  it('has half of the thin products where only coefficients learn', () => {
    expect(stepWork(model, { ...step, learnsBasis: false })).toBe(2 * (2 * products + thin + 3.5 * attention));
  });

  it('has one forward pass more for blocks that are computed again, and some for a prediction that is given', () => {
    const forward = 2 * (products + attention);
    expect(stepWork(model, { ...step, recomputes: true })).toBe(stepWork(model, step) + forward);
    expect(stepWork(model, { ...step, conditioned: 0.5 })).toBe(stepWork(model, step) + forward / 2);
  });
});

describe('a learning', () => {
  const asked = (input: RecipeInput = {}) =>
    recipe.parse({ rank: 3, batchSize: 6, batchSizeMotion: 2, priorClips: 4, ...input });

  it('encodes the clip and each of its frames, samples the prior with guidance, and gives the clip back without', () => {
    const { prepare, measure } = learningWork(model, asked(), plenty);
    const pixels = 256;
    expect(prepare.coding).toBe(2 * pixels * (20 + 4 * 10) + 5 * 2 * pixels * 20);
    const forward = (prompts: number, rank: number) =>
      2 * ((prompts * 8 + rank) * 144 + (prompts * 3 + rank) * 32 + 2 * 4 * prompts * 8 * (8 + 3));
    expect(prepare.sampling).toBe(4 * 5 * forward(2, 0));
    expect(measure).toEqual({ learning: 0, sampling: 5 * forward(1, 3), coding: 2 * pixels * (40 + 4 * 30) });
    const without = asked({ regularisers: { priorPreservation: false } });
    expect(learningWork(model, without, plenty).prepare.sampling).toBe(0);
  });

  it('learns from pictures, then coefficients from clips', () => {
    const { identity, motion } = learningWork(model, asked(), plenty);
    const common = { rank: 3, recomputes: false, conditioned: 0 };
    expect(identity.learning).toBe(stepWork(model, { ...common, rows: 6, tokens: 4, learnsBasis: true }));
    expect(motion.learning).toBe(stepWork(model, { ...common, rows: 2, tokens: 8, learnsBasis: false }));
    const conditioned = learningWork({ ...model, selfConditioning: true }, asked(), plenty);
    expect(conditioned.motion.learning).toBeGreaterThan(1.2 * motion.learning);
  });

  it('learns from both in turn where a method does', () => {
    const turns = learningWork(model, asked({ method: 'dreammix', pictureShare: 0.25 }), plenty);
    const common = { rank: 3, recomputes: false, conditioned: 0, learnsBasis: true };
    const pictures = stepWork(model, { ...common, rows: 6, tokens: 4 });
    const clips = stepWork(model, { ...common, rows: 2, tokens: 8 });
    expect(turns.identity.learning).toBe(0.25 * pictures + 0.75 * clips);
    expect(turns.motion.learning).toBe(0);
  });

  it('computes blocks again in the stage whose activations are too many', () => {
    const large = { ...model, layers: 4, activationsPerToken: 2e6 };
    const [free, short] = [plenty, 0.52e9].map((memory) => learningWork(large, asked(), memory));
    expect(short!.identity.learning).toBeGreaterThan(free!.identity.learning);
    expect(short!.motion.learning).toBe(free!.motion.learning);
  });
});

describe('an edit', () => {
  it('has the prompts that its way of starting compares', () => {
    const passes = (changes: Partial<typeof settings>, shift = 1, hasConcept = true) =>
      passesOf({ ...settings, ...changes }, shift, hasConcept);
    // Half of 8 steps are left out; the first of the others is at noise level 1/2.
    expect(passes({})).toEqual([1, 3, 1, 1, 1, 1, 1, 1, 1]);
    expect(passes({ part: 0.5 })).toEqual([3, 1, 1, 1, 1, 1, 1, 1]);
    expect(passes({}, 1, false)).toEqual([3, 1, 1, 1, 1, 1, 1, 1]);
    expect(passes({}, 3).filter((prompts) => prompts === 3)).toHaveLength(3);
    expect(passes({ guidance: 1 })).toEqual(new Array(8).fill(1));
    expect(passes({ fidelityStart: 'noise' })).toEqual([2, 2, 2, 2]);
    expect(passes({ fidelityStart: 'inversion' })).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    expect(passes({ fidelity: 0 })).toEqual(new Array(8).fill(2));
    expect(passes({ fidelity: 1 })).toEqual([]);
  });

  it('is its passes, one encoding and two decodings, of each window of a long clip', () => {
    const frames = { width: 16, height: 16, frameCount: 5 };
    const noGuidance = { ...settings, guidance: 1 };
    const one = editWork(model, { settings: noGuidance, frames, rank: 3 });
    const forward = 2 * ((8 + 3) * 144 + (3 + 3) * 32 + 2 * 4 * 8 * (8 + 3));
    const coded = (work: { first: number; next: number }) => codingWorkOf(work, frames);
    const { encode, decode } = smallWork.coding;
    expect(one).toEqual({ learning: 0, sampling: 8 * forward, coding: coded(encode) + 2 * coded(decode) });
    const whole = editWork(model, { settings: noGuidance, frames: { ...frames, frameCount: 8 }, rank: 3 });
    expect(whole.sampling).toBe(4 * one.sampling); // each a frame further
    const fromNoise = editWork(model, { settings: { ...noGuidance, fidelity: 0 }, frames, rank: 0 });
    expect(fromNoise.coding).toBe(coded(decode));
  });

  it('is of frames twice as large, or of the whole file', () => {
    const clip = makeClip('long');
    expect(editedFrames(clip, settings)).toEqual({ width: 16, height: 16, frameCount: 5 });
    expect(editedFrames(clip, { fine: true, whole: true })).toEqual({ width: 32, height: 32, frameCount: 16 });
  });
});
