import type { LearnRequest } from '../../../shared/domain/engine.ts';
import { mostPictures } from '../../../shared/domain/work.ts';
import { appearanceOf } from '../adapters/appearance.ts';
import { markPrompt, type TokenEmbeddings } from '../adapters/tokens.ts';
import { type Pictures, pictureAt, readRawFrames, sideBySide } from '../formats/raw-frames.ts';
import type { DataKind, StagePlan } from '../methods/method.ts';
import type { VideoModel } from '../models/video-model.ts';
import { type ConceptSampler, encodePrompts } from '../sampling/concept-sampler.ts';
import type { StageData, TextBank } from './batches.ts';
import { type CaptionTexts, captionTexts, conceptCaptions, priorCaptions, stitchedCaption } from './captions.ts';
import { type EncodedClip, type Latents, type PreparedLatents, readPrepared, writePrepared } from './prepared-file.ts';

/** Everything that the stages learn from. */
export type Prepared = PreparedLatents & {
  /** Captions of `clips`, `stitched` and `prior`. */
  captions: { clips: CaptionTexts[]; stitched: CaptionTexts[]; prior: CaptionTexts[] };
};

export interface PrepareOptions {
  sampler: ConceptSampler;
  signal?: AbortSignal;
  onProgress(phase: 'encode' | 'text' | 'prior', done: number, total: number, unit: string): void;
}

const priorBatch = 4;

/**
 * Encodes the clips and samples the prior set, or reads both from `file`, where they are kept for resuming.
 */
export async function prepare(
  pipeline: VideoModel,
  request: LearnRequest,
  file: string,
  options: PrepareOptions,
): Promise<Prepared> {
  const captions = captionsOf(request);
  const kept = await readPrepared(file);
  if (kept) return { ...kept, captions };
  for (const { frames } of request.clips) pipeline.checkVideoSize(frames.frameCount, frames.height, frames.width);
  const sources: Pictures[] = [];
  for (const { frames } of request.clips) sources.push(await readRawFrames(frames));
  const pairs = stitchablePairs(sources).map(([i, j]) => sideBySide(sources[i]!, sources[j]!));
  const encoded: EncodedClip[] = [];
  for (const pictures of [...sources, ...pairs]) {
    encoded.push(await encodeClip(pipeline, pictures, options.signal));
    options.onProgress('encode', encoded.length, sources.length + pairs.length, 'clips');
  }
  const clips = encoded.slice(0, sources.length);
  const prior = await samplePrior(pipeline, request, captions.prior, clips, options);
  const prepared = { clips, stitched: encoded.slice(sources.length), prior };
  await writePrepared(file, prepared);
  return { ...prepared, captions };
}

function captionsOf(request: LearnRequest): Prepared['captions'] {
  const { recipe } = request;
  const captions = conceptCaptions(request.clips.map(({ caption }) => caption));
  const texts = captions.map(captionTexts);
  const sizes = request.clips.map(({ frames }) => ({ ...frames, count: frames.frameCount }));
  return {
    clips: texts,
    stitched: stitchablePairs(sizes).map(([i, j]) => stitchedCaption(texts[i]!, texts[j]!)),
    prior: recipe.regularisers.priorPreservation ? priorCaptions(captions, recipe.priorClips) : [],
  };
}

/** Every ordered pair of clips of equal size and length (docs/method.md, "Composition"). */
function stitchablePairs(clips: readonly Pick<Pictures, 'count' | 'width' | 'height'>[]): [number, number][] {
  const same = (i: number, j: number) =>
    (['count', 'width', 'height'] as const).every((side) => clips[i]![side] === clips[j]![side]);
  return clips.flatMap((_, i) => clips.flatMap((__, j): [number, number][] => (i !== j && same(i, j) ? [[i, j]] : [])));
}

async function encodeClip(pipeline: VideoModel, pictures: Pictures, signal?: AbortSignal): Promise<EncodedClip> {
  const encode = async (frames: Pictures): Promise<Latents> => {
    const latents = await pipeline.encodeFrames(frames, { signal });
    const values = (await latents.data()) as Float32Array;
    latents.dispose();
    return { values, shape: latents.shape.slice(1) };
  };
  const clip = await encode(pictures);
  const count = Math.min(pictures.count, mostPictures);
  const alone: Latents[] = [];
  for (let index = 0; index < count; index++)
    alone.push(await encode(pictureAt(pictures, Math.floor((index * pictures.count) / count))));
  return { clip, pictures: alone };
}

/** Samples the prior set at the sizes of the concept's clips, in turn. */
async function samplePrior(
  pipeline: VideoModel,
  request: LearnRequest,
  captions: CaptionTexts[],
  clips: EncodedClip[],
  { sampler, signal, onProgress }: PrepareOptions,
): Promise<Latents[]> {
  if (captions.length === 0) return [];
  const { guidance, steps } = pipeline.extras.sampling;
  const shapes = [...new Map(clips.map(({ clip }) => [`${clip.shape}`, clip.shape])).values()];
  const prior: Latents[] = [];
  for (let first = 0; first < captions.length; first += priorBatch) {
    const batch = captions.slice(first, first + priorBatch);
    const [channels, ...size] = shapes[Math.floor(first / priorBatch) % shapes.length]!;
    const latents = await sampler.sample({
      concept: null,
      prompts: batch.map(({ full }) => full),
      guidance,
      steps,
      size: size as [number, number, number],
      seeds: batch.map((_, index) => request.recipe.seed * 1000 + first + index),
      signal,
      onText: (done, total) => onProgress('text', done, total, 'layers'),
      onStep: (done, total) => onProgress('prior', first + (batch.length * done) / total, captions.length, 'clips'),
    });
    const values = (await latents.data()) as Float32Array;
    latents.dispose();
    const length = values.length / batch.length;
    for (const index of batch.keys())
      prior.push({ values: values.slice(index * length, (index + 1) * length), shape: [channels!, ...size] });
  }
  return prior;
}

/** What a stage learns from. Texts are indexed as in `textsOf`. */
export function stageData(prepared: Prepared, data: DataKind): StageData {
  const examples = ({ clip, pictures }: EncodedClip, text: number) => {
    const appearances = pictures.map(appearanceOf);
    const example = ({ values, shape }: Latents, appearances: Float32Array[]) => ({
      latents: values,
      shape,
      text,
      appearances,
    });
    return data === 'pictures'
      ? pictures.map((each, index) => example(each, [appearances[index]!]))
      : [example(clip, appearances)];
  };
  const stitchedFrom = prepared.clips.length;
  const priorFrom = stitchedFrom + prepared.stitched.length;
  return {
    concept: prepared.clips.map((clip, index) => examples(clip, index)),
    stitched: prepared.stitched.flatMap((clip, index) => examples(clip, stitchedFrom + index)),
    prior: prepared.prior.map((latents, index) => {
      const { values, shape } = data === 'pictures' ? firstFrame(latents) : latents;
      return { latents: values, shape, text: priorFrom + index, appearances: [appearanceOf(latents)] };
    }),
  };
}

/** The first latent frame, which the causal autoencoder makes of the first frame alone: a picture. */
function firstFrame({ values, shape }: Latents): Latents {
  const [channels, frames, height, width] = shape as [number, number, number, number];
  const plane = height * width;
  const picture = new Float32Array(channels * plane);
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * frames * plane;
    picture.set(values.subarray(start, start + plane), channel * plane);
  }
  return { values: picture, shape: [channels, 1, height, width] };
}

/**
 * All texts of a stage in the order of their indices: of each clip, pair and prior clip, then the empty one.
 * Pictures have the static part.
 */
function textsOf(
  { captions }: Prepared,
  data: DataKind,
  clipText: StagePlan['clipText'],
): { concept: string[]; others: string[] } {
  const part = (texts: CaptionTexts[]) => texts.map((text) => (data === 'pictures' ? text.static : text[clipText]));
  return { concept: part([...captions.clips, ...captions.stitched]), others: [...part(captions.prior), ''] };
}

/**
 * Encodes the texts of a stage. With `learning` the concept's own captions are left to be encoded in every
 * step, since their tokens move; they are answered as `learned`.
 */
export async function encodeTexts(
  pipeline: VideoModel,
  { prepared, data, clipText }: { prepared: Prepared; data: DataKind } & Pick<StagePlan, 'clipText'>,
  tokens: TokenEmbeddings,
  learning: boolean,
  options?: Parameters<typeof encodePrompts>[3],
): Promise<{ bank: TextBank; learned: string[] }> {
  const { concept, others } = textsOf(prepared, data, clipText);
  const all = [...concept, ...others];
  const encoded = await encodePrompts(pipeline, learning ? others : all, tokens, options);
  return {
    bank: {
      learned: learning ? concept.length : 0,
      encoded,
      lengths: pipeline.tokenize(all.map((text) => markPrompt(text, tokens.names, pipeline.tokenizer).text)).lengths,
      empty: all.length - 1,
    },
    learned: learning ? concept : [],
  };
}
