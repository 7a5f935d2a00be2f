import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { editSettings } from '../../../shared/domain/edit.ts';
import { type SheetRow, sheetRow } from '../../../shared/domain/evaluation.ts';
import type { EvaluateTwinRequest, WordedRow } from '../../../shared/domain/evaluation-twin.ts';
import { parseRational } from '../../../shared/domain/time.ts';
import { generateTwinRequest } from '../../../shared/domain/twin.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { attributes, caption } from '../../world/caption.ts';
import { sampleScene } from '../../world/scene.ts';
import { firstFrames } from '../formats/fit-pictures.ts';
import { type Pictures, readRawFrames, writeRawFrames } from '../formats/raw-frames.ts';
import { frechetDistance } from '../metrics/frechet.ts';
import type { Judge } from '../models/judge/judge.ts';
import type { TwinAutoencoder } from '../models/twin-autoencoder.ts';
import { generateClip } from '../sampling/generate-clip.ts';
import { generateTwinClip } from '../sampling/generate-twin.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { captionTexts } from '../training/captions.ts';
import { assessedClip, assessorOf } from './assessed-clip.ts';
import { keptOr } from './folder.ts';
import { phaseReporter } from './progress.ts';
import { renderOptions, renderPictures, sizeOfConcepts } from './scenes.ts';
import { statisticOf } from './statistics.ts';

const wordedClips = z.object({
  made: z.array(z.object({ way: z.string(), seconds: z.number().nullable(), assessed: assessedClip })),
  sheet: z.array(sheetRow),
});
type WordedClips = z.infer<typeof wordedClips>;

const truthWay = 'rendered truth';
/** So many prompts are kept as pictures. */
const shownPrompts = 6;
/** Between test seeds, so that prompts are of scenes all over the world. */
const apart = 70;

/**
 * Clips of words alone, for captions of test scenes: by the model in its own latents and by every twin that has a generator beside it, in as many steps, beside the scenes
 * as rendered. The first frames that all have are judged. Nothing where no twin has a generator.
 */
export async function wordsToClips(
  model: OpenModel,
  judge: Judge,
  twins: readonly TwinAutoencoder[],
  request: EvaluateTwinRequest,
  { signal, onEvent }: EngineCallOptions,
): Promise<{ worded: WordedRow[]; sheet: SheetRow[] }> {
  const able = withGenerator(twins);
  if (able.length === 0) return { worded: [], sheet: [] };
  const report = phaseReporter(onEvent, 'words to clips', 'prompts', request.words);
  const measured: WordedClips[] = [];
  for (let index = 0; index < request.words; index++) {
    signal?.throwIfAborted();
    const file = join(request.outputFolder, `words-${index}.json`);
    const make = () => makeAll(model, judge, able, request, index, signal);
    measured.push((await keptOr(file, wordedClips, make)).value);
    report(index + 1, index + 1);
  }
  return { worded: rowsOf(measured), sheet: measured.flatMap(({ sheet }) => sheet) };
}

/** What makes clips of words for a twin lies in its folder. */
export const generatorOf = ({ folder }: TwinAutoencoder) => join(folder, 'generator');
export const withGenerator = (twins: readonly TwinAutoencoder[]) =>
  twins.filter((twin) => existsSync(join(generatorOf(twin), 'config.json')));

async function makeAll(
  model: OpenModel,
  judge: Judge,
  twins: readonly TwinAutoencoder[],
  request: EvaluateTwinRequest,
  index: number,
  signal?: AbortSignal,
): Promise<WordedClips> {
  const { pipeline } = model;
  const { extras } = pipeline;
  const scene = sampleScene(apart * index, { edition: extras.worldEdition });
  const prompt = captionTexts(caption(scene)).full;
  const { frameCount, ...size } = sizeOfConcepts(pipeline, request.size);
  const options = renderOptions(pipeline, { ...size, frameCount });
  const frames = Math.min(frameCount, ...twins.map((twin) => twin.frames));
  const assess = await assessorOf(judge, prompt, attributes(scene));
  const found: WordedClips = { made: [], sheet: [] };
  const place = (way: string) => join(request.outputFolder, `words-${index}-${way}.rgb`.replaceAll(/[^\w.-]+/g, '-'));
  const keep = async (way: string, pictures: Pictures, seconds: number | null) => {
    const seen = firstFrames(pictures, frames);
    // The first one reads weights and compiles.
    found.made.push({ way, seconds: index > 0 ? seconds : null, assessed: await assess(seen) });
    if (index >= shownPrompts) return rm(place(way), { force: true });
    const written = await writeRawFrames(place(way), seen, parseRational(String(extras.frameRate)));
    const note = way === truthWay ? prompt : '';
    found.sheet.push({ group: 'of words', label: `${index + 1}, ${way}`, note, frames: written });
  };
  await keep(truthWay, await renderPictures(scene, options), null);
  const steps = request.steps ?? generateTwinRequest.shape.steps.parse(undefined);
  const settings = editSettings.parse({ prompt, steps, seed: index });
  const own = await generateClip(
    model,
    {
      model: request.model,
      conceptFile: null,
      source: null,
      size: { ...size, frameCount },
      settings,
      output: place(pipeline.name),
    },
    { signal },
  );
  await keep(pipeline.name, await readRawFrames(own.frames), own.seconds);
  for (const twin of twins) {
    const startedAt = performance.now();
    const folders = { model: request.model, twin: twin.folder, generator: generatorOf(twin) };
    const asked = generateTwinRequest.parse({ ...folders, prompt, steps, size, seed: index, output: place(twin.name) });
    const made = await generateTwinClip(model, twin, asked, { signal });
    await keep(twin.name, await readRawFrames(made), (performance.now() - startedAt) / 1000);
  }
  return found;
}

function rowsOf(measured: readonly WordedClips[]): WordedRow[] {
  const truth = measured.map(({ made }) => made.find(({ way }) => way === truthWay)!);
  return [...new Set(measured.flatMap(({ made }) => made.map(({ way }) => way)))].map((way) => {
    const own = measured.flatMap(({ made }) => made.filter((each) => each.way === way));
    const featuresOf = (clips: typeof own) => clips.map(({ assessed }) => Float32Array.from(assessed.features));
    const shareOf = (values: boolean[]) => (values.length > 0 ? values.filter(Boolean).length / values.length : null);
    return {
      way,
      clips: own.length,
      named: statisticOf(own.map(({ assessed }) => shareOf(Object.values(assessed.right)))),
      subject: statisticOf(own.map(({ assessed: { right } }) => ('subject' in right ? Number(right.subject) : null))),
      agreement: statisticOf(own.map(({ assessed }) => assessed.textAgreement)),
      frechet: own.length < 2 || way === truthWay ? null : frechetDistance(featuresOf(own), featuresOf(truth)),
      seconds: statisticOf(own.map(({ seconds }) => seconds)),
    };
  });
}
