import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { toNumber } from '../../../shared/domain/time.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import type { Services } from '../../services/services.ts';
import type { CommandContext, Registration } from '../context.ts';
import { oneByOne } from '../one-by-one.ts';
import { parseSeconds } from '../options.ts';
import { runImport } from '../run-job.ts';
import { describeClip } from './clips.ts';

interface ImportOptions {
  from?: number;
  to?: number;
  fit?: 'crop' | 'pad';
  name?: string;
}

export const registerImport: Registration = (program, run) => {
  program
    .command('import')
    .description('Prepares video files for the model and adds them to the library.')
    .argument('<file...>', 'video files')
    .option('--from <time>', 'where the range to keep starts, such as 2.0 or 1:02.5', parseSeconds)
    .option('--to <time>', 'where it ends', parseSeconds)
    .addOption(
      new Option('--fit <how>', 'how frames of another aspect ratio are fitted (default: crop)').choices([
        'crop',
        'pad',
      ]),
    )
    .option('--name <name>', 'a name for the clip (one file only)')
    .addHelpText(
      'after',
      `
Examples:
  motif import dance.mp4
  motif import film.mkv --from 1:02.5 --to 1:04.6 --name duel
  motif import *.mp4 --fit pad --json`,
    )
    .action(
      run(async (context, files: string[], options: ImportOptions, command: Command) => {
        if (options.name && files.length > 1) command.error('error: --name needs exactly one file.');
        checkRange(options, command);
        await context.withServices({ access: 'write' }, async (services) => {
          const add = (file: string) => importOne(context, services, file, options);
          const itself = (file: string) => file;
          const refused = await oneByOne(context, files, itself, add, (file) => ({ file }));
          if (refused.length === 0) return;
          context.output.note(
            `${files.length - refused.length} of ${files.length} files were imported. Not imported: ${refused.join(', ')}.`,
          );
        });
      }),
    );
};

async function importOne(
  context: CommandContext,
  services: Services,
  file: string,
  options: ImportOptions,
): Promise<void> {
  const { clipId, duplicate, relinked } = await runImport(context, services, {
    path: existingFile(file),
    fromSeconds: options.from,
    toSeconds: options.to,
    fit: options.fit,
    name: options.name,
    model: context.global.model ?? null,
  });
  const clip = await services.call['clips.get']({ reference: clipId });
  for (const warning of clip.warnings) context.output.warning(warning);
  if (duplicate) context.output.note('This range of the file is in the library already; nothing was added.');
  if (relinked) context.output.note('The file had moved: its clips and edits find it here again.');
  context.output.result('clip', { clip, duplicate }, describeClip(clip));
}

/** `--from` after `--to` is wrong use. */
export function checkRange(options: { from?: number; to?: number }, command: Command): void {
  if (options.to !== undefined && options.to <= (options.from ?? 0)) {
    command.error('error: --to must come after --from.');
  }
}

function existingFile(path: string): string {
  if (!existsSync(path)) throw new AppError('not-found', `There is no file ${path}.`);
  if (/\.(motif|safetensors)$/i.test(path))
    throw new AppError('invalid-input', `${path} is not a video.`, {
      hint: `A concept or a LoRA is added with: motif concepts --add ${path}`,
    });
  return resolve(path);
}

/**
 * A file is imported first (at no cost when it is in the library already); anything else must name a clip of
 * the library.
 */
export async function clipIdOf(
  context: CommandContext,
  services: Services,
  reference: string,
  range: { from?: number; to?: number },
): Promise<string> {
  if (existsSync(reference)) {
    const { clipId } = await runImport(context, services, {
      path: resolve(reference),
      fromSeconds: range.from,
      toSeconds: range.to,
      model: context.global.model ?? null,
    });
    const clip = await services.call['clips.get']({ reference: clipId });
    for (const warning of clip.warnings) context.output.warning(warning);
    const { frameCount, width, height, rate } = clip.frames;
    context.output.note(`Clip ${clip.id}: ${frameCount} frames of ${width}x${height} at ${toNumber(rate)} a second.`);
    return clipId;
  }
  if (/[/\\]|\.[a-z0-9]{2,4}$/i.test(reference)) {
    throw new AppError('not-found', `There is no file ${reference}.`);
  }
  const clip = await services.call['clips.get']({ reference });
  if (range.from !== undefined || range.to !== undefined) {
    throw new AppError('invalid-input', `Clip ${clip.id} has its range already.`, {
      hint:
        clip.source.path === null
          ? 'It came with a concept. Give a video file instead.'
          : `Give the file instead: ${clip.source.path}`,
    });
  }
  return clip.id;
}
