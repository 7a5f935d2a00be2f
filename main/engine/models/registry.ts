import type { GatherRequest, GatherResult } from '../../../shared/domain/engine.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { readModelIndex } from '../formats/diffusers.ts';
import type { VideoModel } from './video-model.ts';
import { gatherWanModels } from './wan/original/gather.ts';
import { openWanPipeline } from './wan/pipeline.ts';

/** Models by the `_class_name` of their `model_index.json`. */
const models = new Map<string, (directory: string) => Promise<VideoModel>>([
  ['WanPipeline', openWanPipeline],
  ['WanImageToVideoPipeline', openWanPipeline],
]);

/** What is known and cannot be used, with what it would need. */
const unsupported: Record<string, string> = {
  WanVACEPipeline: 'VACE, which changes a clip by a second one, masks and reference pictures, is not supported',
  WanAnimatePipeline: 'Wan Animate, which moves a person by the pose and face of another clip, is not supported',
};

/**
 * Opens a model directory in diffusers layout. Throws `not-found`, `damaged-file`, or `invalid-input` for
 * other kinds of model.
 */
export async function openVideoModel(directory: string): Promise<VideoModel> {
  const index = await readModelIndex(directory);
  const open = models.get(index._class_name);
  if (open) return open(directory);
  const reason = unsupported[index._class_name] ?? 'this class of model is not supported';
  throw new AppError('invalid-input', `${directory} holds a ${index._class_name}: ${reason}.`, {
    hint: 'Choose a checkpoint of Wan for text to video (WanPipeline) or image to video (WanImageToVideoPipeline).',
  });
}

/**
 * Makes model directories of single files that lie elsewhere and stay there. Throws `not-found` or `invalid-input` where none could be put
 * together, with the reasons.
 */
export function gatherModels(request: GatherRequest): Promise<GatherResult> {
  return gatherWanModels(request);
}
