import type { ExportPreset } from '../../shared/domain/export.ts';
import { AppError } from '../../shared/ipc/result.ts';
import type { Ffmpeg, MediaTools } from './locate.ts';
import { ffmpegFor } from './locate.ts';
import { encodeFilters } from './picture-filters.ts';
import { type EncoderChoice, presets } from './presets.ts';
import { run } from './run.ts';

export interface ChosenEncoder {
  ffmpeg: Ffmpeg;
  choice: EncoderChoice;
}

/** Hardware encoders that answered a trial encode in this process, by program, encoder and size; a trial takes up to a second. */
export type EncoderTrials = Map<string, Promise<boolean>>;

/**
 * The ways of encoding a preset, best first: hardware that passes a trial encode at this very size (drivers are missing or
 * refuse small pictures more often than not), then software. Of deep pictures those first that keep them deep. Throws `unsupported-media` when there is none.
 */
export async function encoderChoices(
  tools: MediaTools,
  name: ExportPreset,
  size: { width: number; height: number },
  options: {
    hardware: boolean;
    isDeep?: boolean | undefined;
    trials?: EncoderTrials | undefined;
    signal?: AbortSignal | undefined;
  },
): Promise<ChosenEncoder[]> {
  const preset = presets[name];
  const ffmpeg = await ffmpegFor(tools, ({ encoders }) =>
    preset.choices.some(({ encoder, hardware }) => !hardware && encoders.has(encoder)),
  );
  const found: ChosenEncoder[] = [];
  for (const choice of preset.choices) {
    if (choice.hardware) {
      if (!options.hardware || !tools.ffmpeg.capabilities.encoders.has(choice.encoder)) continue;
      if (await works(tools.ffmpeg, choice, preset.defaultQuality, size, options)) {
        found.push({ ffmpeg: tools.ffmpeg, choice });
      }
    } else if (ffmpeg?.capabilities.encoders.has(choice.encoder)) found.push({ ffmpeg, choice });
  }
  const keepsDepth = ({ choice }: ChosenEncoder) => Number(choice.deepFormat !== undefined);
  if (options.isDeep) found.sort((a, b) => keepsDepth(b) - keepsDepth(a));
  if (found.length > 0) return found;
  const wanted = preset.choices.map(({ encoder }) => encoder).join(', ');
  throw new AppError('unsupported-media', `ffmpeg ${tools.ffmpeg.capabilities.version} has no ${name} encoder.`, {
    hint: `Choose another preset, or install an ffmpeg with one of ${wanted}.`,
  });
}

async function works(
  ffmpeg: Ffmpeg,
  choice: EncoderChoice,
  quality: number,
  size: { width: number; height: number },
  options: { trials?: EncoderTrials | undefined; signal?: AbortSignal | undefined },
): Promise<boolean> {
  const key = `${ffmpeg.path} ${choice.encoder} ${size.width}x${size.height}`;
  const known = options.trials?.get(key);
  if (known) return known;
  const trial = tryEncode(ffmpeg, choice, quality, size, options.signal);
  options.trials?.set(key, trial);
  trial.catch(() => options.trials?.delete(key)); // cancelled: tells nothing about the encoder
  return trial;
}

async function tryEncode(
  ffmpeg: Ffmpeg,
  choice: EncoderChoice,
  quality: number,
  size: { width: number; height: number },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const frames = 5;
  const args = [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-f', 'lavfi'],
    ...['-i', `color=gray:size=${size.width}x${size.height}:rate=16`, '-frames:v', String(frames)],
    ...['-vf', encodeFilters(true, choice.pixelFormat, size).join(',')],
    ...['-c:v', choice.encoder, ...choice.arguments(quality), '-progress', 'pipe:1', '-f', 'null', '-'],
  ];
  const { exitCode, output } = await run(ffmpeg.path, args, { signal, stallMilliseconds: 8000 }).catch((error) => {
    if (signal?.aborted) throw error;
    return { exitCode: 1, output: '' };
  });
  const written = Number([...output.matchAll(/^frame=\s*(\d+)/gm)].at(-1)?.[1]);
  return exitCode === 0 && written === frames;
}
