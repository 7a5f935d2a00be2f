import type { Recipe } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import type { Parts } from '../adapters/parts.ts';
import type { ModelShape } from '../models/video-model.ts';

/** Pictures are a clip's frames, each encoded alone, in no order. */
export type DataKind = 'pictures' | 'clips';

/**
 * One stage of learning: what it trains, on what, how long. Weights are named `part.tensor`; the special
 * tokens' embeddings are `words.rows`, beside the parts.
 */
export type StagePlan = {
  /** Under which name it is reported. */
  label: string;
  steps: number;
  /** Part -> those of its tensors that learn. Of a part that is not in `acts`, the others count as zero. */
  trains: Readonly<Record<string, readonly string[]>>;
  /** Which of those parts learn in steps on a kind of data, while the others stay; null: all in both. */
  trainsFrom: Readonly<Record<DataKind, readonly string[]>> | null;
  /** Which heads of self-attention learn: those that look within a frame, or across frames; null: all. */
  heads: 'spatial' | 'temporal' | null;
  /** In place of the recipe's; null: as that says. */
  weightDecay: number | null;
  /** Parts of which everything acts, learning or not. */
  acts: readonly string[];
  /**
   * The share of steps that learn from pictures, with the static caption; the others learn from whole clips.
   */
  pictureShare: number;
  batchSize: Readonly<Record<DataKind, number>>;
  /** Part -> learning rate. */
  rates: Readonly<Record<string, number>>;
  /** What describes clips: the whole caption, or its dynamic part without special tokens. */
  clipText: 'full' | 'motion';
  /**
   * With what probability the appearance that parts are conditioned on is blanked; null: they are not
   * conditioned.
   */
  blankAppearance: number | null;
  /**
   * How much the error without appearance counts beside the whole one (MotionDirector): that of frames
   * against a random one.
   */
  debiased: number;
  /** Whether high noise levels, at which motion is decided, are drawn more often (NewMove). */
  coarse: boolean;
  /** Weight -> probability with which each of its numbers is dropped in a step. */
  dropout: Readonly<Record<string, number>>;
};

/** What there is to learn from, and with. */
export type Material = {
  /** Whether there is a clip of more than one frame. */
  moving: boolean;
  /**
   * Whether the special tokens can learn: the recipe has a rate for them, and the text encoder fits into
   * memory.
   */
  tokensLearn: boolean;
};

/**
 * A way to learn a concept, as data made from a recipe: parts, and the stages that train them. Nothing else
 * knows methods by name.
 */
export interface Method {
  /** Throws RangeError for target layers that the model does not have. */
  parts(model: ModelShape, recipe: Recipe): Parts;
  /** Throws `invalid-input` where the method cannot work. */
  stages(recipe: Recipe, material: Material): StagePlan[];
}

/** The weight in which the special tokens' embeddings learn [count, text width]. */
export const tokenRows = 'words.rows';

/** For `trains`: the special tokens beside what is given, where they learn. */
export function withTokens(trains: StagePlan['trains'], { tokensLearn }: Material): StagePlan['trains'] {
  return tokensLearn ? { ...trains, words: ['rows'] } : trains;
}

/** A stage at the recipe's rates and batch sizes, without dropout, on whole clips. */
export function stage(
  recipe: Recipe,
  of: Pick<StagePlan, 'label' | 'steps' | 'trains'> & Partial<StagePlan>,
): StagePlan {
  const rate = (part: string) => (part === 'words' ? recipe.tokenLearningRate : recipe.learningRate);
  return {
    trainsFrom: null,
    heads: null,
    weightDecay: null,
    acts: [],
    pictureShare: 0,
    batchSize: { pictures: recipe.batchSize, clips: recipe.batchSizeMotion },
    rates: Object.fromEntries(Object.keys(of.trains).map((part) => [part, rate(part)])),
    clipText: 'full',
    blankAppearance: null,
    debiased: 0,
    coarse: false,
    dropout: {},
    ...of,
  };
}

/** Names of the weights that a stage trains. */
export function trainedNames({ trains }: Pick<StagePlan, 'trains'>): string[] {
  return Object.entries(trains).flatMap(([part, tensors]) => tensors.map((tensor) => `${part}.${tensor}`));
}

/** A stage as its steps on a kind of data do it. */
export function stageOn(plan: StagePlan, kind: DataKind): StagePlan {
  const learning = plan.trainsFrom?.[kind];
  if (!learning) return plan;
  return { ...plan, trains: Object.fromEntries(learning.map((part) => [part, plan.trains[part]!])) };
}

/** What a stage learns from. */
export function dataKinds({ pictureShare }: Pick<StagePlan, 'pictureShare'>): DataKind[] {
  return [...(pictureShare > 0 ? (['pictures'] as const) : []), ...(pictureShare < 1 ? (['clips'] as const) : [])];
}

/** Throws `invalid-input` where there is no motion to learn. */
export function requireMotion(method: string, { moving }: Material): void {
  if (moving) return;
  throw new AppError('invalid-input', `${method} learns motion, and a single frame has none.`, {
    hint: 'Choose a clip of more than one frame, or another method.',
  });
}
