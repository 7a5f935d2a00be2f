import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import type { ParameterSpecs } from '../nn/parameters.ts';

/** A linear layer that an adapter changes: its diffusers path and the sizes of its weight. */
export const targetLayer = z.object({ path: z.string(), inSize: z.int().positive(), outSize: z.int().positive() });
export type TargetLayer = z.infer<typeof targetLayer>;

/** Throws `invalid-input` unless the model has each of these layers in this size. */
export function requireLayers(layers: readonly TargetLayer[], model: readonly TargetLayer[]): void {
  const byPath = new Map(model.map((layer) => [layer.path, layer]));
  for (const { path, inSize, outSize } of layers) {
    const there = byPath.get(path);
    if (there?.inSize !== inSize || there.outSize !== outSize)
      throw new AppError('invalid-input', `the concept belongs to another model: its layer "${path}" does not fit`, {
        hint: 'Choose the model that it was learned on.',
      });
  }
}

/** Every linear layer among a model's parameters (no weights need be read for that). */
export function linearLayers(specs: ParameterSpecs): TargetLayer[] {
  return [...specs]
    .filter(([name, { stored }]) => name.endsWith('.weight') && stored.length === 2)
    .map(([name, { stored }]) => ({
      path: name.slice(0, -'.weight'.length),
      inSize: stored[1]!,
      outSize: stored[0]!,
    }));
}

/**
 * The layers whose path ends with one of `endings` (`attn1.to_q`), in the model's order.
 * Throws RangeError for an ending that no layer has.
 */
export function targetLayers(layers: readonly TargetLayer[], endings: readonly string[]): TargetLayer[] {
  const matches = (path: string, ending: string) => path === ending || path.endsWith(`.${ending}`);
  for (const ending of endings) {
    if (!layers.some(({ path }) => matches(path, ending)))
      throw new RangeError(`no linear layer of the model ends with "${ending}"`);
  }
  return layers.filter(({ path }) => endings.some((ending) => matches(path, ending)));
}
