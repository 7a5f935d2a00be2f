import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { sliders } from '../../shared/domain/concept.ts';
import { type EditSettingsInput, editSettings, startFidelity } from '../../shared/domain/edit.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { collectDirection, parseInteger, parseNumber } from './options.ts';

export interface SliderOptions {
  identity?: number;
  motion?: number;
  direction?: Record<string, number>;
}

export interface EditOptions extends SliderOptions {
  prompt?: string[];
  batch?: string;
  guidance?: number;
  steps?: number;
  seed?: number;
  fidelity?: number;
}

export function addSliderOptions(command: Command): Command {
  return command
    .option('--identity <gain>', 'gain of the identity; 1, the default, is as learned', parseNumber(-4, 4))
    .option('--motion <gain>', 'gain of the motion; 1, the default, is as learned', parseNumber(-4, 4))
    .option(
      '--direction <K=gain>',
      'gain of one direction of the identity, K = 0 the strongest; several times for several',
      collectDirection,
    );
}

/** Told in the help alone: what is not given is left to the edit's own settings. */
const usual = editSettings.parse({ prompt: '' });

export function addSamplingOptions(command: Command): Command {
  return command
    .option('--guidance <g>', `how strictly the prompt is followed (default: ${usual.guidance})`, parseNumber(0, 30))
    .option('--steps <n>', `sampling steps (default: ${usual.steps})`, parseInteger(1, 200))
    .option('--seed <n>', `the same settings and seed give the same frames (default: ${usual.seed})`, parseInteger(0))
    .option(
      '--fidelity <f>',
      `0 starts from noise, towards 1 ever closer to the clip (default: ${startFidelity(1)} for a concept of one clip, else ${startFidelity(2)})`,
      parseNumber(0, 1),
    );
}

export function slidersOf(options: SliderOptions): z.input<typeof sliders> {
  return { identity: options.identity, motion: options.motion, directions: options.direction };
}

const gains = {
  identity: sliders.shape.identity.unwrap().optional(),
  motion: sliders.shape.motion.unwrap().optional(),
  directions: sliders.shape.directions.unwrap().optional(),
};

/**
 * In a batch file gains may stand beside the prompt or under `sliders`. Unknown names are refused, since they would be ignored;
 * defaults are taken off, so that what an entry leaves open can still come from the command line.
 */
const batchFile = z.array(
  z
    .strictObject({
      name: z.string().min(1).optional(),
      prompt: z.string().min(1),
      negativePrompt: z.string().optional(),
      guidance: editSettings.shape.guidance.unwrap().optional(),
      steps: editSettings.shape.steps.unwrap().optional(),
      seed: editSettings.shape.seed.unwrap().optional(),
      fidelity: editSettings.shape.fidelity.unwrap().optional(),
      sliders: z.strictObject(gains).optional(),
      ...gains,
    })
    .transform(({ name, identity, motion, directions, sliders, ...settings }) => ({
      name,
      settings: { ...settings, sliders: { ...sliders, ...defined({ identity, motion, directions }) } },
    })),
);

export interface RequestedEdit {
  name?: string;
  settings: EditSettingsInput;
}

/** Every `--prompt` and every entry of the batch file, in this order; options fill what an entry leaves open. */
export function requestedEdits(options: EditOptions, command: Command): RequestedEdit[] {
  const common = defined({
    guidance: options.guidance,
    steps: options.steps,
    seed: options.seed,
    fidelity: options.fidelity,
  });
  const chosenGains = defined(slidersOf(options));
  const prompted = (options.prompt ?? []).map((prompt) => ({ settings: { prompt, ...common, sliders: chosenGains } }));
  const listed = (options.batch === undefined ? [] : readBatch(options.batch)).map(({ name, settings }) => ({
    name,
    settings: { ...common, ...settings, sliders: { ...chosenGains, ...settings.sliders } },
  }));
  if ((options.prompt ?? []).some((prompt) => prompt.trim() === '')) command.error('error: --prompt has no words.');
  if (prompted.length + listed.length === 0)
    command.error('error: give --prompt, or --batch with a JSON file of edits.');
  return [...prompted, ...listed];
}

function readBatch(path: string): RequestedEdit[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (thrown) {
    const reason = thrown instanceof SyntaxError ? `is not JSON: ${thrown.message}` : 'cannot be read';
    throw new AppError('invalid-input', `The batch file ${path} ${reason}.`, { hint: batchHint });
  }
  const parsed = batchFile.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue && issue.path.length > 0 ? ` (at ${issue.path.join('.')})` : '';
  throw new AppError('invalid-input', `The batch file ${path} is no list of edits: ${issue?.message}${place}.`, {
    hint: batchHint,
  });
}

const batchHint = 'A batch is a list such as [{"prompt": "a [v] person on a beach", "motion": 0.5, "seed": 2}].';

function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
