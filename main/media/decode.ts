import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../shared/ipc/result.ts';
import { readLogLine } from './decode-log.ts';
import type { Ffmpeg, MediaTools } from './locate.ts';
import { ffmpegFor } from './locate.ts';
import { cubeName, type PicturePlan, pictureFilters, rgbFormat } from './picture-filters.ts';
import { fileArgument, inputRestrictions } from './probe.ts';
import type { Probe } from './probe-types.ts';
import { run } from './run.ts';
import { type DecodePlan, planDecode, seekAttempts } from './seek.ts';
import { colourMapFor, cubeFile } from './tone-map.ts';

export interface DecodeRequest {
  fromSeconds: number;
  toSeconds: number;
  picture: Omit<PicturePlan, 'alpha' | 'mapColours'>;
  /** Only the nearest key frames, which come at once however long the way to the exact frame is. */
  keyFramesOnly?: boolean;
  signal?: AbortSignal | undefined;
  /** rgb is width * height * 3 values of 8 bits, or of 16 where the picture is to be deep, the receiver's to keep. `false` ends the run: the rest is not wanted. */
  onFrame: (rgb: Uint8Array, seconds: number) => Promise<boolean | undefined> | boolean | undefined;
}

export interface DecodeSummary {
  frames: number;
  /** Complaints of demuxer and decoder. */
  errors: number;
  errorTail: string[];
  exitCode: number | null;
}

/** Everything that reading a source's pictures needs; made by `openDecoder`. */
export interface Decoder {
  ffmpeg: Ffmpeg;
  /** Goes before the input file. */
  inputArguments: string[];
  hasAlpha: boolean;
  mapColours: boolean;
  warnings: string[];
}

/** Decoders that see what ffmpeg's own do not: the transparency of VP8 and VP9. */
const alphaDecoders: Record<string, string> = { vp8: 'libvpx', vp9: 'libvpx-vp9' };

/** Chooses how to decode. Throws `unsupported-media` when no ffmpeg found here can, with what to install. */
export async function openDecoder(tools: MediaTools, probe: Probe): Promise<Decoder> {
  const ffmpeg = await ffmpegFor(tools, ({ decodableCodecs }) => decodableCodecs.has(probe.codec));
  if (!ffmpeg) {
    const { version } = tools.ffmpeg.capabilities;
    throw new AppError('unsupported-media', `ffmpeg ${version} cannot decode ${probe.codec.toUpperCase()} video.`, {
      hint: `Install a newer ffmpeg${probe.codec === 'av1' ? ' with libdav1d' : ''} (its folder in PATH, or FFMPEG_BIN), or convert the file to H.264 first.`,
      details: { ffmpeg: tools.ffmpeg.path },
    });
  }
  const warnings: string[] = [];
  const inputArguments: string[] = [];
  let hasAlpha = probe.hasAlpha;
  const alphaDecoder = alphaDecoders[probe.codec];
  if (hasAlpha && alphaDecoder) {
    if (ffmpeg.capabilities.decoders.has(alphaDecoder)) inputArguments.push('-c:v', alphaDecoder);
    else {
      hasAlpha = false;
      warnings.push(`The transparency is ignored: this ffmpeg lacks the decoder ${alphaDecoder}.`);
    }
  }
  const mapColours = colourMapFor(probe.colour) !== undefined;
  return { ffmpeg, inputArguments, hasAlpha, mapColours, warnings };
}

/** The option by which ffmpeg neither repeats nor drops frames; `-vsync` was renamed in 5.1 and later removed. */
export function passTimesThrough({ capabilities }: Ffmpeg): string[] {
  const [major, minor] = capabilities.libavutil;
  return [major > 57 || (major === 57 && minor >= 28) ? '-fps_mode' : '-vsync', 'passthrough'];
}

/**
 * Whether the first pictures are transparent anywhere. Formats with room for transparency (GIF) mostly do not use it.
 */
export async function showsTransparency(probe: Probe, decoder: Decoder, signal?: AbortSignal): Promise<boolean> {
  if (!decoder.hasAlpha) return false;
  let least = 255;
  await run(
    decoder.ffmpeg.path,
    [
      ...['-hide_banner', '-nostdin', '-loglevel', 'error', ...inputRestrictions, ...decoder.inputArguments],
      ...['-i', fileArgument(probe.path), '-map', `0:${probe.streamIndex}`, '-frames:v', '12'],
      ...['-vf', 'scale=w=min(iw\\,320):h=-2:flags=neighbor,format=rgba,extractplanes=a'],
      ...['-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'],
    ],
    {
      signal,
      onOutput: (chunk) => {
        for (const value of chunk) if (value < least) least = value;
        return undefined;
      },
    },
  );
  return least < 250;
}

/** Calls `use` with a folder that holds the colour map under `cubeName` (when one is needed), and removes the folder. */
export async function withWorkingFolder<T>(probe: Probe, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'motif-'));
  try {
    const map = colourMapFor(probe.colour);
    if (map) await writeFile(join(folder, cubeName), cubeFile(map));
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Decodes a range and hands over each picture with its time, in display order. Frames before `fromSeconds` may come too:
 * the last of them is on screen then. Says how many frames and complaints there were; never throws for damage.
 */
export async function decode(probe: Probe, decoder: Decoder, request: DecodeRequest): Promise<DecodeSummary> {
  for (let attempt = 0; ; attempt++) {
    const plan = planDecode(probe, request.fromSeconds, attempt, request.keyFramesOnly);
    const isLast = plan.seek === undefined || attempt === seekAttempts - 1;
    const summary = await decodeFrom(probe, decoder, request, plan, isLast);
    if (summary !== 'missed') return summary;
  }
}

/** One run of ffmpeg. 'missed': nothing was handed over, since the first picture comes too late and an earlier seek may find it. */
async function decodeFrom(
  probe: Probe,
  decoder: Decoder,
  request: DecodeRequest,
  plan: DecodePlan,
  takeAnything: boolean,
): Promise<DecodeSummary | 'missed'> {
  const { width, height } = request.picture;
  const filters = pictureFilters(probe, {
    ...request.picture,
    alpha: decoder.hasAlpha,
    mapColours: decoder.mapColours,
  });
  const { numerator, denominator } = probe.rate;
  const fileStart = probe.hasTimes ? probe.fileStartSeconds : 0; // without times ffmpeg counts from 0
  const end = (request.toSeconds + fileStart + 0.5).toFixed(6);
  const start = plan.trimStart === undefined ? '' : `start=${plan.trimStart.toFixed(6)}:`;
  const args = [
    ...['-hide_banner', '-nostdin', '-loglevel', 'repeat+level+info', '-nostats', ...inputRestrictions],
    // One clock, the file's: what ffmpeg counts from otherwise depends on container, version and what is mapped.
    ...['-copyts', '-noautorotate', ...decoder.inputArguments],
    ...(request.keyFramesOnly ? ['-skip_frame', 'nokey'] : []),
    ...(probe.hasTimes ? [] : ['-r', `${numerator}/${denominator}`]),
    ...(plan.seek === undefined ? [] : ['-noaccurate_seek', '-seek_timestamp', '1', '-ss', plan.seek.toFixed(6)]),
    ...['-i', fileArgument(probe.path), '-map', `0:${probe.streamIndex}`],
    ...['-vf', [`trim=${start}end=${end}`, ...filters, 'showinfo'].join(',')],
    ...[...passTimesThrough(decoder.ffmpeg), '-f', 'rawvideo', '-pix_fmt', rgbFormat(request.picture.isDeep), 'pipe:1'],
  ];
  const frameBytes = width * height * (request.picture.isDeep ? 6 : 3);
  const times: number[] = [];
  const waiting: Buffer[] = [];
  let partial: Buffer | undefined;
  let filled = 0;
  let frames = 0;
  let errors = 0;
  let missed = false;
  // Pictures between the key frame and its first followers refer to what was not read: no damage.
  const startsInside = plan.seek !== undefined || !probe.startsWhole;

  /** Hands over the pictures whose time is known: the two come by different pipes. */
  const deliver = async (all: boolean): Promise<boolean> => {
    while (waiting.length > 0 && (times.length > frames || all)) {
      const seconds =
        times[frames] ?? (times.at(-1) ?? request.fromSeconds) + (frames - times.length + 1) * probe.shortestGap;
      missed = frames === 0 && !takeAnything && !request.keyFramesOnly && seconds + fileStart > plan.firstBy;
      if (missed) return false;
      frames++;
      if ((await request.onFrame(waiting.shift()!, seconds)) === false) return false;
    }
    return true;
  };
  let wanted = true;
  const result = await withWorkingFolder(probe, (cwd) =>
    run(decoder.ffmpeg.path, args, {
      cwd,
      signal: request.signal,
      onErrorLine: (line) => {
        const said = readLogLine(line);
        if (said?.kind === 'picture') {
          const last = times.at(-1) ?? probe.startSeconds - probe.shortestGap;
          times.push(said.seconds === undefined ? last + probe.shortestGap : said.seconds - fileStart);
        } else if (said && (times.length > 0 || !startsInside)) errors++;
      },
      onOutput: async (chunk) => {
        for (let at = 0; at < chunk.length; ) {
          partial ??= Buffer.allocUnsafe(frameBytes);
          const taken = chunk.copy(partial, filled, at, Math.min(chunk.length, at + frameBytes - filled));
          at += taken;
          filled += taken;
          if (filled < frameBytes) continue;
          waiting.push(partial);
          partial = undefined;
          filled = 0;
        }
        wanted = await deliver(false);
        return wanted;
      },
    }),
  );
  if (wanted) await deliver(true);
  if (missed || (frames === 0 && !takeAnything)) return 'missed';
  return {
    frames,
    errors,
    errorTail: result.errorTail.filter((line) => readLogLine(line)?.kind !== 'picture'),
    exitCode: result.exitCode,
  };
}
