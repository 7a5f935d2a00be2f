import { dirname } from 'node:path';
import { toNumber } from '../../shared/domain/time.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { requireFreeSpace } from '../files/free-space.ts';
import { placeWhole } from '../files/place.ts';
import { openDecoder, passTimesThrough, withWorkingFolder } from './decode.ts';
import type { MediaTools } from './locate.ts';
import { playableFilters } from './picture-filters.ts';
import { bt709Tags } from './presets.ts';
import { fileArgument, inputRestrictions } from './probe.ts';
import type { Probe } from './probe-types.ts';
import { createProgressParser, type MediaProgress } from './progress.ts';
import { run } from './run.ts';
import { chooseSoundStream, soundFilters } from './sound.ts';

export interface ProxyRequest {
  /** `.mp4` is H.264, `.webm` VP8 for browsers built without H.264. */
  file: string;
  /** Of the shorter side. */
  maximumSide?: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: MediaProgress) => void) | undefined;
}

/** Few enough that the way from a key frame to any frame is decoded within a scrub's 50 ms. */
const framesPerKeyFrame = 6;
/** Measured upper bound at 540 lines. */
const bytesPerSecond = 1_000_000;

/**
 * Writes a small copy of a source that scrubs fast: same frames, same times, same sound, upright, square pixels, BT.709.
 * A player asks it for frame n at the same time as it would ask the source.
 */
export async function makeProxy(
  tools: MediaTools,
  probe: Probe,
  request: ProxyRequest,
): Promise<{ width: number; height: number }> {
  const decoder = await openDecoder(tools, probe);
  const isWebm = request.file.endsWith('.webm');
  const { encoders } = decoder.ffmpeg.capabilities;
  const encoder = isWebm
    ? 'libvpx'
    : ['libx264', 'libopenh264', 'h264_videotoolbox'].find((name) => encoders.has(name));
  if (!encoder || !encoders.has(encoder)) {
    throw new AppError('unsupported-media', `This ffmpeg has no encoder for ${isWebm ? 'VP8' : 'H.264'} proxies.`, {
      hint: 'Install an ffmpeg with libx264 or libvpx; until then the source itself is played.',
    });
  }
  const scale = Math.min(1, (request.maximumSide ?? 540) / Math.min(probe.width, probe.height));
  const even = (value: number) => Math.max(2, Math.round((value * scale) / 2) * 2);
  const size = { width: even(probe.width), height: even(probe.height) };
  const seconds = probe.endSeconds - probe.startSeconds;
  await requireFreeSpace(dirname(request.file), seconds * bytesPerSecond);
  const tags = bt709Tags(decoder.ffmpeg.capabilities);
  const filters = playableFilters(probe, { ...size, alpha: decoder.hasAlpha, mapColours: decoder.mapColours });
  const quality: Record<string, string[]> = {
    libx264: ['-preset', 'veryfast', '-tune', 'fastdecode', '-crf', '21', '-bf', '0'],
    libvpx: ['-deadline', 'realtime', '-cpu-used', '6', '-crf', '12', '-b:v', '6M', '-auto-alt-ref', '0'],
  };
  const sound = chooseSoundStream(probe.audio);
  // Times count from the file's start in the copy too, whichever of its streams are in it.
  const range = { fromSeconds: probe.hasTimes ? probe.fileStartSeconds : 0 };
  const inTime = `setpts=PTS-${range.fromSeconds.toFixed(6)}/TB`;
  const vorbis = encoders.has('libopus') ? 'libopus' : 'libvorbis';
  const args = [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-nostats', '-y', '-progress', 'pipe:1'],
    ...[...inputRestrictions, '-copyts', '-noautorotate', ...decoder.inputArguments, '-i', fileArgument(probe.path)],
    ...['-map', `0:${probe.streamIndex}`, '-vf', [inTime, ...filters, ...tags.filters].join(',')],
    ...passTimesThrough(decoder.ffmpeg),
    ...['-c:v', encoder, ...(quality[encoder] ?? ['-b:v', '8M']), '-g', String(framesPerKeyFrame), ...tags.arguments],
    ...(sound
      ? ['-map', `0:${sound.index}`, '-filter:a', soundFilters(sound, range), '-c:a', isWebm ? vorbis : 'aac']
      : []),
    ...['-map_metadata', '-1', '-map_chapters', '-1', '-dn', '-sn'],
    ...(isWebm ? ['-f', 'webm'] : ['-movflags', '+faststart', '-f', 'mp4']),
  ];
  const parse = createProgressParser({ frames: probe.frameCount, seconds: probe.frameCount / toNumber(probe.rate) });
  await placeWhole(request.file, (partial) =>
    withWorkingFolder(probe, async (cwd) => {
      const { exitCode, errorTail } = await run(decoder.ffmpeg.path, [...args, fileArgument(partial)], {
        cwd,
        background: true,
        signal: request.signal,
        onOutput: (chunk) => {
          for (const progress of parse(chunk.toString('utf8'))) request.onProgress?.(progress);
          return undefined;
        },
      });
      if (exitCode === 0) return;
      throw new AppError('unsupported-media', `No proxy of ${probe.path} could be made: ${errorTail.at(-1) ?? ''}`, {
        hint: 'The source itself is played instead.',
        details: { errorTail: errorTail.slice(-8) },
      });
    }),
  );
  return size;
}
