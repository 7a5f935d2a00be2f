import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import {
  type EvaluateConceptRequest,
  type MethodMeasures,
  methodMeasures,
  type SceneMeasures,
  type SheetRow,
  sheetRow,
  type UsedSampling,
} from '../../../shared/domain/evaluation.ts';
import { parseRational } from '../../../shared/domain/time.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { readRawFrames, writeRawFrames } from '../formats/raw-frames.ts';
import type { Judge } from '../models/judge/judge.ts';
import { generateClip } from '../sampling/generate-clip.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { type ConceptScene, conceptScene } from './concept-scene.ts';
import { finishEdit, type MadeClip } from './finish-edit.ts';
import { readKept, writePart } from './folder.ts';
import { learnOnce } from './learned-concept.ts';
import { type MakeClip, measureAutoencoder, measureEdits, measureMethod, measureTruth } from './measure-method.ts';
import { methodsOf, settingsOfClip } from './methods.ts';
import { withinPart } from './progress.ts';
import { renderOptions, sizeOfConcepts, throughAutoencoder } from './scenes.ts';

/** What every scene of an evaluation shares. */
export interface SceneEvaluation {
  model: OpenModel;
  judge: Judge;
  request: EvaluateConceptRequest;
  sampling: UsedSampling;
  /** Says how far the whole evaluation is. */
  whole(): string;
}

const partFile = z.object({ measures: methodMeasures, sheet: z.array(sheetRow) });

/**
 * Measures every method on the scene of one seed. Methods that an earlier run finished in `folder` are taken
 * over, and a learning goes on from its checkpoint. With `shown` all clips are kept for the contact sheet,
 * otherwise each goes once it is measured.
 */
export async function evaluateScene(
  evaluation: SceneEvaluation,
  seed: number,
  folder: string,
  shown: boolean,
  { signal, onEvent }: EngineCallOptions,
): Promise<SceneMeasures> {
  const { model, judge, request, sampling } = evaluation;
  await mkdir(folder, { recursive: true });
  const size = sizeOfConcepts(model.pipeline, request.size);
  const rate = parseRational(String(model.pipeline.extras.frameRate));
  const scene = await conceptScene(
    seed,
    model.pipeline.extras.worldEdition,
    renderOptions(model.pipeline, size),
    judge,
  );
  const source = await writeRawFrames(join(folder, 'source.rgb'), scene.source, rate);
  const group = `seed ${seed}`;
  const rows: SheetRow[] = [];
  const methods: MethodMeasures[] = [await measureTruth(scene, judge)];
  if (shown) rows.push(...(await truthRows(scene, folder, group, rate)));
  const coded = await throughAutoencoder(model, scene.source, signal);
  methods.push(await measureAutoencoder(scene, judge, coded));
  if (shown) {
    const frames = await writeRawFrames(join(folder, 'autoencoder.rgb'), coded, rate);
    rows.push({ group, label: 'reconstruction: autoencoder', note: 'coded and decoded', frames });
  }

  for (const by of methodsOf(request)) {
    signal?.throwIfAborted();
    const { name: method, recipe } = by;
    const file = join(folder, `${method}.json`);
    const kept = await readKept(file, partFile);
    if (kept) {
      methods.push(kept.measures);
      rows.push(...kept.sheet);
      continue;
    }
    const reportOf = (phase: string) =>
      withinPart(onEvent, (progress) => ({
        phase: `${group}, ${method}: ${phase}, ${progress.phase}`,
        message: evaluation.whole(),
      }));
    const learned = recipe
      ? await learnOnce(
          model,
          { directory: request.model, recipe, caption: scene.caption, source, stem: join(folder, method) },
          { signal, onEvent: reportOf('learning') },
        )
      : null;
    const own: SheetRow[] = [];
    const make: MakeClip = async (wanted) => {
      signal?.throwIfAborted();
      const settings = settingsOfClip(by, wanted, scene.prompt.plain, sampling, request.sampling.guidance);
      const stem = join(folder, `${method}-${wanted.name.replaceAll(' ', '-')}`);
      const { frames, seconds } = await generateClip(
        model,
        {
          model: request.model,
          conceptFile: learned?.conceptFile ?? null,
          source,
          size: null,
          settings,
          output: `${stem}.rgb`,
        },
        { signal, onEvent: reportOf(wanted.name) },
      );
      const made: MadeClip = { pictures: await readRawFrames(frames), seconds };
      const finished = settings.fidelity > 0 ? finishEdit(scene.source, coded, made, settings) : null;
      const label = `${wanted.name}: ${method}`;
      if (shown) own.push({ group, label, note: settings.prompt, frames });
      else await rm(frames.file);
      if (shown && finished) {
        const file = await writeRawFrames(`${stem}-finished.rgb`, finished.pictures, rate);
        own.push({ group, label: `${label}, finished`, note: settings.prompt, frames: file });
      }
      return { ...made, finished };
    };
    const measured =
      method === 'words'
        ? { method, reconstruction: null, edits: await measureEdits(scene, judge, make, false), sliders: [] }
        : await measureMethod(method, scene, judge, make, method === 'concept' ? request.gains : []);
    const measures: MethodMeasures = { ...measured, learnSeconds: learned?.cost.seconds ?? null };
    await writePart(file, { measures, sheet: own });
    methods.push(measures);
    rows.push(...own);
  }
  const sheet = [{ group, label: 'source', note: scene.prompt.plain, frames: source }, ...besideEachOther(rows)];
  return { seed, caption: scene.caption, methods, sheet: shown ? sheet : [] };
}

async function truthRows(
  scene: ConceptScene,
  folder: string,
  group: string,
  rate: RawFrames['rate'],
): Promise<SheetRow[]> {
  const rows: SheetRow[] = [];
  for (const { kind, prompt, target } of scene.edits) {
    const frames = await writeRawFrames(join(folder, `truth-${kind}.rgb`), target, rate);
    rows.push({ group, label: `edit ${kind}: truth`, note: prompt.plain, frames });
  }
  return rows;
}

/** Rows of the same clip by several methods one below the other; the reconstruction first, sliders last. */
function besideEachOther(rows: readonly SheetRow[]): SheetRow[] {
  const nameOf = ({ label }: SheetRow) => label.slice(0, label.lastIndexOf(':'));
  const order = (name: string) => (name === 'reconstruction' ? 0 : name.startsWith('edit') ? 1 : 2);
  const names = [...new Set(rows.map(nameOf))].sort((a, b) => order(a) - order(b));
  return names.flatMap((name) => rows.filter((row) => nameOf(row) === name));
}
