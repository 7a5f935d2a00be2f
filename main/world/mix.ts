import type { Change } from './edit.ts';
import { editMask } from './edit-mask.ts';
import { type Rendering, type RenderOptions, render } from './render.ts';
import type { Scene } from './scene.ts';
import { motionsOf } from './vocabulary.ts';

/**
 * The first subject of one scene, where it is, moving and filmed as in another. Throws a RangeError for a
 * motion it does not know.
 */
export function mixScenes(identity: Scene, motion: Scene): Scene {
  const mixed = structuredClone(identity);
  const [own, other] = [mixed.subjects[0]!, motion.subjects[0]!];
  if (!motionsOf[own.kind].includes(other.motion.kind))
    throw new RangeError(`a ${own.kind} cannot ${other.motion.kind}; possible: ${motionsOf[own.kind].join(', ')}`);
  own.motion = structuredClone(other.motion);
  mixed.camera = structuredClone(motion.camera);
  return mixed;
}

/**
 * Renders the ground truth of a mix beside the scene that gives the identity. `mask`, [frameCount, height,
 * width]: 255 where they may differ, which is everywhere where the camera moves in another way.
 */
export function renderMix(
  identity: Scene,
  mixed: Scene,
  options: RenderOptions,
): { source: Rendering; target: Rendering; mask: Uint8Array } {
  const source = render(identity, { ...options, masks: true });
  const target = render(mixed, { ...options, masks: true });
  const { kind, amount } = mixed.camera;
  const sameCamera = kind === identity.camera.kind && amount === identity.camera.amount;
  const change: Change = sameCamera
    ? { kind: 'motion', to: mixed.subjects[0]!.motion.kind }
    : { kind: 'camera', to: kind };
  return { source, target, mask: editMask(change, identity, source, target, options) };
}
