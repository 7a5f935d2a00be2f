import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { sliders } from '../../shared/domain/concept.ts';
import { type EditSettingsInput, editSettings, usualDetail } from '../../shared/domain/edit.ts';
import { guidanceFor, startStrength, strengthSettings } from '../../shared/domain/strength.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { collectDirection, defined, parseInteger, parseNumber } from './options.ts';

export interface SliderOptions {
  identity?: number;
  motion?: number;
  direction?: Record<string, number>;
  appearance?: number;
}

export interface EditOptions extends SliderOptions {
  prompt?: string[];
  batch?: string;
  guidance?: number;
  steps?: number;
  seed?: number;
  fidelity?: number;
  strength?: number;
  seen?: string;
  part?: number;
  fine?: boolean;
  firstFrame?: string;
  whole?: boolean;
  finish?: 'on' | 'off';
  keepDetail?: number;
  amount?: number;
  colour?: number;
  lock?: boolean;
  recolour?: boolean;
}

export function addSliderOptions(command: Command): Command {
  return command
    .option('--identity <gain>', 'gain of the identity; 1, the default, is as learned', parseNumber(-4, 4))
    .option('--motion <gain>', 'gain of the motion; 1, the default, is as learned', parseNumber(-4, 4))
    .option(
      '--direction <K=gain>',
      'gain of one direction of the identity, K = 0 the strongest; repeat for several',
      collectDirection,
    )
    .option(
      '--appearance <gain>',
      'for DreamVideo: how strongly the motion is conditioned on the appearance of the subject, 0 to 1.5 (default: 1)',
      parseNumber(0, 1.5),
    );
}

/** Told in the help alone: what is not given is left to the edit's own settings. */
const usual = editSettings.parse({ prompt: '' });

export function addSamplingOptions(command: Command): Command {
  return command
    .option('--guidance <g>', 'how strictly the prompt is followed (default: set by the fidelity)', parseNumber(0, 30))
    .option('--steps <n>', `sampling steps (default: ${usual.steps})`, parseInteger(1, 200))
    .option('--seed <n>', `the same settings and seed give the same frames (default: ${usual.seed})`, parseInteger(0))
    .option(
      '--fidelity <f>',
      '0 starts from noise, 1 keeps the clip (default: set by the strength; 0 for a concept of several clips, a mix, or with others)',
      parseNumber(0, 1),
    )
    .option(
      '--strength <s>',
      `0 to 1: sets fidelity and guidance together; higher values move further from the clip (default: ${startStrength})`,
      parseNumber(0, 1),
    )
    .option(
      '--first-frame <picture>',
      'the clip begins with this picture and goes on from it, from noise (models that take one, such as Wan 2.2 TI2V 5B or Wan 2.1 I2V)',
    )
    .option(
      '--whole',
      'edits all of the file, window by window: follows things through it, takes as many times as long',
    )
    .option('--fine', "works at twice the model's resolution: follows objects better, takes about four times as long")
    .addOption(
      new Option(
        '--finish <on|off>',
        "whether to apply the change to the clip itself, at its own size and frame rate, or to keep the model's own frames (default: on)",
      ).choices(['on', 'off']),
    )
    .option(
      '--keep-detail <d>',
      `finished: 1: areas that look alike change alike; 0.5: follows the edit into small areas; towards 0: blends in the model's own frames (default: ${usualDetail})`,
      parseNumber(0, 1),
    )
    .option('--amount <a>', 'finished: how much of the change is made, 0 to 1.5 (default: 1)', parseNumber(0, 1.5))
    .option(
      '--colour <c>',
      'finished: how much colour it has, 0 for black and white to 2 (default: 1)',
      parseNumber(0, 2),
    )
    .option(
      '--lock',
      "finished: areas that the edit changes little keep the clip's own pixels, to the bit (default: where the words change only what is worn or held)",
    )
    .option('--no-lock', 'finished: all of the picture may change')
    .option(
      '--no-recolour',
      'finished: where the words change one colour alone, such as "a red car" to "a blue car", follow the edit everywhere instead of recolouring that thing as a whole',
    );
}

export function slidersOf(options: SliderOptions): z.input<typeof sliders> {
  const { identity, motion, direction: directions, appearance } = options;
  return { identity, motion, directions, appearance };
}

const gains = {
  identity: sliders.shape.identity.unwrap().optional(),
  motion: sliders.shape.motion.unwrap().optional(),
  directions: sliders.shape.directions.unwrap().optional(),
  appearance: sliders.shape.appearance,
};

/**
 * In a batch file gains may stand beside the prompt or under `sliders`. Unknown names are refused, since they would be ignored;
 * defaults are taken off, so that what an entry leaves open can still come from the command line.
 */
const batchFile = z.array(
  z
    .strictObject({
      name: z.string().min(1).optional(),
      prompt: z.string().trim().min(1, 'A prompt has words'),
      negativePrompt: z.string().optional(),
      guidance: editSettings.shape.guidance.unwrap().optional(),
      steps: editSettings.shape.steps.unwrap().optional(),
      seed: editSettings.shape.seed.unwrap().optional(),
      fidelity: editSettings.shape.fidelity.unwrap().optional(),
      strength: z.number().min(0).max(1).optional(),
      seen: editSettings.shape.shown.unwrap().optional(),
      part: editSettings.shape.part.unwrap().optional(),
      fine: editSettings.shape.fine.unwrap().optional(),
      whole: editSettings.shape.whole.unwrap().optional(),
      finish: editSettings.shape.finish.unwrap().optional(),
      keepDetail: editSettings.shape.keepDetail.unwrap().optional(),
      amount: editSettings.shape.amount.unwrap().optional(),
      colour: editSettings.shape.colour.unwrap().optional(),
      lock: editSettings.shape.lock.unwrap().optional(),
      recolour: editSettings.shape.recolour.unwrap().optional(),
      sliders: z.strictObject(gains).optional(),
      ...gains,
    })
    .transform(({ name, identity, motion, directions, appearance, sliders, strength, seen, ...settings }) => ({
      name,
      settings: {
        ...(strength !== undefined && strengthSettings(strength)),
        ...(settings.fidelity !== undefined && { guidance: guidanceFor(settings.fidelity) }),
        ...settings,
        ...(seen !== undefined && { shown: seen }),
        sliders: { ...sliders, ...defined({ identity, motion, directions, appearance }) },
      },
    })),
);

export interface RequestedEdit {
  name?: string;
  settings: EditSettingsInput;
}

/** Every `--prompt` and every entry of the batch file, in this order; options fill what an entry leaves open. */
export function requestedEdits(options: EditOptions, command: Command): RequestedEdit[] {
  const common = defined({
    steps: options.steps,
    seed: options.seed,
    ...(options.strength !== undefined && strengthSettings(options.strength)),
    ...(options.firstFrame !== undefined && { fidelity: 0, guidance: guidanceFor(0) }),
    ...(options.fidelity !== undefined && { fidelity: options.fidelity, guidance: guidanceFor(options.fidelity) }),
    ...(options.guidance !== undefined && { guidance: options.guidance }),
    shown: options.seen,
    part: options.part,
    fine: options.fine,
    firstFrame: options.firstFrame === undefined ? undefined : { path: resolve(options.firstFrame) },
    whole: options.whole,
    finish: options.finish && options.finish === 'on',
    keepDetail: options.keepDetail,
    amount: options.amount,
    colour: options.colour,
    lock: options.lock,
    recolour: options.recolour === false ? null : undefined,
  });
  const chosenGains = defined(slidersOf(options));
  const prompted = (options.prompt ?? []).map((prompt) => ({ settings: { prompt, ...common, sliders: chosenGains } }));
  const listed = (options.batch === undefined ? [] : readBatch(options.batch)).map(({ name, settings }) => ({
    name,
    settings: { ...common, ...settings, sliders: { ...chosenGains, ...settings.sliders } },
  }));
  if ((options.prompt ?? []).some((prompt) => prompt.trim() === '')) command.error('error: --prompt is empty.');
  if (prompted.length + listed.length === 0)
    command.error('error: give --prompt, or --batch with a JSON file of edits.');
  return [...prompted, ...listed];
}

function readBatch(path: string): RequestedEdit[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
  } catch (thrown) {
    const reason = thrown instanceof SyntaxError ? `is not JSON: ${thrown.message}` : 'cannot be read';
    throw new AppError('invalid-input', `The batch file ${path} ${reason}.`, { hint: batchHint });
  }
  const parsed = batchFile.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue && issue.path.length > 0 ? ` (at ${issue.path.join('.')})` : '';
  throw new AppError('invalid-input', `The batch file ${path} is not a list of edits: ${issue?.message}${place}.`, {
    hint: batchHint,
  });
}

const batchHint = 'A batch is a list such as [{"prompt": "a [v] person on a beach", "motion": 0.5, "seed": 2}].';
