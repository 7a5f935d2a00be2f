import { join } from 'node:path';
import type { EvaluationSize, SheetRow } from '../../../shared/domain/evaluation.ts';
import type { ReenactedPair } from '../../../shared/domain/evaluation-twin.ts';
import { parseRational } from '../../../shared/domain/time.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { attributes } from '../../world/caption.ts';
import { sampleScene } from '../../world/scene.ts';
import * as tf from '../backends/tf.ts';
import { firstFrames } from '../formats/fit-pictures.ts';
import { type Pictures, writeRawFrames } from '../formats/raw-frames.ts';
import { compareMotion, flowsOf } from '../metrics/motion.ts';
import type { Judge } from '../models/judge/judge.ts';
import type { TwinAutoencoder } from '../models/twin-autoencoder.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { namesIt } from './judging.ts';
import { phaseReporter } from './progress.ts';
import { renderOptions, renderPictures, sizeOfConcepts } from './scenes.ts';

/** So many pairs are kept as pictures. */
const shownPairs = 3;

/**
 * Structure of one test scene with the dynamics of the next, all of one size. There is no true picture of that, so it is measured by what it should have of
 * each: the flow of the one, and the other's subject as the judge names it.
 */
export async function reenactPairs(
  { pipeline }: OpenModel,
  judge: Judge,
  twins: readonly TwinAutoencoder[],
  { count, size, folder }: { count: number; size: EvaluationSize | null; folder: string },
  { signal, onEvent }: EngineCallOptions,
): Promise<{ pairs: ReenactedPair[]; sheet: SheetRow[] }> {
  const able = twins.filter(({ disentangled }) => disentangled);
  const report = phaseReporter(onEvent, 'reenacting', 'pairs', count * able.length);
  const pairs: ReenactedPair[] = [];
  const sheet: SheetRow[] = [];
  for (let index = 0; index < count && able.length > 0; index++) {
    const [a, b] = [await sceneOf(pipeline, size, 20 * index), await sceneOf(pipeline, size, 20 * index + 10)];
    for (const twin of able) {
      signal?.throwIfAborted();
      const [seen, moving] = [firstFrames(a.pictures, twin.frames), firstFrames(b.pictures, twin.frames)];
      const made = await reenact(twin, seen, moving, signal);
      const flows = flowsOf(made.data, made);
      const judgement = await judge.assess(made);
      const named = (value: string) =>
        a.subject === b.subject ? null : namesIt(judgement, judge.labels, 'subject', value);
      pairs.push({
        twin: twin.name,
        structure: a.name,
        dynamics: b.name,
        agreementWithDynamics: compareMotion(flows, flowsOf(moving.data, moving)).agreement,
        agreementWithStructure: compareMotion(flows, flowsOf(seen.data, seen)).agreement,
        namedAsStructure: named(a.subject),
        namedAsDynamics: named(b.subject),
      });
      if (index < shownPairs)
        sheet.push(...(await showPair(twin, folder, index, { seen, moving, made }, [a.name, b.name])));
      report(pairs.length, pairs.length);
    }
  }
  return { pairs, sheet };
}

async function sceneOf(pipeline: OpenModel['pipeline'], size: EvaluationSize | null, seed: number) {
  const scene = sampleScene(seed, { edition: pipeline.extras.worldEdition });
  const pictures = await renderPictures(scene, renderOptions(pipeline, sizeOfConcepts(pipeline, size)));
  return { name: `seed ${seed}`, pictures, subject: attributes(scene).subject };
}

async function reenact(
  twin: TwinAutoencoder,
  seen: Pictures,
  moving: Pictures,
  signal?: AbortSignal,
): Promise<Pictures> {
  const structure = await twin.encodeTwin(seen, { signal });
  const dynamics = await twin.encodeTwin(moving, { signal });
  try {
    const latents = { ...structure, dynamics: dynamics.dynamics!, ownDynamics: structure.dynamics! };
    return await twin.decodeTwin(latents, { structure: 1, dynamics: 1 }, { signal });
  } finally {
    tf.dispose([structure.structure, structure.dynamics!, dynamics.structure, dynamics.dynamics!]);
  }
}

async function showPair(
  twin: TwinAutoencoder,
  folder: string,
  index: number,
  clips: { seen: Pictures; moving: Pictures; made: Pictures },
  [a, b]: [string, string],
): Promise<SheetRow[]> {
  const rate = parseRational(String(twin.frameRate));
  const rows: SheetRow[] = [];
  const notes = { seen: `structure: ${a}`, moving: `dynamics: ${b}`, made: 'both together' };
  for (const part of ['seen', 'moving', 'made'] as const) {
    const file = join(folder, `pair-${twin.name}-${index}-${part}.rgb`.replaceAll(/[^\w.-]+/g, '-'));
    const frames = await writeRawFrames(file, clips[part], rate);
    rows.push({ group: 'reenacted', label: twin.name, note: notes[part], frames });
  }
  return rows;
}
