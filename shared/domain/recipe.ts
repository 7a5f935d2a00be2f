import { z } from 'zod';

/** The four regularisers of Set-and-Sequence (paper, section on regularisation); each can be switched off for the ablation. */
const regularisers = z.object({
  /** Also reconstruct clips sampled once from the base model. */
  priorPreservation: z.boolean().default(true),
  /** High rank with high dropout on the weights of B only. */
  coefficientDropout: z.boolean().default(true),
  /** Each prompt token dropped with probability 0.1. */
  textTokenMasking: z.boolean().default(true),
  /** The model's own previous prediction fed back as input. */
  selfConditioning: z.boolean().default(true),
});

/** Directions of a basis at most: ordering them takes time with the cube of their number. */
export const maximumRank = 256;

/** The ways to learn a concept; what each does is in `main/engine/methods`. */
export const methodName = z.enum([
  'set-and-sequence',
  'two-stage',
  'lora',
  'lora-8',
  'lora-1',
  'textual-inversion',
  'dreammix',
  'newmove',
  'motion-director',
  'dreamvideo',
  'dualreal',
  'follow-your-motion',
]);
export type LearningMethod = z.infer<typeof methodName>;

/**
 * The numbers of a recipe, whichever method it names. Defaults are those of Set-and-Sequence (arXiv 2502.14844) where they fit; the others were measured on the
 * embedded model (test/studies/README.md). The paper's own, for its model of 11.5 billion parameters: 600 + 900 steps of batch 8
 * (2,000 to 2,500 for several concepts) at learning rate 1e-4. What other methods do otherwise is in `methods`.
 */
const numbers = z.object({
  method: methodName.default('set-and-sequence'),
  /** The motion learns in the basis that pictures made, and 16 or 32 directions are too few of it (test/studies). */
  rank: z.int().min(1).max(maximumRank).default(64),
  /** More steps still pay on the embedded model; this many take two and a half minutes with OpenVINO on two cores (test/studies). */
  stepsIdentity: z.int().min(0).max(20_000).default(300),
  stepsMotion: z.int().min(0).max(20_000).default(600),
  /** Pictures per step of stage I. */
  batchSize: z.int().min(1).max(64).default(8),
  /** Clips (at different noise levels) per step of stage II. */
  batchSizeMotion: z.int().min(1).max(64).default(3),
  learningRate: z.number().positive().default(2e-3),
  /**
   * Learning rate of the special tokens' embeddings; 0 keeps them as they start. They learn through the text encoder, which on the
   * embedded model costs less than can be measured; with an encoder too large for memory they stay frozen, which works too (docs/method.md).
   */
  tokenLearningRate: z.number().nonnegative().default(1e-5),
  schedule: z.enum(['constant', 'warmup']).default('constant'),
  warmupSteps: z.int().nonnegative().default(0),
  beta1: z.number().default(0.9),
  beta2: z.number().default(0.99),
  weightDecay: z.number().nonnegative().default(0.01),
  gradientClip: z.number().positive().default(0.05),
  dropoutIdentity: z.number().min(0).max(0.99).default(0.8),
  /** The paper's 0.5 leaves the motion half learned in so few steps (test/studies). */
  dropoutMotion: z.number().min(0).max(0.99).default(0.25),
  /**
   * Whether kept weights are multiplied by 1 / (1 - p). The paper does not say; without it a concept acts 1 / (1 - p) times stronger when
   * sampled than while it learned, and comes back worse (MSE 0.051 against 0.031, test/studies).
   */
  dropoutRescale: z.boolean().default(true),
  textTokenDropout: z.number().min(0).max(1).default(0.1),
  promptDropout: z.number().min(0).max(1).default(0.1),
  selfConditioningProbability: z.number().min(0).max(1).default(0.9),
  /** Which factor of each weight's update is the basis: the one on the output side (reading y = Wx) or on the input side. */
  basisSide: z.enum(['output', 'input']).default('output'),
  /** Linear layers that learn, as name endings of the transformer's layers. */
  targetLayers: z
    .array(z.string().max(200))
    .max(1000)
    .default([
      'attn1.to_q',
      'attn1.to_k',
      'attn1.to_v',
      'attn1.to_out.0',
      'attn2.to_q',
      'attn2.to_k',
      'attn2.to_v',
      'attn2.to_out.0',
      'ffn.net.0.proj',
      'ffn.net.2',
    ]),
  priorClips: z.int().min(0).max(256).default(8),
  /** The share of a batch that comes from the prior set. */
  priorShare: z.number().min(0).max(0.9).default(0.25),
  priorWeight: z.number().nonnegative().default(1),
  /** Methods that learn from pictures and clips in turn: the share of steps on pictures. */
  pictureShare: z.number().min(0).max(1).optional(),
  /** DreamVideo and DualReal: where the adapters stand; on the residual stream, on what a sub-layer reads, or before its gate. */
  branchPlace: z.enum(['stream', 'normed', 'gated']).optional(),
  /** Joint concepts only: the share of steps on clips stitched side by side. */
  stitchedShare: z.number().min(0).max(1).default(0.1),
  regularisers: regularisers.prefault({}),
  seed: z.int().nonnegative().default(1),
  sampleEvery: z.int().nonnegative().default(0),
  checkpointEvery: z.int().positive().default(50),
});
export type Recipe = z.infer<typeof numbers>;
export type RecipeInput = z.input<typeof numbers>;

const unregularised = {
  priorPreservation: false,
  coefficientDropout: false,
  textTokenMasking: false,
  selfConditioning: false,
} as const;

/** One LoRA with a class prior and none of what else Set-and-Sequence does, in as many steps as that takes in both of its stages. */
const plainLora = { stepsMotion: 900, regularisers: { ...unregularised, priorPreservation: true } } as const;

type Steps = 'stepsIdentity' | 'stepsMotion';
/**
 * The stages on a clip of several frames, in their order, which number of the recipe says how many steps each takes, and the share of
 * those that learn from pictures: a recipe's own where both occur, else this one.
 */
type Stages = readonly (readonly [label: string, steps: Steps, pictureShare: number])[];
const both: Stages = [
  ['identity', 'stepsIdentity', 1],
  ['motion', 'stepsMotion', 0],
];
const once: Stages = [['identity', 'stepsMotion', 0]];

interface MethodFacts {
  /** What it is called where one is chosen. */
  label: string;
  /** What it does otherwise where nothing is said: only differences from the defaults above. */
  defaults: RecipeInput;
  stages: Stages;
  /** It learns who or what it is by the token [v], which the static caption must then hold. */
  identityByToken?: boolean;
}

const methods: Readonly<Record<LearningMethod, MethodFacts>> = {
  'set-and-sequence': {
    label: 'Set-and-Sequence',
    defaults: {},
    stages: both,
    identityByToken: true,
  },
  'two-stage': {
    label: 'Two stages, unregularised',
    // The paper's steps without regularisers are 150 of 600 and 400 of 900.
    defaults: { stepsIdentity: 75, stepsMotion: 267, regularisers: unregularised },
    stages: both,
    identityByToken: true,
  },
  lora: {
    label: 'Plain LoRA',
    defaults: {},
    stages: once,
  },
  'lora-8': {
    label: 'Plain LoRA of rank 8',
    defaults: { ...plainLora, rank: 8 },
    stages: once,
  },
  'lora-1': {
    label: 'Plain LoRA of rank 1',
    defaults: { ...plainLora, rank: 1 },
    stages: once,
  },
  'textual-inversion': {
    label: 'Textual Inversion',
    // At the rate of 1e-5 a token ends at 1/4,000 of a word's length; the words of T5 are vectors of about unit variance.
    defaults: { stepsMotion: 400, tokenLearningRate: 1e-2, regularisers: unregularised },
    stages: [['words', 'stepsMotion', 0]],
    identityByToken: true,
  },
  dreammix: {
    label: 'Dreamix',
    defaults: { rank: 8, stepsMotion: 900, regularisers: unregularised },
    stages: [['identity', 'stepsMotion', 0.5]],
  },
  newmove: {
    label: 'NewMove',
    // Whole weights, for which the rate of a LoRA is too high; half of a batch is the prior.
    defaults: {
      stepsMotion: 400,
      learningRate: 2e-4,
      tokenLearningRate: 1e-2,
      priorShare: 0.5,
      regularisers: { ...unregularised, priorPreservation: true },
    },
    stages: [['motion', 'stepsMotion', 0]],
  },
  'motion-director': {
    label: 'MotionDirector',
    defaults: { rank: 16, stepsMotion: 300, regularisers: unregularised },
    stages: both,
  },
  dreamvideo: {
    label: 'DreamVideo',
    // The rank is the width of the adapters. The paper's 1,000 and 3,000 steps at 1e-5 as Set-and-Sequence's are here: faster in fewer.
    defaults: {
      rank: 128,
      stepsIdentity: 200,
      stepsMotion: 400,
      tokenLearningRate: 1e-2,
      weightDecay: 0,
      regularisers: unregularised,
    },
    stages: [['words', 'stepsIdentity', 1], ...both],
    identityByToken: true,
  },
  dualreal: {
    label: 'DualReal',
    // As released: 1,000 steps at 1e-3 of 3 pictures or 1 clip, adapters of 64; fewer here, of more clips.
    defaults: { rank: 64, stepsMotion: 600, learningRate: 1e-3, regularisers: unregularised },
    stages: [['identity and motion', 'stepsMotion', 0.5]],
  },
  'follow-your-motion': {
    label: 'Follow-Your-Motion',
    // As published: LoRA of 16, 1,500 steps at 1e-4 twice; faster in fewer here, as the others are.
    defaults: { rank: 16, stepsIdentity: 300, stepsMotion: 300, regularisers: unregularised },
    stages: both,
  },
};

/** Every method with what it is called. */
export const methodLabels = methodName.options.map((name) => [name, methods[name].label] as const);

/** How a concept is learned: the numbers that are given, the method's own where none is, else those of Set-and-Sequence. */
export const recipe = z
  .custom<RecipeInput>(
    (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
    'Expected a recipe.',
  )
  .transform((given) => {
    const own = methods[given.method ?? 'set-and-sequence']?.defaults ?? {};
    const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const switches =
      typeof given.regularisers === 'object' ? { ...own.regularisers, ...given.regularisers } : undefined;
    return { ...own, ...said, ...(switches && { regularisers: switches }) } as RecipeInput;
  })
  .pipe(numbers);

export function needsIdentityToken(method: LearningMethod): boolean {
  return methods[method].identityByToken ?? false;
}

/** What of a recipe decides how many steps are done. */
export type PlannedRecipe = Pick<Recipe, 'method' | Steps>;

/** The stages of a recipe in their order, as they are reported, with their steps. */
export function plannedSteps(recipe: PlannedRecipe): { label: string; steps: number }[] {
  return methods[recipe.method].stages.map(([label, steps]) => ({ label, steps: recipe[steps] }));
}

/** The same with the share of each one's steps that learn from pictures; the others learn from whole clips. */
export function plannedStages(
  recipe: PlannedRecipe & Pick<Recipe, 'pictureShare'>,
): { label: string; steps: number; pictureShare: number }[] {
  const shares = methods[recipe.method].stages.map(([, , share]) =>
    share > 0 && share < 1 ? (recipe.pictureShare ?? share) : share,
  );
  return plannedSteps(recipe).map((stage, index) => ({ ...stage, pictureShare: shares[index]! }));
}
