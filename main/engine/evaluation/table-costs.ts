import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { plannedSteps, type Recipe } from '../../../shared/domain/recipe.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { learnConcept } from '../training/learn.ts';
import { keptOr } from './folder.ts';
import { type Learning, processorSeconds } from './learned-concept.ts';

/** Processor seconds of a step, by the label of its stage. */
export type StepCosts = Readonly<Record<string, number>>;

const costsFile = z.record(z.string(), z.number().positive());

/** Steps of each stage that are timed. */
const timedSteps = 8;
/** Steps that took more than so many times the median compiled something. */
const outlier = 3;

/**
 * What a step of each stage of a recipe costs on this machine, measured once and kept beside `stem`: in
 * processor time, which other programs hardly change.
 */
export async function stepCosts(
  model: OpenModel,
  learning: Learning,
  options: EngineCallOptions,
): Promise<{ costs: StepCosts; isKept: boolean }> {
  const { value, isKept } = await keptOr(`${learning.stem}.json`, costsFile, () =>
    measureCosts(model, learning, options),
  );
  return { costs: value, isKept };
}

async function measureCosts(
  model: OpenModel,
  { directory, recipe, caption, source, stem }: Learning,
  { signal, onEvent }: EngineCallOptions,
): Promise<StepCosts> {
  const short = (steps: number) => Math.min(steps, timedSteps);
  const stepsIdentity = short(recipe.stepsIdentity);
  const stepsMotion = short(recipe.stepsMotion);
  const timed = { ...recipe, stepsIdentity, stepsMotion, priorClips: Math.min(recipe.priorClips, 2) };
  const workDirectory = `${stem}-work`;
  const measured: Record<string, number[]> = {};
  const lastStage = plannedSteps(timed).findLast(({ steps }) => steps > 0);
  // What follows the last step, measuring and writing the concept, is not needed.
  const enough = new AbortController();
  let since = process.cpuUsage();
  try {
    await rm(workDirectory, { recursive: true, force: true });
    await learnConcept(
      model,
      {
        model: directory,
        clips: [{ frames: source, caption }],
        recipe: timed,
        workDirectory,
        conceptFile: `${stem}.safetensors`,
      },
      {
        signal: signal ? AbortSignal.any([signal, enough.signal]) : enough.signal,
        onEvent(event) {
          onEvent?.(event);
          if (event.type !== 'loss') return;
          const { stage, step } = event.point;
          const seconds = processorSeconds(since);
          measured[stage] = [...(measured[stage] ?? []), seconds];
          since = process.cpuUsage();
          if (stage === lastStage?.label && step >= lastStage.steps) enough.abort();
        },
      },
    );
  } catch (error) {
    if (signal?.aborted || !enough.signal.aborted) throw error;
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
    await rm(`${stem}.safetensors`, { force: true });
  }
  return Object.fromEntries(Object.entries(measured).map(([stage, seconds]) => [stage, usualOf(seconds)]));
}

/**
 * The mean of steps without those that compiled something: the first, and whatever took several times the
 * median.
 */
export function usualOf(seconds: readonly number[]): number {
  const sorted = [...seconds].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1]!;
  const later = seconds.length > 2 ? seconds.slice(1) : seconds;
  const usual = later.filter((value) => value <= outlier * median);
  const kept = usual.length > 0 ? usual : [median];
  return Math.max(1e-6, kept.reduce((sum, value) => sum + value, 0) / kept.length);
}

/** Processor seconds that all steps of a recipe take. */
export function costOf(recipe: Recipe, costs: StepCosts): number {
  return plannedSteps(recipe).reduce((sum, { label, steps }) => sum + steps * (costs[label] ?? 0), 0);
}

/**
 * The recipe with as many steps as fit into so many processor seconds, its stages in the proportion that they
 * had; at least one each.
 */
export function withinBudget(recipe: Recipe, costs: StepCosts, budget: number): Recipe {
  const factor = budget / costOf(recipe, costs);
  const scaled = (steps: number) => (steps === 0 ? 0 : Math.min(20_000, Math.max(1, Math.round(steps * factor))));
  return { ...recipe, stepsIdentity: scaled(recipe.stepsIdentity), stepsMotion: scaled(recipe.stepsMotion) };
}
