import { readdir, rm } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import { type TrainTwinResult, twinSizes } from '../../../shared/domain/twin.ts';
import { AppError, toErrorShape } from '../../../shared/ipc/result.ts';
import { importClip } from '../../media/import.ts';
import type { Services } from '../../services/services.ts';
import type { ActionWrapper, CommandContext } from '../context.ts';
import { listening } from './open-twin.ts';
import { addTrainOptions, type TrainOptions, trainingOf } from './train-options.ts';

const videoEndings = new Set(['.mp4', '.m4v', '.mov', '.mkv', '.webm', '.avi', '.ts', '.mpg', '.gif']);

/** The presets' own numbers; a network that is trained on says its own. */
const presetShapes = {
  tiny: { width: 128, height: 128, cell: 16 },
  'paper-small': { width: 224, height: 224, cell: 32 },
  'paper-base': { width: 224, height: 224, cell: 32 },
  'paper-large': { width: 224, height: 224, cell: 32 },
};
const presetFrames = 16;
const presetRate = { numerator: 8, denominator: 1 };

/** Every so many clips, one is measured instead of trained on. */
const measuredShare = 10;

export function registerTrain(twin: Command, run: ActionWrapper): void {
  const command = twin
    .command('train')
    .description(
      'Trains a network that takes clips apart, on the videos of a folder, on drawn scenes, or on both. Run again after it was stopped or killed, it goes on to the same weights.',
    )
    .argument('[folder]', 'videos; every tenth is measured instead of trained on');
  addTrainOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  motif twin train my-videos -o my-twin --from resources/models/motif-twin --steps 500
  motif twin train --world 200 -o small-twin --steps 5000 --batch 8`,
    )
    .action(
      run(async (context, folder: string | undefined, options: TrainOptions, command: Command) => {
        if (folder === undefined && options.world === undefined)
          command.error('error: give a folder with videos, or --world with a number of drawn scenes.');
        const output = resolve(options.output);
        const workDirectory = options.work === undefined ? `${output}.work` : resolve(options.work);
        await context.withServices({ access: 'read' }, async (services) => {
          const shape = await shapeOf(services, options);
          const clips =
            folder === undefined ? [] : await importVideos(context, services, shape, resolve(folder), workDirectory);
          const drawn = await drawScenes(context, services, shape, options, workDirectory);
          const result = await services.engine.trainTwin(
            {
              from: options.from === undefined ? null : resolve(options.from),
              preset: options.preset,
              ablation: options.ablation,
              judge:
                options.judge === undefined ? join(services.resources, 'models/motif-judge') : resolve(options.judge),
              clips: [...clips.filter((_, index) => !isMeasured(index)), ...drawn.train],
              validation: [...clips.filter((_, index) => isMeasured(index)), ...drawn.validation],
              training: trainingOf(options),
              workDirectory,
              output,
            },
            listening(context, 'Training'),
          );
          context.output.result('twin', result, describe(result));
          if (options.work === undefined) await rm(workDirectory, { recursive: true, force: true });
        });
      }),
    );
}

const isMeasured = (index: number) => index % measuredShare === measuredShare - 1;

interface Shape {
  sizes: [number, number][];
  frames: number;
  rate: RawFrames['rate'];
}

async function shapeOf(services: Services, { from, preset }: TrainOptions): Promise<Shape> {
  if (from === undefined) return { sizes: twinSizes(presetShapes[preset]), frames: presetFrames, rate: presetRate };
  const info = await services.engine.describeTwin({ twin: resolve(from) });
  return { sizes: twinSizes(info), frames: info.frames, rate: info.rate };
}

/** Every video of a folder (not of those below it) at the network's rate; one that cannot be read is left out with a warning. */
async function importVideos(
  context: CommandContext,
  services: Services,
  { sizes, frames, rate }: Shape,
  folder: string,
  workDirectory: string,
): Promise<RawFrames[]> {
  const names = await readdir(folder).catch((cause) => {
    throw new AppError('not-found', `The folder ${folder} cannot be read: ${(cause as Error).message}`, { cause });
  });
  const videos = names.filter((name) => videoEndings.has(extname(name).toLowerCase())).sort();
  const tools = await services.tools();
  const clips: RawFrames[] = [];
  for (const [done, name] of videos.entries()) {
    const counted = { phase: 'reading', done, total: videos.length, unit: 'clips', perSecond: null, etaSeconds: null };
    context.output.progress('Training', counted);
    try {
      const { frames: raw } = await importClip(tools, {
        file: join(folder, name),
        sizes,
        rate,
        temporalStride: 1,
        minimumFrames: frames,
        outFolder: join(workDirectory, 'clips', name),
        signal: context.signal,
      });
      clips.push(raw);
    } catch (thrown) {
      const { code, message } = toErrorShape(thrown);
      if (code === 'cancelled' || !(thrown instanceof AppError)) throw thrown;
      context.output.warning(`${name} is left out: ${message}`);
    }
  }
  if (clips.length > 0) return clips;
  throw new AppError('not-found', `${folder} holds no video of ${frames} frames that can be read.`, {
    hint: 'Name a folder with video files directly in it.',
  });
}

async function drawScenes(
  context: CommandContext,
  services: Services,
  { sizes, frames, rate }: Shape,
  { world }: TrainOptions,
  workDirectory: string,
): Promise<{ train: RawFrames[]; validation: RawFrames[] }> {
  if (world === undefined) return { train: [], validation: [] };
  const render = (split: 'train' | 'validation', count: number) =>
    services.engine.renderTwinClips(
      {
        count,
        split,
        frames: frames + 1,
        sizes: worldSizes(sizes),
        rate,
        outputFolder: join(workDirectory, 'world'),
      },
      listening(context, 'Training'),
    );
  return {
    train: await render('train', world),
    validation: await render('validation', Math.ceil(world / measuredShare)),
  };
}

/** Square, wide and tall: the first size, and those of 16 : 9 and 9 : 16 nearest to it. */
function worldSizes(sizes: [number, number][]): [number, number][] {
  const nearest = (shape: number) =>
    sizes.toSorted((a, b) => Math.abs(Math.log(a[0] / a[1] / shape)) - Math.abs(Math.log(b[0] / b[1] / shape)))[0]!;
  return [sizes[0]!, nearest(16 / 9), nearest(9 / 16)];
}

function describe({ folder, steps, seconds, parameters, finalLoss, measured }: TrainTwinResult): string {
  const lines = [
    `${folder}  ${(parameters / 1e6).toFixed(2)} million parameters, ${steps} steps in ${seconds.toFixed(0)} s, last loss ${finalLoss.toFixed(4)}`,
  ];
  if (measured) {
    const alone =
      measured.psnrStructure === null
        ? ''
        : ` (structure alone ${measured.psnrStructure.toFixed(2)}, dynamics alone ${measured.psnrDynamics?.toFixed(2)})`;
    lines.push(`PSNR of ${measured.clips} clips that were not trained on: ${measured.psnr.toFixed(2)} dB${alone}`);
  }
  return lines.join('\n');
}
