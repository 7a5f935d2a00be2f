import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type ExportPreset, exportPreset } from '../../../shared/domain/export.ts';
import {
  type EncodeTwinResult,
  largestTwinStrength,
  strengthsOfView,
  type TwinView,
  twinStrengths,
  twinView,
} from '../../../shared/domain/twin.ts';
import { AppError, parseInput } from '../../../shared/ipc/result.ts';
import type { ActionWrapper, Registration } from '../context.ts';
import { parseNumber, parsePlace } from '../options.ts';
import { formatBytes } from '../progress-text.ts';
import { registerGenerate } from '../twin/generate.ts';
import {
  addClipOptions,
  addTwinOption,
  type ClipOptions,
  framesOf,
  listening,
  type TwinOptions,
  twinFolder,
  withFolder,
  writeVideo,
} from '../twin/open-twin.ts';
import { registerTrain } from '../twin/train.ts';

interface VideoOptions {
  output: string;
  preset?: ExportPreset;
  overwrite?: boolean;
}

interface DecodeOptions extends TwinOptions, VideoOptions {
  structure: number;
  dynamics: number;
  show: TwinView;
}

interface EncodeOptions extends ClipOptions {
  output: string;
  overwrite?: boolean;
}

export const registerTwin: Registration = (program, run) => {
  const twin = program
    .command('twin')
    .description(
      "Takes clips apart into structure (what is there, and slow motion) and dynamics (the camera's path, and fast motion), and puts them together again (VidTwin).",
    )
    .addHelpText(
      'after',
      '\nExamples:\n  motif twin encode dance.mp4 -o dance.twin\n  motif twin decode dance.twin -o again.mp4 --show structure\n  motif twin reenact dance.mp4 walk.mp4 -o both.mp4\n  motif twin generate "a dog on a beach, it is running" -o dog.mp4',
    );
  registerEncode(twin, run);
  registerDecode(twin, run);
  registerReenact(twin, run);
  registerGenerate(twin, run);
  registerTrain(twin, run);
};

function registerEncode(twin: Command, run: ActionWrapper): void {
  const command = twin
    .command('encode')
    .description('Writes a video as a small file of its two latents; prints how small, and how well it comes back.')
    .argument('<file>', 'a video file')
    .requiredOption('-o, --output <file>', 'the .twin file to write', parsePlace)
    .option('--overwrite', 'replace the file if it is there');
  addClipOptions(command).action(
    run(async (context, file: string, options: EncodeOptions) => {
      const output = resolve(options.output);
      refuseExisting(output, options);
      await context.withServices({ access: 'read' }, async (services) => {
        const folder = twinFolder(services, options);
        const info = await services.engine.describeTwin({ twin: folder });
        const result = await withFolder(async (place) => {
          const frames = await framesOf(context, services, info, file, place, options);
          return services.engine.encodeTwin({ twin: folder, frames, output }, listening(context, file));
        });
        context.output.result('twin', result, describeEncoded(result));
      });
    }),
  );
}

function describeEncoded(result: EncodeTwinResult): string {
  const { file, sizeBytes, frameCount, width, height, structureNumbers, dynamicsNumbers, rate, psnr } = result;
  const numbers = structureNumbers + dynamicsNumbers;
  const apart = dynamicsNumbers ? ` (${structureNumbers} of structure, ${dynamicsNumbers} of dynamics)` : '';
  const quality = psnr === null ? 'without loss' : `PSNR ${psnr.toFixed(2)} dB`;
  return [
    `${file}  ${formatBytes(sizeBytes)}`,
    `${frameCount} frames of ${width} x ${height} in ${result.chunks} chunks: ${numbers} numbers${apart}, rate ${(100 * rate).toFixed(3)} % of the pixels' numbers, ${quality}`,
    `encoded in ${result.encodeSeconds.toFixed(1)} s, decoded in ${result.decodeSeconds.toFixed(1)} s`,
  ].join('\n');
}

function registerDecode(twin: Command, run: ActionWrapper): void {
  const command = twin
    .command('decode')
    .description('Makes a video of a .twin file.')
    .argument('<file>', 'a file that `motif twin encode` wrote');
  addTwinOption(addVideoOptions(command)).action(
    run(async (context, file: string, options: DecodeOptions) => {
      const strengths = strengthsOf(options);
      await context.withServices({ access: 'read' }, async (services) => {
        const request = { twin: twinFolder(services, options), file: resolve(file), strengths };
        const written = await withFolder(async (place) => {
          const frames = await services.engine.decodeTwin(
            { ...request, output: join(place, 'frames.rgb') },
            listening(context, file),
          );
          return writeVideo(context, services, frames, options.output, options);
        });
        context.output.result('decoded', written, `${written.file}  ${formatBytes(written.sizeBytes)}`);
      });
    }),
  );
}

function registerReenact(twin: Command, run: ActionWrapper): void {
  const command = twin
    .command('reenact')
    .description(
      'Makes a video with the structure of one clip and the dynamics of another. It has the size of the first and the length of the shorter: the second is cut to the shape of the first and scaled, the longer one loses its end.',
    )
    .argument('<structure>', 'the video that says what is there')
    .argument('<dynamics>', 'the video that says how it moves');
  addClipOptions(addVideoOptions(command)).action(
    run(async (context, structure: string, dynamics: string, options: DecodeOptions & ClipOptions) => {
      const strengths = strengthsOf(options);
      await context.withServices({ access: 'read' }, async (services) => {
        const folder = twinFolder(services, options);
        const info = await services.engine.describeTwin({ twin: folder });
        const written = await withFolder(async (place) => {
          const seen = await framesOf(context, services, info, structure, join(place, 'structure'), options);
          const size = { width: seen.width, height: seen.height };
          const moving = await framesOf(context, services, info, dynamics, join(place, 'dynamics'), {
            ...options,
            size,
            rate: seen.rate,
          });
          if (seen.frameCount !== moving.frameCount)
            context.output.note(`${seen.frameCount} and ${moving.frameCount} frames: the longer clip loses its end.`);
          const frames = await services.engine.reenact(
            { twin: folder, structure: seen, dynamics: moving, strengths, output: join(place, 'frames.rgb') },
            listening(context, 'Reenacting'),
          );
          return writeVideo(context, services, frames, options.output, options);
        });
        context.output.result('reenacted', written, `${written.file}  ${formatBytes(written.sizeBytes)}`);
      });
    }),
  );
}

function addVideoOptions(command: Command): Command {
  const strength = parseNumber(0, largestTwinStrength);
  return command
    .requiredOption('-o, --output <file>', 'the video to write', parsePlace)
    .option('--overwrite', 'replace the file if it is there')
    .addOption(new Option('--preset <name>', 'kind of video (default: h264)').choices(exportPreset.options))
    .option('--structure <s>', `strength of the structure, 0 to ${largestTwinStrength}`, strength, 1)
    .option('--dynamics <s>', `strength of the dynamics, 0 to ${largestTwinStrength}`, strength, 1)
    .addOption(new Option('--show <what>', 'what both give, or one alone').choices(twinView.options).default('both'));
}

function strengthsOf({ structure, dynamics, show }: DecodeOptions) {
  return strengthsOfView(show, parseInput(twinStrengths, { structure, dynamics }));
}

function refuseExisting(file: string, { overwrite }: { overwrite?: boolean }): void {
  if (overwrite || !existsSync(file)) return;
  throw new AppError('conflict', `${file} exists already.`, { hint: 'Choose another name, or give --overwrite.' });
}
