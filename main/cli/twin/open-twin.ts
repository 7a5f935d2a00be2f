import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import type { EngineEvent } from '../../../shared/domain/engine.ts';
import { type ExportPreset, exportSettings } from '../../../shared/domain/export.ts';
import type { Rational } from '../../../shared/domain/time.ts';
import { type TwinInfo, twinSizes } from '../../../shared/domain/twin.ts';
import { exportFrames } from '../../media/export.ts';
import { importClip } from '../../media/import.ts';
import type { Services } from '../../services/services.ts';
import { defaultTwin } from '../../services/twins.ts';
import type { CommandContext } from '../context.ts';
import { parseExportSize, parseRate, parseSeconds } from '../options.ts';

/** What commands of the autoencoder with two latents share. */
export interface TwinOptions {
  twin?: string;
}

export interface ClipOptions extends TwinOptions {
  from?: number;
  to?: number;
  size?: { width: number; height: number } | 'source';
  rate?: Rational | 'source';
}

export function addTwinOption(command: Command): Command {
  return command.option(
    '--twin <folder>',
    'another network than the one that comes with the program, or that MOTIF_TWIN names',
  );
}

export function addClipOptions(command: Command): Command {
  return addTwinOption(command)
    .option('--from <time>', 'where the range to take starts, such as 2.0 or 1:02.5', parseSeconds)
    .option('--to <time>', 'where it ends', parseSeconds)
    .option(
      '--size <wxh|source>',
      "the size to work at (default: the clip's shape in about as many pixels as the network was trained on)",
      parseExportSize,
    )
    .option('--rate <r|source>', 'frames a second (default: those that the network was trained on)', parseRate);
}

export function twinFolder(services: Services, { twin }: TwinOptions): string {
  return twin === undefined ? defaultTwin(services.resources) : resolve(twin);
}

/** Hears of Ctrl-C, and shows progress. */
export function listening({ output, signal }: CommandContext, title: string) {
  return {
    signal,
    onEvent(event: EngineEvent) {
      if (event.type === 'progress') output.progress(title, event.progress);
    },
  };
}

/** A folder for frames that are deleted when the work ends, however it ends. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'motif-twin-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A video file as the network sees it. Throws what importing throws; the file's remarks become warnings. */
export async function framesOf(
  context: CommandContext,
  services: Services,
  info: TwinInfo,
  file: string,
  folder: string,
  { from, to, size, rate }: ClipOptions,
): Promise<RawFrames> {
  const tools = await services.tools();
  const { source, frames, warnings } = await importClip(tools, {
    file: resolve(file),
    fromSeconds: from,
    toSeconds: to,
    sizes: size && size !== 'source' ? [[size.width, size.height]] : twinSizes(info),
    rate: rate && rate !== 'source' ? rate : info.rate,
    temporalStride: 1,
    outFolder: join(folder, 'small'),
    signal: context.signal,
    onProgress: ({ framesDone, framesExpected }) =>
      context.output.progress(file, {
        phase: 'reading',
        done: framesDone,
        total: framesExpected,
        unit: 'frames',
        perSecond: null,
        etaSeconds: null,
      }),
  });
  for (const warning of warnings) context.output.warning(`${file}: ${warning}`);
  if (size !== 'source' && rate !== 'source') return frames;
  // The source's own size and rate are known now.
  const again = await importClip(tools, {
    file: resolve(file),
    fromSeconds: from,
    toSeconds: to,
    sizes: [size === 'source' ? [source.width, source.height] : [frames.width, frames.height]],
    rate: rate === 'source' ? source.rate : frames.rate,
    temporalStride: 1,
    outFolder: join(folder, 'own'),
    signal: context.signal,
  });
  return again.frames;
}

/** Raw frames as a video file. Answers where it is: the preset says the file's ending. */
export async function writeVideo(
  context: CommandContext,
  services: Services,
  frames: RawFrames,
  target: string,
  { preset, overwrite }: { preset?: ExportPreset; overwrite?: boolean },
) {
  const settings = exportSettings.parse({ preset, overwrite: overwrite ? 'replace' : 'refuse' });
  const written = await exportFrames(await services.tools(), {
    frames,
    settings,
    target: resolve(target),
    signal: context.signal,
  });
  for (const warning of written.warnings) context.output.warning(warning);
  return written;
}
