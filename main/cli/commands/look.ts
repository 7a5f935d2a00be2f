import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type ExportLength, type ExportPreset, exportLength, exportPreset } from '../../../shared/domain/export.ts';
import { type Look, lookSettings } from '../../../shared/domain/look.ts';
import { byteLength, longestName, requireWritable, shorten } from '../../files/file-names.ts';
import type { Services } from '../../services/services.ts';
import type { CommandContext, Registration } from '../context.ts';
import { oneByOne } from '../one-by-one.ts';
import { collect, defined, parseInteger, parseNumber, parseSeconds } from '../options.ts';
import { formatBytes } from '../progress-text.ts';
import { runExport, runGenerate } from '../run-job.ts';
import { clipIdOf } from './import.ts';

interface LookOptions {
  look?: string[];
  seen?: string;
  strength?: number;
  keepDetail?: number;
  amount?: number;
  colour?: number;
  seed?: number;
  variants?: number;
  fine?: boolean;
  whole?: boolean;
  from?: number;
  to?: number;
  length?: ExportLength;
  preset?: ExportPreset;
  output?: string;
  out?: string;
}

export const registerLook: Registration = (program, run) => {
  program
    .command('look')
    .description(
      "Gives clips a look without learning: finished videos at the clips' own size and frame rate, in seconds.",
    )
    .argument('<file|clip...>', 'video files, or clips of the library')
    .option('--look <name>', 'a look listed by `motif looks`; repeat, or separate names with commas', collect)
    .option('--seen <text>', 'what the clip shows, such as "a hawk on a branch" (kept with the clip)')
    .option(
      '--strength <s>',
      "0 to 1: how far the result moves away from the clip (default: the look's)",
      parseNumber(0, 1),
    )
    .option(
      '--keep-detail <d>',
      "1: areas that look alike change alike; 0.5: follows the model into small areas; towards 0: blends in the model's own frames (default: the look's)",
      parseNumber(0, 1),
    )
    .option('--amount <a>', "how much of the change is made, 0 to 1.5 (default: the look's)", parseNumber(0, 1.5))
    .option(
      '--colour <c>',
      "how much colour it has, 0 for black and white to 2 (default: the look's)",
      parseNumber(0, 2),
    )
    .option('--seed <n>', 'the same settings and seed give the same frames (default: 1)', parseInteger(0))
    .option('--variants <n>', 'how many, with this seed and the ones after it', parseInteger(1, 64))
    .option(
      '--whole',
      'edits all of the file, window by window: follows things through it, takes as many times as long',
    )
    .option('--fine', "works at twice the model's resolution: follows objects better, takes about four times as long")
    .option('--from <time>', 'for a file: where the range starts, such as 2.0 or 1:02.5', parseSeconds)
    .option('--to <time>', 'where it ends', parseSeconds)
    .addOption(
      new Option(
        '--length <range|source>',
        'the range that the model used, or the whole file with light and colour carried over (default: source for a file without --from and --to, else range)',
      ).choices(exportLength.options),
    )
    .addOption(new Option('--preset <name>', 'video format (default: h264)').choices(exportPreset.options))
    .option('-o, --output <file>', 'where to write the one result')
    .option('--out <folder>', "where to write several (default: the library's exports folder)")
    .addHelpText(
      'after',
      `
Examples:
  motif look walk.mp4 --look sunset -o walk-sunset.mp4
  motif look walk.mp4 --look night --seen "a dog in a park" --strength 0.7 --variants 3 --out tries/
  motif look *.mp4 --look sunset,fog,neon --out looks/ --preset prores`,
    )
    .action(
      run(async (context, references: string[], options: LookOptions, command: Command) => {
        const names = (options.look ?? []).flatMap((list) => list.split(',')).filter((name) => name.trim() !== '');
        if (names.length === 0) command.error('error: give --look with a name of `motif looks`.');
        if (options.output !== undefined && options.out !== undefined)
          command.error('error: --output names one file and --out a folder; give one of them.');
        const results = references.length * names.length * (options.variants ?? 1);
        if (options.output !== undefined && results > 1)
          command.error(`error: --output takes one result, and these are ${results}; give --out with a folder.`);
        await context.withServices({ access: 'write' }, async (services) => {
          const looks = await Promise.all(names.map((name) => services.call['looks.get']({ reference: name })));
          if (options.output !== undefined) await requireWritable(dirname(resolve(options.output)));
          if (options.out !== undefined) {
            await requireWritable(resolve(options.out));
            mkdirSync(resolve(options.out), { recursive: true });
          }
          const apply = (reference: string) => applyLooks(context, services, reference, looks, options);
          await oneByOne(context, references, (reference) => reference, apply);
        });
      }),
    );
};

/** A name for a file of a clip in a look; long ones lose the end of the clip's name, with room for an extension and a number. */
function fileStem(clip: string, ending: string): string {
  const [name, end] = [clip, `-${ending}`].map((part) => part.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-'));
  return `${shorten(name!, longestName - byteLength(end!) - 16)}${end}`;
}

/** One clip in every look asked for, each an edit of the library and a finished file. */
async function applyLooks(
  context: CommandContext,
  services: Services,
  reference: string,
  looks: readonly Look[],
  options: LookOptions,
): Promise<void> {
  const clipId = await clipIdOf(context, services, reference, { from: options.from, to: options.to });
  if (options.seen !== undefined)
    await services.call['clips.label']({ reference: clipId, labels: { seen: options.seen } });
  const clip = await services.call['clips.get']({ reference: clipId });
  const isWholeFile = options.from === undefined && options.to === undefined && existsSync(reference);
  for (const look of looks) {
    for (let variant = 0; variant < (options.variants ?? 1); variant++) {
      const seed = (options.seed ?? 1) + variant;
      const settings = {
        ...lookSettings(look, { seen: clip.seen, strength: options.strength }),
        seed,
        fine: options.fine ?? false,
        whole: options.whole ?? false,
        ...defined({ keepDetail: options.keepDetail, amount: options.amount, colour: options.colour }),
      };
      const name = seed === 1 ? look.name : `${look.name}, seed ${seed}`;
      const model = context.global.model ?? null;
      const { editId } = await runGenerate(context, services, { sourceClipId: clipId, settings, name, model });
      const stem = fileStem(clip.name, [look.id, ...(seed === 1 ? [] : [seed])].join('-'));
      const output =
        options.output !== undefined
          ? resolve(options.output)
          : options.out === undefined
            ? null
            : join(resolve(options.out), stem);
      const written = await runExport(context, services, {
        what: 'edit',
        editId,
        length: options.length ?? (isWholeFile || options.whole ? 'source' : 'range'),
        settings: { preset: options.preset },
        output,
      });
      for (const note of written.notes) context.output.note(note);
      context.output.result(
        'look',
        { look: look.id, editId, ...written },
        `${written.file}  ${look.name} (${formatBytes(written.sizeBytes)}), edit ${editId}`,
      );
    }
  }
}
