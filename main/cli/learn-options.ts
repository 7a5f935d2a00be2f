import { type Command, Option } from 'commander';
import type { ConceptCaption } from '../../shared/domain/concept.ts';
import { type LearningMethod, methodName, type RecipeInput, recipe } from '../../shared/domain/recipe.ts';
import { collect, parseInteger } from './options.ts';

export interface RecipeOptions {
  recipe?: LearningMethod;
  rank?: number;
  stepsIdentity?: number;
  stepsMotion?: number;
  seed?: number;
  without?: Regulariser[];
  checkpointEvery?: number;
}

/** Names on the command line -> switches of the recipe. */
const regulariserSwitches = {
  prior: 'priorPreservation',
  dropout: 'coefficientDropout',
  masking: 'textTokenMasking',
  'self-conditioning': 'selfConditioning',
} as const;

type Regulariser = keyof typeof regulariserSwitches;

export interface CaptionOptions {
  static: string[];
  dynamic?: string[];
}

/** Told in the help alone: what is not given is left to the recipe. */
const usual = recipe.parse({});

export function addRecipeOptions(command: Command): Command {
  return command
    .addOption(new Option('--recipe <name>', `learning method (default: ${usual.method})`).choices(methodName.options))
    .option('--rank <n>', `rank of the learned weights (default: ${usual.rank})`, parseInteger(1, 256))
    .option(
      '--steps-identity <n>',
      `steps of stage I, on unordered frames (default: ${usual.stepsIdentity})`,
      parseInteger(0, 20_000),
    )
    .option(
      '--steps-motion <n>',
      `steps of stage II, on the whole clip (default: ${usual.stepsMotion})`,
      parseInteger(0, 20_000),
    )
    .option('--seed <n>', `the same seed learns the same weights (default: ${usual.seed})`, parseInteger(0))
    .addOption(
      new Option('--without <regulariser...>', 'switches regularisers off').choices(Object.keys(regulariserSwitches)),
    )
    .option('--checkpoint-every <n>', `steps between checkpoints (default: ${usual.checkpointEvery})`, parseInteger(1));
}

export function addCaptionOptions(command: Command): Command {
  return command
    .requiredOption(
      '--static <caption>',
      'what you see, with [v] for the subject: "a [v] person in a park"; once for all clips or once for each',
      collect,
    )
    .option(
      '--dynamic <caption>',
      'what happens, with [u] for the motion: "is dancing in [u] motion"; once for all clips or once for each',
      collect,
    );
}

/** Options that were not given stay undefined, so that the recipe's own defaults hold. */
export function recipeOf(options: RecipeOptions): RecipeInput {
  return {
    method: options.recipe,
    rank: options.rank,
    stepsIdentity: options.stepsIdentity,
    stepsMotion: options.stepsMotion,
    seed: options.seed,
    checkpointEvery: options.checkpointEvery,
    regularisers:
      options.without && Object.fromEntries(options.without.map((name) => [regulariserSwitches[name], false])),
  };
}

/**
 * One caption a clip, checked for its tokens; wrong use otherwise. Without motion steps the dynamic part may
 * be left out.
 */
export function captionsOf(
  options: CaptionOptions & RecipeOptions,
  clipCount: number,
  command: Command,
): ConceptCaption[] {
  const dynamic = options.dynamic ?? [];
  for (const [name, captions] of [
    ['--static', options.static],
    ['--dynamic', dynamic],
  ] as const) {
    if (captions.length > 1 && captions.length !== clipCount) {
      command.error(
        `error: give ${name} once for all ${clipCount} clips or once for each, not ${captions.length} times.`,
      );
    }
  }
  if (options.static.some((caption) => !/\[v\d?\]/.test(caption))) {
    command.error('error: --static must name its subject as [v], such as "a [v] person in a park".');
  }
  if (dynamic.length === 0 && options.stepsMotion !== 0) {
    command.error('error: --dynamic is needed, such as "is dancing in [u] motion" (or --steps-motion 0).');
  }
  if (dynamic.some((caption) => !/\[u\d?\]/.test(caption))) {
    command.error('error: --dynamic must name its motion as [u], such as "is dancing in [u] motion".');
  }
  return Array.from({ length: clipCount }, (_, index) => ({
    static: options.static[index] ?? options.static[0]!,
    dynamic: dynamic[index] ?? dynamic[0] ?? '',
  }));
}
