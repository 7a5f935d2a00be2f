import { type Command, Option } from 'commander';
import { type TwinTraining, twinAblationName, twinPresetName, twinTraining } from '../../../shared/domain/twin.ts';
import { parseInput } from '../../../shared/ipc/result.ts';
import { parseInteger, parseNumber, parsePlace } from '../options.ts';

export interface TrainOptions {
  output: string;
  world?: number;
  from?: string;
  preset: (typeof twinPresetName.options)[number];
  ablation: (typeof twinAblationName.options)[number];
  judge?: string;
  work?: string;
  steps?: number;
  batch?: number;
  learningRate?: number;
  seed?: number;
  checkpointEvery?: number;
  adversarial?: number;
}

export function addTrainOptions(command: Command): Command {
  const usual = twinTraining.parse({});
  const numbers = `(default: ${usual.steps})`;
  return command
    .requiredOption('-o, --output <folder>', 'the folder of the new network', parsePlace)
    .option('--world <n>', 'so many drawn scenes, beside the clips of the folder or alone', parseInteger(1, 100_000))
    .option('--from <folder>', 'train on a network that is there, instead of a fresh one', parsePlace)
    .addOption(new Option('--preset <name>', 'size of a fresh network').choices(twinPresetName.options).default('tiny'))
    .addOption(
      new Option('--ablation <name>', "a part left out, as in the paper's table 3")
        .choices(twinAblationName.options)
        .default('full'),
    )
    .option('--steps <n>', `steps ${numbers}`, parseInteger(1))
    .option('--batch <n>', `clips in a step (default: ${usual.batchSize})`, parseInteger(1, 256))
    .option('--learning-rate <r>', 'default: by the size of the batch', parseNumber(1e-8, 1))
    .option(
      '--adversarial <w>',
      `weight of the patch discriminator (default: ${usual.adversarial})`,
      parseNumber(0, 100),
    )
    .option('--seed <n>', 'the same seed and clips give the same network (default: 1)', parseInteger(0))
    .option('--checkpoint-every <n>', `steps (default: ${usual.checkpointEvery})`, parseInteger(1))
    .option('--judge <folder>', 'the judge whose features are compared, if not the one that comes with the program')
    .option('--work <folder>', 'where checkpoints lie while it trains (default: OUTPUT.work)', parsePlace);
}

export function trainingOf(options: TrainOptions): TwinTraining {
  const { steps, batch, learningRate, seed, checkpointEvery, adversarial } = options;
  return parseInput(twinTraining, { steps, batchSize: batch, learningRate, seed, checkpointEvery, adversarial });
}
