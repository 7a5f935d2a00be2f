import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type ExportPreset, exportPreset } from '../../../shared/domain/export.ts';
import { type GenerateTwinRequest, generateTwinRequest } from '../../../shared/domain/twin.ts';
import type { ActionWrapper } from '../context.ts';
import { parseInteger, parseNumber, parsePlace, parseSize } from '../options.ts';
import { formatBytes } from '../progress-text.ts';
import { addTwinOption, listening, type TwinOptions, twinFolder, withFolder, writeVideo } from './open-twin.ts';

interface GenerateOptions extends TwinOptions {
  output: string;
  overwrite?: boolean;
  preset?: ExportPreset;
  generator?: string;
  negative: string;
  steps: number;
  guidance: number;
  seed: number;
  size?: GenerateTwinRequest['size'];
}

const usual = generateTwinRequest.pick({ steps: true, guidance: true, seed: true }).parse({});

export function registerGenerate(twin: Command, run: ActionWrapper): void {
  const command = twin
    .command('generate')
    .description("Makes a video of words alone, in the twin's latents: one chunk of its frames.")
    .argument('<words>', 'what is seen, and how it moves')
    .requiredOption('-o, --output <file>', 'the video to write', parsePlace)
    .option('--overwrite', 'replace the file if it is there')
    .addOption(new Option('--preset <name>', 'kind of video (default: h264)').choices(exportPreset.options))
    .option('--generator <folder>', "what makes the latents (default: the twin's own subfolder, generator)", parsePlace)
    .option('--negative <words>', 'what to lead away from', '')
    .option('--steps <n>', 'steps from noise', parseInteger(1, 200), usual.steps)
    .option('--guidance <g>', 'how much the words press, 1 for not at all', parseNumber(0, 30), usual.guidance)
    .option('--seed <n>', 'the same seed and words give the same clip', parseInteger(0), usual.seed)
    .option('--size <wxh>', 'pixels (default: those that the network was trained on)', parseSize);
  addTwinOption(command)
    .addHelpText('after', '\nExample:\n  motif twin generate "a dog on a beach, it is running" -o dog.mp4 --seed 3')
    .action(
      run(async (context, words: string, options: GenerateOptions) => {
        const { negative: negativePrompt, steps, guidance, seed, size = null } = options;
        await context.withServices({ access: 'read' }, async (services) => {
          const folder = twinFolder(services, options);
          const model = await services.call['models.get']({ model: context.global.model });
          const request = {
            ...{ model: model.directory, twin: folder, prompt: words, negativePrompt, steps, guidance, seed, size },
            generator: options.generator === undefined ? join(folder, 'generator') : resolve(options.generator),
          };
          const written = await withFolder(async (place) => {
            const output = join(place, 'frames.rgb');
            const frames = await services.engine.generateTwin({ ...request, output }, listening(context, words));
            return writeVideo(context, services, frames, options.output, options);
          });
          context.output.result('generated', written, `${written.file}  ${formatBytes(written.sizeBytes)}`);
        });
      }),
    );
}
