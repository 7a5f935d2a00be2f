import type { WeightForm } from '../../../shared/domain/weight-form.ts';
import type { VideoModel } from '../models/video-model.ts';
import type { ConceptSampler } from './concept-sampler.ts';

/** An opened model with what was computed for it so far. */
export interface OpenModel {
  pipeline: VideoModel;
  sampler: ConceptSampler;
  name: string;
  fingerprint: string;
  /** Memory that the process, or what it computes on a device, may take altogether, with what it has now, in bytes. */
  memoryBytes(): number;
}

/** Holds the denoiser's weights in this form from now on; what was recorded with those of another is forgotten. */
export async function holdWeights(
  { pipeline, sampler }: Pick<OpenModel, 'pipeline' | 'sampler'>,
  form: WeightForm,
): Promise<void> {
  if (pipeline.heldWeights.form === form) return;
  sampler.dispose();
  await pipeline.heldWeights.use(form);
}
