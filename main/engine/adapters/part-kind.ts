import type { z } from 'zod';
import type * as tf from '../backends/tf.ts';
import type { LoraLayer } from '../formats/lora.ts';
import type { ModelShape } from '../models/video-model.ts';
import type { Random } from '../nn/random.ts';
import type { Additions } from './additions.ts';

/** The tensors of a part by their names. */
export type PartTensors = Record<string, tf.Tensor>;

/** The same as plain numbers, row-major. */
export type Values = Record<string, Float32Array>;

/** The gains of a slider setting: all 1 is as learned; a direction not named keeps gain 1. */
export type Gains = {
  identity: number;
  motion: number;
  directions?: Readonly<Record<string, number>>;
  /** On parts that are conditioned on a picture's appearance. */
  appearance?: number;
};

/** The slider that a part follows as a whole. */
export type Slider = 'identity' | 'motion';

/**
 * A kind of learned part: what its tensors are and what they add to a frozen model. A fresh part adds
 * nothing. Parts are data (`Part`), so that learning, files and sampling know no kind by name.
 */
export interface PartKind<S> {
  /** The shape as files hold it. */
  shape: z.ZodType<S>;

  /** Throws `invalid-input` when the model has no such places, or other sizes there. */
  requireFit(shape: S, model: ModelShape): void;

  /** Names and shapes of all tensors: what disk, memory and files are reckoned from. */
  tensors(shape: S): Record<string, number[]>;

  /** Tensors that add nothing yet, owned by the caller. */
  fresh(shape: S, random: Random): PartTensors;

  /**
   * What the tensors add, differentiable in each of them. Those left out count as zero, where a kind allows
   * that. `appearance` [batch, values] is for kinds that read it; without it, it is blank. Tensors are the
   * caller's (inside a tidy) to free.
   */
  add(shape: S, tensors: PartTensors, appearance?: tf.Tensor): Additions;

  /** The tensors of one slider setting, for `add`. `own` is the gain of the slider that the part follows. */
  mix(shape: S, values: Values, gains: Gains, own: number): Values;

  /**
   * Names of those tensors of `mix` in which what is added is linear: scaled together, they act as much more
   * or less.
   */
  linearIn: readonly string[];

  /** Whether `add` reads an appearance; absent where it never does. */
  readsAppearance?(shape: S): boolean;

  /**
   * One slider setting as plain low-rank layers; absent where what is added is no low-rank change of weights.
   */
  toLora?(shape: S, values: Values, gains: Gains, own: number): LoraLayer[];

  /** Turned so that its directions come in the order of how much they matter, acting as before. */
  order?(shape: S, values: Values): { values: Values; strengths: number[] };
}
