import { reconstructionGuidance } from '../../../shared/domain/edit.ts';
import type { LearnRequest } from '../../../shared/domain/engine.ts';
import { type Pictures, readRawFrames } from '../formats/raw-frames.ts';
import type { DataKind } from '../methods/method.ts';
import { meanSquaredError } from '../metrics/mse.ts';
import { psnrOfMse } from '../metrics/psnr.ts';
import type { VideoModel } from '../models/video-model.ts';
import type { SampledConcept } from '../sampling/acting-concept.ts';
import type { ConceptSampler } from '../sampling/concept-sampler.ts';
import type { TrainingState } from './checkpoint.ts';
import type { Prepared } from './prepare.ts';

export interface ReconstructOptions {
  pipeline: VideoModel;
  sampler: ConceptSampler;
  concept: SampledConcept;
  prepared: Prepared;
  seed: number;
  signal?: AbortSignal;
  onStep?(done: number, total: number): void;
}

/** What the caption of clip number `index` gives from pure noise: a picture where pictures are learned, else a clip. */
export async function reconstruct(
  index: number,
  data: DataKind,
  { pipeline, sampler, concept, prepared, seed, signal, onStep }: ReconstructOptions,
): Promise<Pictures> {
  const { clip, pictures } = prepared.clips[index]!;
  const caption = prepared.captions.clips[index]!;
  const { steps } = pipeline.extras.sampling;
  const latents = await sampler.sample({
    concept,
    prompts: [data === 'pictures' ? caption.static : caption.full],
    guidance: reconstructionGuidance,
    steps,
    seeds: [seed],
    size: (data === 'pictures' ? pictures[0]! : clip).shape.slice(1) as [number, number, number],
    signal,
    onStep,
  });
  return pipeline.decodeFrames(latents, { signal }).finally(() => latents.dispose());
}

/**
 * How well the concept gives its clips back from pure noise (the paper's MSE between corresponding frames, mean over the clips), and the
 * losses that learning ended with.
 */
export async function measureConcept(request: LearnRequest, state: TrainingState, options: ReconstructOptions) {
  let total = 0;
  for (const [index, { frames }] of request.clips.entries()) {
    const source = await readRawFrames(frames);
    const made = await reconstruct(index, 'clips', options);
    total += meanSquaredError(source.data, made.data);
  }
  const mse = total / request.clips.length;
  const psnr = psnrOfMse(mse);
  return {
    reconstructionMse: mse,
    ...(Number.isFinite(psnr) ? { reconstructionPsnr: psnr } : {}),
    ...finalLosses(state),
  };
}

/** Means over the last tenth of each stage, since single losses depend on their noise level. */
function finalLosses({ losses }: TrainingState) {
  const last = (stage: string) => {
    const points = losses.filter((point) => point.stage === stage);
    const tail = points.slice(-Math.max(1, Math.floor(points.length / 10)));
    return tail.length > 0 ? tail.reduce((total, { loss }) => total + loss, 0) / tail.length : undefined;
  };
  return { finalLossIdentity: last('identity'), finalLossMotion: last('motion') };
}
