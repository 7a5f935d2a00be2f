import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { rawFrames } from '../../../shared/domain/clip.ts';
import { editSettings } from '../../../shared/domain/edit.ts';
import {
  type EvaluateModelRequest,
  type LookAttribute,
  lookAttributes,
  type NamedLook,
  type SheetRow,
  type TextToVideoSummary,
  type UsedSampling,
} from '../../../shared/domain/evaluation.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { attributes, caption } from '../../world/caption.ts';
import { type Scene, sampleScene } from '../../world/scene.ts';
import { readRawFrames } from '../formats/raw-frames.ts';
import { frechetDistance } from '../metrics/frechet.ts';
import type { Judge } from '../models/judge/judge.ts';
import { generateClip } from '../sampling/generate-clip.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { captionTexts } from '../training/captions.ts';
import { type AssessedClip, assessedClip, assessorOf } from './assessed-clip.ts';
import { keptOr } from './folder.ts';
import { lookScenes } from './look-scenes.ts';
import { phaseReporter } from './progress.ts';
import { renderOptions, renderPictures, sizeOfSeed } from './scenes.ts';
import { meanOf, statisticOf } from './statistics.ts';

const promptMeasures = z.object({
  seed: z.int(),
  prompt: z.string(),
  seconds: z.number(),
  frames: rawFrames.nullable(),
  /** What the scene shows, by attribute. */
  truth: z.record(z.string(), z.string()),
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

/** Clips of the model for the captions of test scenes, beside those scenes as rendered; then scenes of every look alike. */
export async function evaluateTextToVideo(
  model: OpenModel,
  judge: Judge,
  request: EvaluateModelRequest,
  sampling: UsedSampling,
  { signal, onEvent }: EngineCallOptions,
): Promise<{ summary: TextToVideoSummary | null; looks: NamedLook[]; sheet: SheetRow[]; takenOver: number }> {
  const edition = model.pipeline.extras.worldEdition;
  const sheet: SheetRow[] = [];
  let takenOver = 0;
  /** One after another; `show` says of which the clip is kept, and under which label. */
  const measureAll = async (
    phase: string,
    scenes: readonly { scene: Scene; stem: string; show: string | null }[],
  ): Promise<PromptMeasures[]> => {
    const measured: PromptMeasures[] = [];
    const report = phaseReporter(onEvent, phase, 'clips', scenes.length);
    let kept = 0;
    for (const { scene, stem, show } of scenes) {
      signal?.throwIfAborted();
      const place = join(request.outputFolder, stem);
      const { value, isKept } = await keptOr(`${place}.json`, promptMeasures, async () => {
        const found = await measurePrompt(model, judge, { ...request, sampling }, scene, `${place}.rgb`, signal);
        if (show !== null || !found.frames) return found;
        await rm(found.frames.file);
        return { ...found, frames: null };
      });
      if (isKept) kept++;
      if (show !== null && value.frames)
        sheet.push({ group: 'model', label: show, note: value.prompt, frames: value.frames });
      measured.push(value);
      report(measured.length, measured.length - kept);
    }
    takenOver += kept;
    return measured;
  };

  const padded = (seed: number) => String(seed).padStart(6, '0');
  const prompts = await measureAll(
    'text to video',
    request.seeds.slice(0, request.prompts).map((seed, index) => ({
      scene: sampleScene(seed, { edition }),
      stem: `prompt-${padded(seed)}`,
      show: index < shown ? `text to video, seed ${seed}` : null,
    })),
  );
  const wanted = lookScenes(edition, request.seeds, request.lookPrompts).filter(({ attribute, value }) =>
    judge.labels[attribute]?.includes(value),
  );
  const ofLooks = await measureAll(
    'looks',
    wanted.map(({ attribute, value, scene }, index) => ({
      scene,
      stem: `look-${attribute}-${value.replaceAll(' ', '-')}-${padded(scene.seed)}`,
      show: value === wanted[index - 1]?.value ? null : `${attribute}: ${value}`,
    })),
  );
  return {
    summary: prompts.length > 0 ? summarise(prompts, judge) : null,
    looks: namedLooks([
      ...prompts.map((measured) => ({ measured, of: lookAttributes })),
      ...ofLooks.map((measured, index) => ({ measured, of: [wanted[index]!.attribute] })),
    ]),
    sheet,
    takenOver,
  };
}

async function measurePrompt(
  model: OpenModel,
  judge: Judge,
  request: EvaluateModelRequest & { sampling: UsedSampling },
  scene: Scene,
  file: string,
  signal?: AbortSignal,
): Promise<PromptMeasures> {
  const { seed, edition } = scene;
  const truth = attributes(scene);
  const prompt = captionTexts(caption(scene)).full;
  const size = sizeOfSeed(model.pipeline, request.size, seed);
  const options = renderOptions(model.pipeline, size);
  const assess = await assessorOf(judge, prompt, truth);
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
  return { seed, prompt, seconds, frames, truth: { ...truth }, generated, rendered, other: Array.from(other.features) };
}

/** How often each look is named, of the prompts that were made for attributes (`of`) and whose scene is in it. */
function namedLooks(prompts: readonly { measured: PromptMeasures; of: readonly LookAttribute[] }[]): NamedLook[] {
  return lookAttributes.flatMap((attribute) => {
    const asked = prompts
      .filter(({ measured, of }) => of.includes(attribute) && attribute in measured.rendered.right)
      .map(({ measured }) => measured);
    const values = [...new Set(asked.map(({ truth }) => truth[attribute]!))];
    return values.map((value): NamedLook => {
      const own = asked.filter(({ truth }) => truth[attribute] === value);
      const share = (of: 'generated' | 'rendered') =>
        own.filter((each) => each[of].right[attribute]).length / own.length;
      return { attribute, value, prompts: own.length, generated: share('generated'), rendered: share('rendered') };
    });
  });
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
