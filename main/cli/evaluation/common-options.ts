import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { EngineEvent } from '../../../shared/domain/engine.ts';
import type { EvaluationSize } from '../../../shared/domain/evaluation.ts';
import type { ModelInfo } from '../../../shared/domain/model.ts';
import type { Services } from '../../services/services.ts';
import type { CommandContext } from '../context.ts';
import { parseInteger, parseNumber, parsePlace, parseSize } from '../options.ts';

/** What all evaluations can be told. */
export interface PlaceOptions {
  judge?: string;
  steps?: number;
  size?: { width: number; height: number };
  frames?: number;
  output: string;
}

/** What those on test seeds can be told besides. */
export interface CommonOptions extends PlaceOptions {
  seeds?: [first: number, last: number];
  guidance?: number;
  seed?: number;
}

export function addCommonOptions(command: Command, output: string): Command {
  const withSeeds = command
    .option('--seeds <a..b>', 'test seeds of this range: those that end in 0', parseSeeds)
    .option('--guidance <g>', 'how strongly prompts are followed', parseNumber(0, 30));
  return addPlaceOptions(withSeeds, output);
}

export function addPlaceOptions(command: Command, output: string): Command {
  return command
    .option('--steps <n>', 'sampling steps of each clip', parseInteger(1, 200))
    .option('--size <wxh>', 'another size than those of the model', parseSize)
    .option('--frames <n>', 'another length than that of the model', parseInteger(1, 1000))
    .option('--judge <folder>', 'the judge, if not the one that comes with the program')
    .option('-o, --output <folder>', 'where tables, contact sheets and finished parts are written', parsePlace, output);
}

/** `0..990` -> the first and the last seed. */
function parseSeeds(text: string): [number, number] {
  const [, first, last] = /^(\d{1,9})\.\.(\d{1,9})$/.exec(text) ?? [];
  if (first === undefined || Number(first) > Number(last)) {
    throw new InvalidArgumentError('Expected FIRST..LAST, such as 0..990.');
  }
  return [Number(first), Number(last)];
}

/** The test seeds of the range, or the first `count` of all. */
export function seedsOf({ seeds }: CommonOptions, count: number, command: Command): number[] {
  if (!seeds) return Array.from({ length: count }, (_, index) => 10 * index);
  const first = 10 * Math.ceil(seeds[0] / 10);
  if (first > seeds[1]) command.error(`error: ${seeds.join('..')} has no test seed in it: those end in 0.`);
  return Array.from({ length: 1 + Math.floor((seeds[1] - first) / 10) }, (_, index) => first + 10 * index);
}

export async function prepare(context: CommandContext, services: Services, options: CommonOptions) {
  const { model, folder, place } = await preparePlace(context, services, options);
  const { steps = null, guidance = null, seed = 1 } = options;
  return { model, folder, common: { ...place, sampling: { steps, guidance, seed } } };
}

/** Opens the model, and makes the folder. */
export async function preparePlace(context: CommandContext, services: Services, options: PlaceOptions) {
  const model = await services.call['models.get']({ model: context.global.model });
  const folder = resolve(options.output);
  await mkdir(folder, { recursive: true });
  const place = {
    model: model.directory,
    judge: options.judge === undefined ? join(services.resources, 'models/motif-judge') : resolve(options.judge),
    size: sizeOf(model, options),
    outputFolder: folder,
  };
  return { model, folder, place };
}

function sizeOf(model: ModelInfo, { size, frames }: PlaceOptions): EvaluationSize | null {
  if (!size && frames === undefined) return null;
  const [width, height] = model.sizes[0]!;
  return { width, height, ...size, frameCount: frames ?? model.frameCount };
}

/** Shows progress, and hears of Ctrl-C. */
export function listening({ output, signal }: CommandContext) {
  return {
    signal,
    onEvent(event: EngineEvent) {
      if (event.type === 'progress') output.progress('Evaluating', event.progress);
    },
  };
}
