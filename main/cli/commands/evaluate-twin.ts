import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { EvaluateTwinResult } from '../../../shared/domain/evaluation-twin.ts';
import type { ModelInfo } from '../../../shared/domain/model.ts';
import { writeWhole } from '../../files/place.ts';
import { drawContactSheet } from '../../media/contact-sheet.ts';
import type { Services } from '../../services/services.ts';
import { defaultTwin } from '../../services/twins.ts';
import type { ActionWrapper, CommandContext } from '../context.ts';
import { addPlaceOptions, listening, type PlaceOptions, preparePlace } from '../evaluation/common-options.ts';
import { timeTaken } from '../evaluation/numbers.ts';
import { importFolder } from '../evaluation/real-clips.ts';
import { twinPage } from '../evaluation/twin/twin-page.ts';
import { formatTwinReport } from '../evaluation/twin/twin-text.ts';
import { collect, parseInteger, parsePlace } from '../options.ts';

interface Options extends PlaceOptions {
  twin?: string[];
  autoencoder?: string[];
  clips?: string;
  metrics?: string;
  fast?: boolean;
  scenes?: number;
  pairs?: number;
  words?: number;
}

/** In numbers for each number of the pixels. */
const curve = [0.001, 0.002, 0.005, 0.01, 0.0245, 0.05];
const usual = { scenes: 24, pairs: 12, words: 12, learnedClips: 60 };
const fast = { scenes: 6, pairs: 3, words: 4, learnedClips: 20 };

export function registerEvaluateTwin(evaluate: Command, run: ActionWrapper): void {
  const command = evaluate
    .command('vidtwin')
    .description(
      "Measures autoencoders with two latents: rate, PSNR, SSIM and perceptual distance beside the model's own autoencoder and a cosine transform, and what reenacting keeps.",
    )
    .option('--twin <folder>', 'a network; several times for several, such as ablations or sizes', collect)
    .option(
      '--autoencoder <folder>',
      "another autoencoder to measure beside, such as a causal one in MAGVIT's manner; several times for several",
      collect,
    )
    .option('--clips <folder>', 'real videos too')
    .option(
      '--metrics <folder>',
      'measure with your own LPIPS and I3D too: ONNX files and their descriptions (docs/metrics.md)',
      parsePlace,
    )
    .option('--scenes <n>', `test scenes (default: ${usual.scenes})`, parseInteger(1, 1000))
    .option('--pairs <n>', `pairs to reenact (default: ${usual.pairs})`, parseInteger(0, 1000))
    .option(
      '--words <n>',
      `captions to make clips of, where a network has a generator beside it (default: ${usual.words})`,
      parseInteger(0, 1000),
    )
    .option('--fast', `${fast.scenes} scenes, ${fast.pairs} pairs and ${fast.words} captions: a first look`);
  addPlaceOptions(command, 'out/evaluate-vidtwin')
    .addHelpText(
      'after',
      `
Examples:
  motif evaluate vidtwin --fast
  motif evaluate vidtwin --clips my-videos --twin resources/models/motif-twin --twin my-twin --autoencoder my-magvit
Run again with the same folder, it goes on where it was stopped.`,
    )
    .action(
      run(async (context, options: Options) => {
        await context.withServices({ access: 'read' }, async (services) => {
          const { model, folder, place } = await preparePlace(context, services, options);
          const twins = (options.twin ?? [defaultTwin(services.resources)]).map((twin) => resolve(twin));
          for (const twin of twins) await services.engine.describeTwin({ twin });
          const numbers = options.fast ? fast : usual;
          const scenes = options.scenes ?? numbers.scenes;
          const realClips = options.clips
            ? await importFolder(context, services, model, place.size, resolve(options.clips), join(folder, 'clips'))
            : [];
          const result = await services.engine.evaluateTwin(
            {
              model: model.directory,
              judge: place.judge,
              size: place.size,
              steps: options.steps ?? null,
              metrics: options.metrics === undefined ? null : resolve(options.metrics),
              twins,
              autoencoders: (options.autoencoder ?? []).map((autoencoder) => resolve(autoencoder)),
              seeds: Array.from({ length: scenes }, (_, index) => 10 * index),
              realClips,
              curve,
              learnedClips: numbers.learnedClips,
              pairs: options.pairs ?? numbers.pairs,
              words: options.words ?? numbers.words,
              outputFolder: folder,
            },
            listening(context),
          );
          await answer(context, services, { model, folder, result });
        });
      }),
    );
}

async function answer(
  context: CommandContext,
  services: Services,
  { model, folder, result }: { model: ModelInfo; folder: string; result: EvaluateTwinResult },
): Promise<void> {
  context.output.endProgress();
  const device = await services.call['device.report']();
  const twins = result.twins.map(({ name, parameters }) => `${name} (${(parameters / 1e6).toFixed(2)} M)`).join(', ');
  const heading = `${twins}; beside the autoencoder of ${model.name}. Computed by ${device.description}, ${device.threads} threads, in ${timeTaken(result)}.`;
  const rows = result.sheet.filter(({ frames }) => existsSync(frames.file)); // pictures of an earlier run may have been cleared away
  const sheets: { name: string; png: Buffer }[] = [];
  for (const name of new Set(rows.map(({ group }) => group))) {
    const own = rows.filter(({ group }) => group === name);
    sheets.push({ name, png: await drawContactSheet(own, { title: name, pictureHeight: 96 }) });
  }
  const text = `${heading}\n\n${formatTwinReport(result)}`;
  const files = { json: 'evaluation.json', text: 'evaluation.txt', page: 'evaluation.html' };
  await writeWhole(join(folder, files.json), `${JSON.stringify({ model, device, result }, null, 1)}\n`);
  await writeWhole(join(folder, files.text), `${text}\n`);
  await writeWhole(join(folder, files.page), twinPage(result, heading, sheets));
  context.output.result(
    'evaluation',
    { folder, ...files, model, device, result },
    `${text}\n\n${folder}: ${files.page}, ${files.json}`,
  );
}
