import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import type { LinearLayer } from '../nn/linear-layers.ts';

/** A linear layer that an adapter changes, as it stands in files. */
export const targetLayer: z.ZodType<LinearLayer> = z.object({
  path: z.string(),
  inSize: z.int().positive(),
  outSize: z.int().positive(),
});

/** Throws `invalid-input` unless the model has each of these layers in this size. */
export function requireLayers(layers: readonly LinearLayer[], model: readonly LinearLayer[]): void {
  const byPath = new Map(model.map((layer) => [layer.path, layer]));
  for (const { path, inSize, outSize } of layers) {
    const there = byPath.get(path);
    if (there?.inSize !== inSize || there.outSize !== outSize)
      throw new AppError('invalid-input', `the concept belongs to another model: its layer "${path}" does not fit`, {
        hint: 'Choose the model that it was learned on.',
      });
  }
}

/**
 * The layers whose path ends with one of `endings` (`attn1.to_q`), in the model's order.
 * Throws RangeError for an ending that no layer has.
 */
export function targetLayers(layers: readonly LinearLayer[], endings: readonly string[]): LinearLayer[] {
  const matches = (path: string, ending: string) => path === ending || path.endsWith(`.${ending}`);
  for (const ending of endings) {
    if (!layers.some(({ path }) => matches(path, ending)))
      throw new RangeError(`no linear layer of the model ends with "${ending}"`);
  }
  return layers.filter(({ path }) => endings.some((ending) => matches(path, ending)));
}
