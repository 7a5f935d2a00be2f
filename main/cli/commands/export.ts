import { resolve, sep } from 'node:path';
import { type Command, Option } from 'commander';
import {
  type ExportLength,
  type ExportPreset,
  exportLength,
  exportPreset,
  type LoraDialect,
  loraDialect,
} from '../../../shared/domain/export.ts';
import type { ItemReference } from '../../../shared/domain/library.ts';
import type { Rational } from '../../../shared/domain/time.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { presets } from '../../media/presets.ts';
import type { Services } from '../../services/services.ts';
import type { Registration } from '../context.ts';
import { addSliderOptions, type SliderOptions, slidersOf } from '../edit-options.ts';
import { parseExportSize, parseInteger, parsePlace, parseRate } from '../options.ts';
import { formatBytes } from '../progress-text.ts';
import { runExport } from '../run-job.ts';

interface ExportOptions extends SliderOptions {
  preset?: ExportPreset;
  finish?: 'on' | 'off';
  length?: ExportLength;
  size?: { width: number; height: number } | 'source';
  rate?: Rational | 'source';
  audio?: 'original' | 'none';
  sound?: number;
  crf?: number;
  superResolution?: boolean;
  lora?: LoraDialect;
  output?: string;
  overwrite?: 'refuse' | 'replace' | 'number';
}

const videoOptions = [
  'preset',
  'finish',
  'length',
  'size',
  'rate',
  'audio',
  'sound',
  'crf',
  'superResolution',
] as const;
const sliderOptions = ['identity', 'motion', 'direction', 'appearance'] as const;
const editOptions = ['finish', 'length'] as const;

const usualQuality = (['h264', 'h265', 'av1'] as const).map((name) => presets[name].defaultQuality).join(', ');

export const registerExport: Registration = (program, run) => {
  const command = program
    .command('export')
    .description('Writes an edit (or a clip as the model sees it) as a video, or a concept as a LoRA file.')
    .argument('<edit|clip|concept>', 'an id, the start of one, or a name')
    .addOption(new Option('--preset <name>', 'video format (default: h264)').choices(exportPreset.options))
    .addOption(
      new Option(
        '--finish <on|off>',
        "apply the edit to its clip, at the clip's own size and frame rate, or write the model's own frames (default: as set in the edit)",
      ).choices(['on', 'off']),
    )
    .addOption(
      new Option(
        '--length <range|source>',
        "of a finished edit: the range that the model used, or the clip's whole file with light and colour carried over (default: range)",
      ).choices(exportLength.options),
    )
    .option(
      '--size <WxH|source>',
      "frame size, such as 512x512 (default: source, the clip's own, or that of the model's own frames)",
      parseExportSize,
    )
    .option(
      '--rate <n|source>',
      "frames per second, such as 25 or 30000/1001 (default: the clip's own, or the model's)",
      parseRate,
    )
    .addOption(new Option('--audio <which>', 'audio of the export (default: none)').choices(['original', 'none']))
    .option(
      '--sound <n>',
      'which audio track of a clip with several, such as 2; implies --audio original (default: the one marked as default)',
      parseInteger(1, 99),
    )
    .option(
      '--crf <n>',
      `quality of h264, h265 and av1: lower is better and larger (default: ${usualQuality})`,
      parseInteger(0, 63),
    )
    .option(
      '--super-resolution',
      "upscales the model's own frames four times, before they are scaled to --size: for results without a clip behind them, such as compositions",
    )
    .addOption(new Option('--lora <dialect>', 'a LoRA file with the gains baked in').choices(loraDialect.options))
    .option('-o, --output <file|folder/>', "where to write (default: the library's exports folder)", parsePlace)
    .addOption(
      new Option('--overwrite <how>', 'if the file exists (default: number)').choices(['refuse', 'replace', 'number']),
    );
  addSliderOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  motif export EDIT --preset h264 --size 1280x720 --audio original -o dance.mp4
  motif export EDIT --length source --audio original -o deliveries/
  motif export EDIT --finish off --super-resolution --size 1024x1024
  motif export EDIT --preset prores --sound 2 -o deliveries/
  motif export EDIT --preset png -o frames/
  motif export CONCEPT --lora comfyui
  motif export CONCEPT --lora diffusers --identity 1 --motion 0.5 --direction 0=1.2 -o dance.safetensors`,
    )
    .action(
      run(async (context, reference: string, options: ExportOptions, command: Command) => {
        const [unfitting, why] = options.lora
          ? ([videoOptions, 'is for videos, not for --lora'] as const)
          : ([sliderOptions, 'needs --lora; an edit has its own gains'] as const);
        for (const name of unfitting)
          if (options[name] !== undefined) command.error(`error: --${dashed(name)} ${why}.`);
        if (options.sound !== undefined && options.audio === 'none') {
          command.error('error: --sound needs --audio original.');
        }
        await context.withServices({ access: 'write' }, async (services) => {
          const item = await resolveFor(services, reference, options.lora !== undefined);
          if (item.kind === 'clip')
            for (const name of editOptions)
              if (options[name] !== undefined)
                command.error(`error: --${name} is for edits; a clip is written as the model sees it.`);
          const output = options.output === undefined ? null : absolutePlace(options.output);
          const { overwrite } = options;
          const settings = {
            preset: options.preset,
            ...(options.size !== 'source' && options.size),
            rate: options.rate,
            audio: options.sound === undefined ? options.audio : 'original',
            sound: options.sound,
            crf: options.crf,
            superResolution: options.superResolution,
            overwrite,
          };
          const written = await runExport(
            context,
            services,
            item.kind === 'concept'
              ? {
                  what: 'lora',
                  conceptId: item.id,
                  sliders: slidersOf(options),
                  dialect: options.lora,
                  overwrite,
                  output,
                }
              : item.kind === 'edit'
                ? {
                    what: 'edit',
                    editId: item.id,
                    finish: options.finish && options.finish === 'on',
                    length: options.length,
                    settings,
                    output,
                  }
                : { what: 'clip', clipId: item.id, settings, output },
          );
          for (const note of written.notes) context.output.note(note);
          context.output.result('file', written, `${written.file} (${formatBytes(written.sizeBytes)})`);
        });
      }),
    );
};

/** A slash at the end, which says that it is a folder, stays. */
function absolutePlace(output: string): string {
  return /[/\\]$/.test(output) ? `${resolve(output)}${sep}` : resolve(output);
}

/**
 * A LoRA is made of a concept, a video of an edit or a clip: what else the reference names says what went
 * wrong.
 */
async function resolveFor(services: Services, reference: string, lora: boolean): Promise<ItemReference> {
  try {
    return await services.call['library.resolve']({ reference, kinds: lora ? ['concept'] : ['edit', 'clip'] });
  } catch (thrown) {
    if (!(thrown instanceof AppError && thrown.code === 'not-found')) throw thrown;
    await services.call['library.resolve']({ reference }); // throws for what is nothing at all
    if (lora) {
      throw new AppError('invalid-input', `${reference} is not a concept; only a concept can become a LoRA file.`, {
        hint: 'See motif concepts.',
      });
    }
    throw new AppError('invalid-input', `${reference} is a concept; as a file it needs --lora.`, {
      hint: `For a video make an edit first: motif edit ${reference} --prompt "..."`,
    });
  }
}

const dashed = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
