import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import type { ConceptCaption } from '../../../shared/domain/concept.ts';
import type { LossPoint } from '../../../shared/domain/engine.ts';
import { type LearningCost, learningCost } from '../../../shared/domain/evaluation-table.ts';
import { plannedSteps, type Recipe } from '../../../shared/domain/recipe.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { learnConcept } from '../training/learn.ts';
import { readKept, writePart } from './folder.ts';

/** What there is to learn, of which model (its folder), and the path without ending of all its files. */
export interface Learning {
  directory: string;
  recipe: Recipe;
  caption: ConceptCaption;
  source: RawFrames;
  stem: string;
}

export interface LearnedConcept {
  conceptFile: string;
  cost: LearningCost;
}

const learningFile = learningCost
  .omit({ steps: true })
  .extend({ finished: z.boolean(), processorSeconds: z.number().default(0), peakBytes: z.number().default(0) });

/** Learns a scene, or goes on with a learning that was stopped, or takes over one that is finished and still there. */
export async function learnOnce(
  model: OpenModel,
  { directory, recipe, caption, source, stem }: Learning,
  options: EngineCallOptions,
): Promise<LearnedConcept> {
  const conceptFile = `${stem}.safetensors`;
  const workDirectory = `${stem}-work`;
  const file = `${stem}-learning.json`;
  const steps = plannedSteps(recipe);
  const nothing = { finished: false, seconds: 0, processorSeconds: 0, peakBytes: 0, curves: [] };
  const { finished: isFinished, ...found } = (await readKept(file, learningFile)) ?? nothing;
  if (isFinished && existsSync(conceptFile)) return { conceptFile, cost: { ...found, steps } };
  const before = isFinished ? nothing : found;
  const startedAt = performance.now();
  const processorAt = process.cpuUsage();
  let peakBytes = before.peakBytes;
  const soFar = () => ({
    seconds: before.seconds + (performance.now() - startedAt) / 1000,
    processorSeconds: before.processorSeconds + processorSeconds(processorAt),
    peakBytes,
  });
  // With every checkpoint, so that a kill loses no more of the time than of the learning.
  let saved = Promise.resolve();
  let curves: LearningCost['curves'] = [];
  try {
    const clips = [{ frames: source, caption }];
    const { losses } = await learnConcept(
      model,
      { model: directory, clips, recipe, workDirectory, conceptFile },
      {
        ...options,
        onEvent(event) {
          if (event.type === 'loss') peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
          if (event.type === 'checkpoint') saved = saved.then(() => writePart(file, { finished: false, ...soFar() }));
          options.onEvent?.(event);
        },
      },
    );
    curves = curvesOf(losses);
  } catch (error) {
    await saved;
    await writePart(file, { finished: false, ...soFar() });
    throw error;
  }
  await saved;
  const cost = { ...soFar(), curves };
  await writePart(file, { finished: true, ...cost });
  await rm(workDirectory, { recursive: true, force: true });
  return { conceptFile, cost: { ...cost, steps } };
}

/** Points of a curve: single losses depend on their noise levels, means of several less. */
const curvePoints = 24;

/** The losses of each stage as means over equal parts of its steps; as many as there are steps, where those are few. */
export function curvesOf(losses: readonly LossPoint[]): LearningCost['curves'] {
  const stages = [...new Set(losses.map(({ stage }) => stage))];
  return stages.map((stage) => {
    const own = losses.filter((point) => point.stage === stage);
    const count = Math.min(curvePoints, own.length);
    const bound = (part: number) => Math.round((part * own.length) / count);
    const meanOf = (part: number) => {
      const members = own.slice(bound(part), bound(part + 1));
      return members.reduce((sum, { loss }) => sum + loss, 0) / members.length;
    };
    return { stage, losses: Array.from({ length: count }, (_, part) => meanOf(part)) };
  });
}

/** Of all threads of this process since then. */
export function processorSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}
