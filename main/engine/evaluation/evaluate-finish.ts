import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { editSettings, usualDetail } from '../../../shared/domain/edit.ts';
import type { SheetRow, UsedSampling } from '../../../shared/domain/evaluation.ts';
import {
  type EvaluateFinishRequest,
  type EvaluateFinishResult,
  type FinishMeasures,
  type FinishScene,
  finishScene,
} from '../../../shared/domain/evaluation-finish.ts';
import { startStrength, strengthSettings } from '../../../shared/domain/strength.ts';
import { usualFor } from '../../../shared/domain/things.ts';
import { parseRational } from '../../../shared/domain/time.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { renderEdit } from '../../world/edit-mask.ts';
import { sampleScene } from '../../world/scene.ts';
import { type Pictures, readRawFrames, writeRawFrames } from '../formats/raw-frames.ts';
import type { Judge } from '../models/judge/judge.ts';
import { generateClip } from '../sampling/generate-clip.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { type ConceptScene, conceptScene, type TrueEdit } from './concept-scene.ts';
import { finishEdit } from './finish-edit.ts';
import { keptOr, openEvaluationFolder } from './folder.ts';
import { openEvaluationJudge } from './judging.ts';
import { type EvaluatedFinishing, enlargement, measureFinish, picturesPerFrame } from './measure-finish.ts';
import { learned, measureEdit } from './measure-method.ts';
import { settingsOfClip } from './methods.ts';
import { phaseReporter, withinPart } from './progress.ts';
import { breathe, checkTestSeeds, picturesOf, sizeOfConcepts, throughAutoencoder } from './scenes.ts';
import { standingOf } from './stamp.ts';
import { summariseFinish } from './summarise-finish.ts';

/** So many scenes keep pictures for the contact sheet, and of each clip so many. */
const shownScenes = 2;
const shownPictures = 5;

/** What the scenes of one evaluation share. */
interface Evaluation {
  model: OpenModel;
  judge: Judge;
  request: EvaluateFinishRequest;
  sampling: UsedSampling;
}

/**
 * Measures what finishing makes of edits whose truth is known: of perfect ones, so that it is judged alone,
 * and of those that the model makes by words alone, each beside the edit as it is, enlarged. One JSON file a
 * finished scene; a run with the same settings and folder goes on where an earlier one stopped. Throws as
 * `evaluateModel` does, and what generating throws.
 */
export async function evaluateFinish(
  model: OpenModel,
  request: EvaluateFinishRequest,
  options: EngineCallOptions = {},
): Promise<EvaluateFinishResult> {
  const startedAt = performance.now();
  const { seeds, outputFolder } = request;
  checkTestSeeds(seeds);
  const strength = strengthSettings(startStrength);
  const own = editSettings.parse({ prompt: '' });
  const { steps, guidance, seed } = request.sampling;
  const sampling = { steps: steps ?? own.steps, guidance: guidance ?? strength.guidance, seed };
  const size = sizeOfConcepts(model.pipeline, request.size);
  const judge = await openEvaluationJudge(request.judge);
  try {
    await openEvaluationFolder(outputFolder, {
      kind: 'finish',
      ...(await standingOf(model, request.judge)),
      edits: { ...strength, keepDetail: usualDetail },
      details: request.details,
      size: request.size,
      sampling,
    });
    const report = phaseReporter(options.onEvent, 'finish', 'scenes', seeds.length);
    const scenes: FinishScene[] = [];
    let takenOver = 0;
    for (const [index, seed] of seeds.entries()) {
      options.signal?.throwIfAborted();
      const file = join(outputFolder, `seed-${String(seed).padStart(6, '0')}.json`);
      const { value: scene, isKept } = await keptOr(file, finishScene, () =>
        evaluateScene({ model, judge, request, sampling }, seed, index < shownScenes, {
          ...options,
          onEvent: withinPart(options.onEvent, ({ phase }) => ({
            phase: `seed ${seed}: ${phase}`,
            message: `scene ${index + 1} of ${seeds.length}`,
          })),
        }),
      );
      if (isKept) takenOver++;
      scenes.push(scene);
      report(scenes.length, scenes.length - takenOver);
    }
    return {
      rows: summariseFinish(scenes),
      size: { width: size.width * enlargement, height: size.height * enlargement },
      sampling,
      sheet: scenes.flatMap(({ sheet }) => sheet),
      seconds: (performance.now() - startedAt) / 1000,
      takenOver,
    };
  } finally {
    judge.dispose();
  }
}

async function evaluateScene(
  evaluation: Evaluation,
  seed: number,
  isShown: boolean,
  options: EngineCallOptions,
): Promise<FinishScene> {
  const { model, judge, request } = evaluation;
  const { pipeline } = model;
  const { worldEdition: edition } = pipeline.extras;
  const small = { ...sizeOfConcepts(pipeline, request.size), frameRate: pipeline.extras.frameRate };
  const large = {
    width: small.width * enlargement,
    height: small.height * enlargement,
    frameCount: (small.frameCount - 1) * picturesPerFrame + 1,
    frameRate: small.frameRate * picturesPerFrame,
  };
  const scene = await conceptScene(seed, edition, small, judge);
  const base = await throughAutoencoder(model, scene.source, options.signal);
  const group = `seed ${seed}`;
  const edits: FinishMeasures[] = [];
  const sheet: SheetRow[] = [];
  for (const edit of scene.edits) {
    options.signal?.throwIfAborted();
    const { kind, to, changes } = edit;
    const rendered = renderEdit(sampleScene(seed, { edition }), changes, large);
    await breathe();
    const [source, target] = [rendered.source, rendered.target].map(({ frames }) => picturesOf(frames, large));
    const { recolour } = usualFor(scene.prompt.plain, edit.prompt.plain);
    const truth = { source: source!, target: target!, mask: rendered.mask };
    const show = async (label: string, pictures: Pictures) => {
      const file = join(request.outputFolder, `seed-${seed}-${kind}-${sheet.length}.rgb`);
      const frames = await writeRawFrames(file, pictures, parseRational(String(small.frameRate)));
      sheet.push({ group, label: `${kind}: ${label}`, note: edit.prompt.plain, frames });
    };
    if (isShown) {
      await show('source', someOf(truth.source));
      await show('truth', someOf(truth.target));
    }
    const made = {
      perfect: await throughAutoencoder(model, edit.target, options.signal),
      words: await byWords(evaluation, scene, edit, options),
    };
    for (const name of ['perfect', 'words'] as const) {
      for (const keepDetail of [null, ...request.details]) {
        const finishing = keepDetail === null ? null : { keepDetail, recolour };
        options.signal?.throwIfAborted();
        const shown: Uint8Array[] = [];
        const measured = measureFinish(truth, { base, edited: made[name] }, finishing, (rgb, index) => {
          if (isShown && isSome(index, truth.source.count)) shown.push(rgb.slice());
        });
        const named =
          name === 'words'
            ? await measureEdit(edit, finishedSmall(scene.source, base, made[name], finishing), null, scene, judge)
            : null;
        const { success = null, preservation = null } = named ?? {};
        edits.push({ edit: name, kind, to, success, preservation, ...measured });
        const label = keepDetail === null ? `${name}, enlarged` : `${name}, finished, detail ${keepDetail}`;
        if (isShown && (keepDetail === null || keepDetail === usualDetail))
          await show(label, { ...truth.source, data: Buffer.concat(shown), count: shown.length });
        await breathe();
      }
    }
  }
  return { seed, edits, sheet };
}

const isSome = (index: number, count: number) =>
  Array.from({ length: shownPictures }, (_, each) => Math.round((each * (count - 1)) / (shownPictures - 1))).includes(
    index,
  );

function someOf(pictures: Pictures): Pictures {
  const bytes = pictures.width * pictures.height * 3;
  const some = Array.from({ length: pictures.count }, (_, index) => index).filter((index) =>
    isSome(index, pictures.count),
  );
  const data = Buffer.concat(some.map((index) => pictures.data.subarray(index * bytes, (index + 1) * bytes)));
  return { ...pictures, data, count: some.length };
}

/** At the model's size, as the judge sees it. */
function finishedSmall(
  source: Pictures,
  base: Pictures,
  edited: Pictures,
  finishing: EvaluatedFinishing | null,
): Pictures {
  return finishing === null ? edited : finishEdit(source, base, { pictures: edited, seconds: 0 }, finishing).pictures;
}

/** What the model makes of the words, from the scene's caption to the edited one. */
async function byWords(
  { model, request, sampling }: Evaluation,
  scene: ConceptScene,
  { kind, prompt }: TrueEdit,
  { signal, onEvent }: EngineCallOptions,
): Promise<Pictures> {
  const rate = parseRational(String(model.pipeline.extras.frameRate));
  const stem = join(request.outputFolder, `seed-${scene.seed}-${kind}`);
  const source = await writeRawFrames(`${stem}-source.rgb`, scene.source, rate);
  const wanted = { name: kind, task: 'edit', prompt, sliders: learned } as const;
  const { guidance } = request.sampling;
  const settings = settingsOfClip({ name: 'words', recipe: null }, wanted, scene.prompt.plain, sampling, guidance);
  const output = `${stem}-edited.rgb`;
  try {
    const { frames } = await generateClip(
      model,
      { model: request.model, conceptFile: null, source, size: null, settings, output },
      {
        signal,
        onEvent: withinPart(onEvent, ({ phase, message = '' }) => ({ phase: `${kind}, ${phase}`, message })),
      },
    );
    return await readRawFrames(frames);
  } finally {
    await Promise.all([source.file, output].map((file) => rm(file, { force: true })));
  }
}
