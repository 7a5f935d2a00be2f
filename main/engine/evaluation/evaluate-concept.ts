import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { editSettings, usualDetail } from '../../../shared/domain/edit.ts';
import {
  type EvaluateConceptRequest,
  type EvaluateConceptResult,
  type SceneMeasures,
  sceneMeasures,
  type UsedSampling,
} from '../../../shared/domain/evaluation.ts';
import { startSettings } from '../../../shared/domain/strength.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { evaluateScene } from './evaluate-scene.ts';
import { keptOr, openEvaluationFolder } from './folder.ts';
import { openEvaluationJudge } from './judging.ts';
import { checkTestSeeds } from './scenes.ts';
import { standingOf } from './stamp.ts';
import { summariseConcepts } from './summarise-concepts.ts';

/** So many scenes keep their clips, for the contact sheets. */
const shownScenes = 3;

/**
 * Learns the scene of every seed, reconstructs it, makes every true edit of it and moves the sliders, with
 * the base model, words alone and the plain LoRA beside it. One JSON file a finished scene, and one a method
 * within it; a run with the same settings and folder goes on where an earlier one stopped. Throws as
 * `evaluateModel` does, and what learning and generating throw.
 */
export async function evaluateConcept(
  model: OpenModel,
  request: EvaluateConceptRequest,
  options: EngineCallOptions = {},
): Promise<EvaluateConceptResult> {
  const startedAt = performance.now();
  const { seeds, outputFolder } = request;
  checkTestSeeds(seeds);
  const sampling = samplingOf(request);
  const judge = await openEvaluationJudge(request.judge);
  try {
    await openEvaluationFolder(outputFolder, await settingsOf(model, request, sampling));
    const scenes: SceneMeasures[] = [];
    let takenOver = 0;
    for (const [index, seed] of seeds.entries()) {
      options.signal?.throwIfAborted();
      const name = `seed-${String(seed).padStart(6, '0')}`;
      const file = join(outputFolder, `${name}.json`);
      const folder = join(outputFolder, name);
      const shown = index < shownScenes;
      const whole = () => wholeProgress(index, seeds.length, index - takenOver, startedAt);
      const { value: scene, isKept } = await keptOr(file, sceneMeasures, () =>
        evaluateScene({ model, judge, request, sampling, whole }, seed, folder, shown, options),
      );
      if (isKept) takenOver++;
      else if (!shown) await rm(folder, { recursive: true, force: true });
      scenes.push(scene);
    }
    return {
      ...summariseConcepts(scenes),
      sampling,
      sheet: scenes.flatMap(({ sheet }) => sheet),
      seconds: (performance.now() - startedAt) / 1000,
      takenOver,
    };
  } finally {
    judge.dispose();
  }
}

/** The editor's defaults, so that what is measured is what a user gets. */
function samplingOf({ sampling }: EvaluateConceptRequest): UsedSampling {
  const own = editSettings.parse({ prompt: '' });
  return { steps: sampling.steps ?? own.steps, guidance: sampling.guidance ?? own.guidance, seed: sampling.seed };
}

/** What has to be equal for scenes to be comparable. How often a learning saves changes nothing in it. */
async function settingsOf(
  model: OpenModel,
  { recipe, judge, size, gains, withLora }: EvaluateConceptRequest,
  sampling: UsedSampling,
): Promise<Record<string, unknown>> {
  const { checkpointEvery: _, sampleEvery: __, ...learned } = recipe;
  return {
    kind: 'concept',
    ...(await standingOf(model, judge)),
    edits: { ...startSettings(true), keepDetail: usualDetail },
    size,
    sampling,
    recipe: learned,
    gains,
    withLora,
  };
}

/** `scene 3 of 20, about 95 min left for all`; the rate is that of the scenes measured in this run. */
function wholeProgress(index: number, total: number, measured: number, startedAt: number): string {
  const counted = `scene ${index + 1} of ${total}`;
  if (measured < 1) return counted;
  const minutes = (performance.now() - startedAt) / 60_000;
  const left = Math.max(1, Math.round((minutes / measured) * (total - index)));
  return `${counted}, about ${left} min left for all`;
}
