import type { VideoModel } from '../models/video-model.ts';
import type { ConceptSampler } from './concept-sampler.ts';

/** An opened model with what was computed for it so far. */
export interface OpenModel {
  pipeline: VideoModel;
  sampler: ConceptSampler;
  name: string;
  fingerprint: string;
}
