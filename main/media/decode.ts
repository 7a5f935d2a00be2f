import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../shared/ipc/result.ts';
import type { Ffmpeg, MediaTools } from './locate.ts';
import { ffmpegFor } from './locate.ts';
import { cubeName, type PicturePlan, pictureFilters } from './picture-filters.ts';
import { fileArgument, inputRestrictions } from './probe.ts';
import type { Probe } from './probe-types.ts';
import { run } from './run.ts';
import { colourMapFor, cubeFile } from './tone-map.ts';

export interface DecodeRequest {
  fromSeconds: number;
  toSeconds: number;
  picture: Omit<PicturePlan, 'alpha' | 'mapColours'>;
  /** Only the nearest key frames, which come at once however long the way to the exact frame is. */
  keyFramesOnly?: boolean;
  signal?: AbortSignal | undefined;
  /** rgb is width * height * 3 bytes, the receiver's to keep. `false` ends the run: the rest is not wanted. */
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
  if (mapColours && hasAlpha) hasAlpha = false;
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

/** How much earlier to begin, so that the frame on screen at `fromSeconds` is among the decoded. */
function lead(probe: Probe): number {
  return Math.max(0.5, probe.longestGap + 0.05);
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
  const { width, height } = request.picture;
  const filters = pictureFilters(probe, {
    ...request.picture,
    alpha: decoder.hasAlpha,
    mapColours: decoder.mapColours,
  });
  const { numerator, denominator } = probe.rate;
  const wantedSeek = Math.max(0, request.fromSeconds - (request.keyFramesOnly ? 0 : lead(probe)));
  const seek = probe.hasTimes ? wantedSeek : 0; // without times there is nothing to seek by
  const args = [
    ...['-hide_banner', '-nostdin', '-loglevel', 'repeat+level+info', '-nostats', ...inputRestrictions],
    ...['-noautorotate', ...decoder.inputArguments],
    ...(request.keyFramesOnly ? ['-skip_frame', 'nokey', '-noaccurate_seek'] : []),
    ...(probe.hasTimes ? [] : ['-r', `${numerator}/${denominator}`]),
    ...(seek > 0 ? ['-ss', seek.toFixed(6)] : []),
    ...['-t', (request.toSeconds - seek + 0.5).toFixed(6), '-i', fileArgument(probe.path)],
    ...['-map', `0:${probe.streamIndex}`, '-vf', [...filters, 'showinfo'].join(',')],
    ...[...passTimesThrough(decoder.ffmpeg), '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
  ];
  const frameBytes = width * height * 3;
  const times: number[] = [];
  const waiting: Buffer[] = [];
  let partial: Buffer | undefined;
  let filled = 0;
  let frames = 0;
  let errors = 0;

  /** Hands over the pictures whose time is known: the two come by different pipes. */
  const deliver = async (all: boolean): Promise<boolean> => {
    while (waiting.length > 0 && (times.length > frames || all)) {
      const seconds = times[frames] ?? (times.at(-1) ?? seek) + (frames - times.length + 1) * probe.shortestGap;
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
        if (line.includes('showinfo')) {
          const time = /\bn: *\d+ .*\bpts_time:(\S+)/.exec(line)?.[1];
          const last = times.at(-1) ?? seek - probe.shortestGap;
          if (time !== undefined)
            times.push(Number.isFinite(Number(time)) ? Number(time) + seek : last + probe.shortestGap);
        } else if (/\[(error|fatal|panic)\]/.test(line)) errors++;
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
  return {
    frames,
    errors,
    errorTail: result.errorTail.filter((line) => !line.includes('showinfo')),
    exitCode: result.exitCode,
  };
}
