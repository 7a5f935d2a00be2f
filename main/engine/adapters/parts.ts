import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import type * as tf from '../backends/tf.ts';
import type { ModelShape } from '../models/video-model.ts';
import type { Random } from '../nn/random.ts';
import { basis } from './kinds/basis.ts';
import { type BottleneckShape, bottleneckKind } from './kinds/bottleneck.ts';
import { type DenseShape, dense } from './kinds/dense.ts';
import { lowRank } from './kinds/low-rank.ts';
import type { Gains, PartKind, PartTensors, Slider, Values } from './part-kind.ts';
import type { ConceptShape } from './set-and-sequence.ts';

/** Everything that can be learned beside the special tokens, by kind. */
const partKinds = { basis, 'low-rank': lowRank, dense, bottleneck: bottleneckKind };

/**
 * One learned part of a concept, as data: its kind, its shape there and the slider that it follows (none: its
 * kind has its own, or has none).
 */
export type Part = { slider?: Slider } & (
  | { kind: 'basis' | 'low-rank'; shape: ConceptShape }
  | { kind: 'dense'; shape: DenseShape }
  | { kind: 'bottleneck'; shape: BottleneckShape }
);

export type Parts = Readonly<Record<string, Part>>;

/** A part with its numbers. */
export type LearnedPart = { part: Part; values: Values };

/** What can be done with a part; its shape goes along, so that nothing else needs to know what it is. */
export function kindOf({ kind, shape, slider }: Part) {
  const of = partKinds[kind] as unknown as PartKind<Part['shape']>;
  const { toLora, order } = of;
  const own = (gains: Gains) => (slider ? gains[slider] : 1);
  return {
    requireFit: (model: ModelShape) => of.requireFit(shape, model),
    tensors: () => of.tensors(shape),
    fresh: (random: Random) => of.fresh(shape, random),
    add: (tensors: PartTensors, appearance?: tf.Tensor) => of.add(shape, tensors, appearance),
    mix: (values: Values, gains: Gains) => of.mix(shape, values, gains, own(gains)),
    readsAppearance: of.readsAppearance?.(shape) ?? false,
    linearIn: of.linearIn,
    toLora: toLora && ((values: Values, gains: Gains) => toLora(shape, values, gains, own(gains))),
    order: order && ((values: Values) => order(shape, values)),
  };
}

/** Fresh tensors of all parts, which add nothing yet, named `part.tensor`. */
export function freshWeights(parts: Parts, random: Random): PartTensors {
  const weights: PartTensors = {};
  for (const [name, part] of Object.entries(parts))
    for (const [tensor, value] of Object.entries(kindOf(part).fresh(random))) weights[`${name}.${tensor}`] = value;
  return weights;
}

/** How many numbers all parts hold. */
export function countNumbers(parts: Parts): number {
  const shapes = Object.values(parts).flatMap((part) => Object.values(kindOf(part).tensors()));
  return shapes.reduce((total, shape) => total + shape.reduce((size, length) => size * length, 1), 0);
}

const sliderName = z.enum(['identity', 'motion']);

/**
 * A part as a file describes it. Throws `invalid-input` for a kind that this program does not know,
 * `damaged-file` for another shape.
 */
export function parsePart(
  name: string,
  { kind, shape, slider }: { kind: string; shape: unknown; slider?: string },
): Part {
  if (!Object.hasOwn(partKinds, kind))
    throw new AppError('invalid-input', `the concept has a part of an unknown kind: "${kind}"`, {
      hint: 'Update Motif to open it.',
    });
  const known = partKinds[kind as Part['kind']];
  const parsed = z.object({ shape: known.shape, slider: sliderName.optional() }).safeParse({ shape, slider });
  if (!parsed.success)
    throw new AppError('damaged-file', `the description of the concept's part "${name}" is damaged`, {
      details: { problems: z.prettifyError(parsed.error) },
    });
  return { kind, ...parsed.data } as Part;
}
