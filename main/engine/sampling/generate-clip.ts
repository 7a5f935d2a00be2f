import type { EditSettings } from '../../../shared/domain/edit.ts';
import type { GenerateRequest, GenerateResult } from '../../../shared/domain/engine.ts';
import { windowsOf } from '../../../shared/domain/sampling-plan.ts';
import { parseRational } from '../../../shared/domain/time.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import type { Gains } from '../adapters/part-kind.ts';
import {
  type Pictures,
  type RawFramesWriter,
  readRawFrames,
  writeFramesBy,
  writeRawFrames,
} from '../formats/raw-frames.ts';
import type { FirstFrame } from '../models/video-model.ts';
import { actTogether } from './act-together.ts';
import type { SampledConcept } from './acting-concept.ts';
import type { SourceLatents } from './concept-sampler.ts';
import { fitSampling } from './fit-sampling.ts';
import { type OpenedConcept, openConcepts } from './open-concept.ts';
import type { OpenModel } from './open-model.ts';
import { createPhaseMeter } from './phase-meter.ts';
import { createJoiner } from './windows.ts';

/**
 * Makes one clip: an edit of a concept, or with no concept a clip of the base model; a whole clip that is longer than the model's in
 * windows. The same request gives the same bytes. Throws `invalid-input` when concept, size or settings do not fit the model.
 */
export async function generateClip(
  model: OpenModel,
  request: GenerateRequest,
  { signal, onEvent = () => {} }: EngineCallOptions = {},
): Promise<GenerateResult> {
  const startedAt = performance.now();
  const { pipeline } = model;
  const { settings, source } = request;
  const { extras } = pipeline;
  const concepts = await conceptsOf(model, request);
  const concept = concepts && actTogether(concepts, settings);
  const own = concepts?.[0]?.concept ?? null;
  if (settings.fidelity > 0 && !source)
    throw new AppError('invalid-input', 'a fidelity above 0 starts from a clip, and none was given', {
      hint: 'Set the fidelity to 0, or choose the clip to start from.',
    });
  if (settings.whole && settings.fidelity === 0)
    throw new AppError('invalid-input', 'a whole clip is edited from its own pictures, and a fidelity of 0 has none', {
      hint: 'Raise the fidelity, or edit what the model sees of the clip.',
    });
  const inWindows = settings.whole && source !== null && source.frameCount > extras.frames;
  const windowLength = inWindows ? extras.frames : source?.frameCount;
  const size = pipeline.latentSize(
    source
      ? { ...source, frameCount: windowLength! }
      : (request.size ?? { ...extras.sizes[0]!, frameCount: extras.frames }),
  );
  const measure = createPhaseMeter(startedAt);
  const report: Report = (phase, unit, done, total) =>
    onEvent({ type: 'progress', progress: { phase, done, total, unit, ...measure(phase, done, total) } });
  for (const text of await fitSampling(model, size)) onEvent({ type: 'remark', text });
  const job = { model, request, concept, own, size, signal };
  const rate = source?.rate ?? parseRational(String(extras.frameRate));
  const seconds = () => (performance.now() - startedAt) / 1000;

  if (!inWindows) {
    const pictures = settings.fidelity > 0 ? await readRawFrames(source!) : null;
    const made = await makeWindow(job, pictures, report);
    const base = made.base ? await writeRawFrames(request.baseOutput!, made.base, rate) : null;
    return { frames: await writeRawFrames(request.output, made.pictures, rate), base, seconds: seconds() };
  }
  const firsts = windowsOf(source.frameCount, extras.frames);
  const frameBytes = source.width * source.height * 3;
  const described = { ...source, rate };
  const join = { edited: createJoiner(frameBytes), base: createJoiner(frameBytes) };
  const writeBoth = async (edited: RawFramesWriter, base: RawFramesWriter | null) => {
    for (const [index, first] of firsts.entries()) {
      // Decoding is part of a window's last step.
      const steps: Report = (phase, unit, done, total) => {
        if (phase === 'text') report(phase, unit, done, total);
        if (phase === 'sample') report(phase, unit, index * total + done, firsts.length * total);
      };
      const part = await readRawFrames(source, { first, count: extras.frames });
      const made = await makeWindow(job, part, steps);
      const isLast = index === firsts.length - 1;
      await edited(join.edited(first, made.pictures.data, isLast));
      if (base) await base(join.base(first, made.base!.data, isLast));
    }
  };
  const { baseOutput } = request;
  await writeFramesBy(request.output, (edited) =>
    baseOutput === undefined ? writeBoth(edited, null) : writeFramesBy(baseOutput, (base) => writeBoth(edited, base)),
  );
  const frames = { ...described, file: request.output };
  return { frames, base: baseOutput === undefined ? null : { ...described, file: baseOutput }, seconds: seconds() };
}

/** The concepts that a request names, each with its gains, its own before all others; null: none. */
async function conceptsOf(
  model: OpenModel,
  { conceptFile, others = [], settings }: GenerateRequest,
): Promise<{ concept: OpenedConcept; gains: Gains }[] | null> {
  if (conceptFile === null) {
    if (others.length === 0) return null;
    throw new AppError('invalid-input', 'Concepts act beside a concept, and none was given.');
  }
  const asked = [{ file: conceptFile, sliders: settings.sliders }, ...others];
  const opened = await openConcepts(
    model,
    asked.map(({ file }) => file),
  );
  return opened.map((concept, index) => ({ concept, gains: asked[index]!.sliders }));
}

type Report = (phase: string, unit: string, done: number, total: number) => void;

interface WindowJob {
  model: OpenModel;
  request: GenerateRequest;
  concept: SampledConcept | null;
  /** The one whose words say what the clip shows. */
  own: OpenedConcept | null;
  /** Latent frames, height and width. */
  size: readonly [number, number, number];
  signal: AbortSignal | undefined;
}

/** One window of the model's length or less, from `pictures` or from noise; `base`: what the autoencoder gives back of those. */
async function makeWindow(
  { model, request, concept, own, size, signal }: WindowJob,
  pictures: Pictures | null,
  report: Report,
): Promise<{ pictures: Pictures; base: Pictures | null }> {
  const { pipeline, sampler } = model;
  const { settings } = request;
  const start: SourceLatents | null = pictures && (await sampler.encodeSource(pictures, signal));
  const firstFrame = await firstFrameOf(model, request, size[0], signal);
  const latents = await sampler.sample({
    concept,
    prompts: [settings.prompt],
    negativePrompt: settings.negativePrompt,
    guidance: settings.guidance,
    steps: settings.steps,
    seeds: [settings.seed],
    size,
    signal,
    onText: (done, total) => report('text', 'layers', done, total),
    onStep: (done, total) => report('sample', 'steps', done, total),
    ...(firstFrame ? { firstFrame } : {}),
    ...(start ? { source: { ...start, ...startFrom(settings, own) } } : {}),
  });
  const made = await pipeline
    .decodeFrames(latents, {
      signal,
      onProgress: (done, total) => report('decode', 'latent frames', done, total),
    })
    .finally(() => latents.dispose());
  const base = start && request.baseOutput !== undefined ? await sampler.decodeSource(start, signal) : null;
  return { pictures: made, base };
}

/** The picture that a clip of so many latent frames begins with, as the model is told of it. Throws `invalid-input` where it cannot be. */
async function firstFrameOf(
  { pipeline, sampler, name }: OpenModel,
  { firstFrame, settings }: GenerateRequest,
  latentFrames: number,
  signal: AbortSignal | undefined,
): Promise<FirstFrame | undefined> {
  if (!firstFrame) return undefined;
  if (pipeline.firstFrame === 'none')
    throw new AppError('invalid-input', `${name} cannot go on from a given picture.`, {
      hint: 'Choose a model that can, such as Wan 2.2 TI2V 5B or Wan 2.1 I2V, or leave the picture out.',
    });
  if (settings.fidelity > 0)
    throw new AppError(
      'invalid-input',
      'A clip goes on from a given picture from noise alone, not from another clip.',
      {
        hint: 'Set the fidelity to 0, or leave the picture out.',
      },
    );
  const frameCount = 1 + (latentFrames - 1) * pipeline.strides.frames;
  return sampler.encodeFirstFrame(await readRawFrames(firstFrame), frameCount, signal);
}

/**
 * How a fidelity above 0 starts from the clip, and the words for what it shows: those given, or the
 * concept's own.
 */
function startFrom({ fidelity, fidelityStart, shown, prompt }: EditSettings, concept: OpenedConcept | null) {
  const caption = concept?.file.captions[0];
  const own = caption && [caption.static, caption.dynamic].filter(Boolean).join(' ');
  const words = shown.trim() || own;
  if (words === undefined || (!concept && words === prompt.trim()))
    throw new AppError(
      'invalid-input',
      'An edit from a prompt alone needs a description of the clip that differs from the prompt.',
      {
        hint: 'Describe what you see, for example "a photograph by day", and what it should become, for example "a photograph at sunset".',
      },
    );
  return { fidelity, prompt: words, by: fidelityStart };
}
