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

/**
 * How a concept is learned. Defaults are those of Set-and-Sequence (arXiv 2502.14844) where they fit; the others were measured on the
 * embedded model (test/studies/README.md). The paper's own, for its model of 11.5 billion parameters: 600 + 900 steps of batch 8
 * (2,000 to 2,500 for several concepts) at learning rate 1e-4.
 */
export const recipe = z.object({
  method: z.enum(['set-and-sequence', 'lora']).default('set-and-sequence'),
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
   * embedded model costs less than can be measured; with an encoder too large for memory they stay frozen, which works too (method.md).
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
  /** Joint concepts only: the share of steps on clips stitched side by side. */
  stitchedShare: z.number().min(0).max(1).default(0.1),
  regularisers: regularisers.prefault({}),
  seed: z.int().nonnegative().default(1),
  sampleEvery: z.int().nonnegative().default(0),
  checkpointEvery: z.int().positive().default(50),
});
export type Recipe = z.infer<typeof recipe>;
export type RecipeInput = z.input<typeof recipe>;
