import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { rawFrames } from '../../../shared/domain/clip.ts';
import { editSettings } from '../../../shared/domain/edit.ts';
import type {
  EvaluateModelRequest,
  SheetRow,
  TextToVideoSummary,
  UsedSampling,
} from '../../../shared/domain/evaluation.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { attributes, caption } from '../../world/caption.ts';
import { sampleScene } from '../../world/scene.ts';
import { readRawFrames } from '../formats/raw-frames.ts';
import { frechetDistance } from '../metrics/frechet.ts';
import type { Judge } from '../models/judge/judge.ts';
import { generateClip } from '../sampling/generate-clip.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { captionTexts } from '../training/captions.ts';
import { type AssessedClip, assessedClip, assessorOf } from './assessed-clip.ts';
import { readKept, writePart } from './folder.ts';
import { phaseReporter } from './progress.ts';
import { renderOptions, renderPictures, sizeOfSeed } from './scenes.ts';
import { meanOf, statisticOf } from './statistics.ts';

const promptMeasures = z.object({
  seed: z.int(),
  prompt: z.string(),
  seconds: z.number(),
  frames: rawFrames.nullable(),
  generated: assessedClip,
  rendered: assessedClip,
  /** Features of a rendered scene of another seed, for the distance that sampling alone gives. */
  other: z.array(z.number()),
});
type PromptMeasures = z.infer<typeof promptMeasures>;

/** So many generated clips are kept for the contact sheet. */
const shown = 8;
/** Added to a seed for another test seed, far from any range that is asked for. */
const otherSeeds = 10_000_000;

/** Clips of the model for the captions of test scenes, beside those scenes as rendered. */
export async function evaluateTextToVideo(
  model: OpenModel,
  judge: Judge,
  request: EvaluateModelRequest,
  sampling: UsedSampling,
  { signal, onEvent }: EngineCallOptions,
): Promise<{ summary: TextToVideoSummary | null; sheet: SheetRow[]; takenOver: number }> {
  const seeds = request.seeds.slice(0, request.prompts);
  const measured: PromptMeasures[] = [];
  const report = phaseReporter(onEvent, 'text to video', 'clips', seeds.length);
  let takenOver = 0;
  for (const [index, seed] of seeds.entries()) {
    signal?.throwIfAborted();
    const stem = join(request.outputFolder, `prompt-${String(seed).padStart(6, '0')}`);
    const kept = await readKept(`${stem}.json`, promptMeasures);
    if (kept) takenOver++;
    const found = kept ?? (await measurePrompt(model, judge, { ...request, sampling }, seed, `${stem}.rgb`, signal));
    if (!kept) {
      if (index >= shown && found.frames) await rm(found.frames.file);
      if (index >= shown) found.frames = null;
      await writePart(`${stem}.json`, found);
    }
    measured.push(found);
    report(measured.length, measured.length - takenOver);
  }
  const sheet = measured
    .slice(0, shown)
    .flatMap(({ seed, prompt, frames }): SheetRow[] =>
      frames ? [{ group: 'model', label: `text to video, seed ${seed}`, note: prompt, frames }] : [],
    );
  return { summary: measured.length > 0 ? summarise(measured, judge) : null, sheet, takenOver };
}

async function measurePrompt(
  model: OpenModel,
  judge: Judge,
  request: EvaluateModelRequest & { sampling: UsedSampling },
  seed: number,
  file: string,
  signal?: AbortSignal,
): Promise<PromptMeasures> {
  const edition = model.pipeline.extras.worldEdition;
  const scene = sampleScene(seed, { edition });
  const prompt = captionTexts(caption(scene)).full;
  const size = sizeOfSeed(model.pipeline, request.size, seed);
  const options = renderOptions(model.pipeline, size);
  const assess = await assessorOf(judge, prompt, attributes(scene));
  const rendered = await assess(await renderPictures(scene, options));
  const other = await judge.assess(await renderPictures(sampleScene(otherSeeds + seed, { edition }), options));
  const { steps, guidance } = request.sampling;
  const { frames, seconds } = await generateClip(
    model,
    {
      model: request.model,
      conceptFile: null,
      source: null,
      size,
      // Each clip from noise of its own: with one noise for all, the clips would be more alike than the
      // model's are.
      settings: editSettings.parse({ prompt, steps, guidance, seed: request.sampling.seed + seed }),
      output: file,
    },
    { signal },
  );
  const generated = await assess(await readRawFrames(frames));
  return { seed, prompt, seconds, frames, generated, rendered, other: Array.from(other.features) };
}

function summarise(measured: PromptMeasures[], judge: Judge): TextToVideoSummary {
  const attributeRows = Object.keys(judge.labels).flatMap((name) => {
    const asked = measured.filter(({ rendered }) => name in rendered.right);
    if (asked.length === 0) return [];
    const share = (of: 'generated' | 'rendered') => asked.filter((each) => each[of].right[name]).length / asked.length;
    return [{ name, prompts: asked.length, generated: share('generated'), rendered: share('rendered') }];
  });
  const features = (of: 'generated' | 'rendered') => measured.map((each) => Float32Array.from(each[of].features));
  const other = measured.map((each) => Float32Array.from(each.other));
  const enough = measured.length >= 2;
  const both = (value: (of: AssessedClip) => number) => ({
    generated: statisticOf(measured.map(({ generated }) => value(generated))),
    rendered: statisticOf(measured.map(({ rendered }) => value(rendered))),
  });
  return {
    prompts: measured.length,
    attributes: attributeRows,
    generatedMean: meanOf(attributeRows.map((row) => row.generated)),
    renderedMean: meanOf(attributeRows.map((row) => row.rendered)),
    textAgreement: both((each) => each.textAgreement),
    temporalCoherence: both((each) => each.temporalCoherence),
    frechet: enough ? frechetDistance(features('generated'), features('rendered')) : null,
    frechetFloor: enough ? frechetDistance(features('rendered'), other) : null,
    secondsPerClip: statisticOf(measured.map(({ seconds }) => seconds)),
  };
}
