import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '../../shared/ipc/result.ts';
import { declaresEncryptedVideo } from './container-boxes.ts';
import type { MediaTools } from './locate.ts';
import { pictureRefusal } from './picture-files.ts';
import { type ProbeDocument, secondsOr } from './probe-document.ts';
import { packetLimit, requireReasonableLength, requireReasonablePicture } from './probe-limits.ts';
import { motionPictures, notAVideo, parseProbe, pickVideoStream, soundStreams } from './probe-parse.ts';
import type { AudioStream, Probe } from './probe-types.ts';
import { run } from './run.ts';

/**
 * Larger files are not read to the end for their packet times: the count is then the container's, the rate
 * the first minute's.
 */
const fullScanBytes = 512 * 2 ** 20;
const stallMilliseconds = 30_000;
/** Long enough for a second picture of anything that moves. */
const coverSearchSeconds = 20;

/**
 * What a file is, as a clip. Throws `not-found`, or `unsupported-media` with the reason: not a media file, no
 * video stream, a picture or text, a playlist, encrypted.
 */
export async function probe(tools: MediaTools, file: string, signal?: AbortSignal): Promise<Probe> {
  const path = resolve(file);
  const information = await stat(path).catch((cause) => {
    throw new AppError('not-found', `There is no file ${path}.`, { cause });
  });
  if (!information.isFile()) {
    const kind = information.isDirectory() ? 'a folder' : information.isFIFO() ? 'a pipe' : 'a device';
    throw new AppError('unsupported-media', `${path} is ${kind}, not a video file.`, { hint: 'Choose a video file.' });
  }
  if (information.size === 0) {
    throw new AppError('unsupported-media', 'The file is empty (0 bytes).', {
      hint: 'It was probably not copied or downloaded completely: fetch it again.',
    });
  }
  const picture = await pictureRefusal(path);
  if (picture) throw picture;
  const document = await ask(tools, path, ['-show_format', '-show_streams'], signal);
  const refusal = notAVideo(document);
  if (refusal) throw refusal;
  const candidates = motionPictures(document);
  const pictures = candidates.length > 1 ? await countPictures(tools, path, signal) : undefined;
  const stream = pickVideoStream(candidates, pictures);
  if (document.errors.some((line) => /\] Invalid mdhd time scale 0\b/.test(line)) && stream.time_base === '1/1') {
    throw new AppError(
      'unsupported-media',
      "The video's clock has no rate (time scale 0): there is no way to tell how fast it plays.",
      {
        hint: 'Export it again from the program that made it.',
      },
    );
  }
  const encrypted =
    stream.side_data_list?.some(({ side_data_type }) => /encryption/i.test(side_data_type ?? '')) ||
    (await declaresEncryptedVideo(path));
  if (encrypted) {
    throw new AppError('unsupported-media', 'The video is encrypted (copy-protected), so its frames cannot be read.', {
      hint: 'Use a copy without encryption.',
    });
  }
  requireReasonablePicture(stream);
  const limit = packetLimit(document);
  const isSmall = information.size <= fullScanBytes;
  const [packets, frames] = await Promise.all([
    ask(
      tools,
      path,
      [
        ...['-select_streams', String(stream.index), ...['-read_intervals', isSmall ? `%+#${limit + 1}` : '%+60']],
        ...['-show_packets', '-show_entries', 'packet=pts_time,dts_time,duration_time,flags'],
      ],
      signal,
    ),
    // A few decoded frames tell what headers do not: interlacing, colour, HDR metadata.
    ask(tools, path, ['-select_streams', String(stream.index), '-read_intervals', '%+#6', '-show_frames'], signal),
  ]);
  const listed = packets.packets ?? [];
  requireReasonableLength(document, listed.length);
  const made = parseProbe({
    path,
    sizeBytes: information.size,
    document,
    stream,
    videoCount: candidates.filter(({ index }) => (pictures?.get(index) ?? 0) > 1).length,
    packets: listed,
    packetsComplete: isSmall && listed.length <= limit,
    frames: frames.frames ?? [],
  });
  requireReasonablePicture(made);
  return made;
}

/** The sound streams of a file and what its clock says at its start, without reading it through. */
export async function probeSound(
  tools: MediaTools,
  path: string,
  signal?: AbortSignal,
): Promise<{ streams: AudioStream[]; fileStartSeconds: number }> {
  const document = await ask(tools, path, ['-show_format', '-show_streams'], signal);
  return { streams: soundStreams(document), fileStartSeconds: secondsOr(document.format?.start_time, 0) };
}

/** How many pictures each video stream begins with, up to a few: a cover has one. */
async function countPictures(
  tools: MediaTools,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Map<number, number>> {
  const { packets = [] } = await ask(
    tools,
    path,
    [
      ...['-select_streams', 'v', '-read_intervals', `%+${coverSearchSeconds}`],
      ...['-show_packets', '-show_entries', 'packet=stream_index'],
    ],
    signal,
  );
  const counts = new Map<number, number>();
  for (const { stream_index: index = -1 } of packets) counts.set(index, (counts.get(index) ?? 0) + 1);
  return counts;
}

/** An ffprobe that prints rubbish or fails part of the way still tells what it could read. */
async function ask(
  tools: MediaTools,
  path: string,
  what: string[],
  signal: AbortSignal | undefined,
): Promise<ProbeDocument> {
  const args = ['-v', 'error', '-print_format', 'json', ...inputRestrictions, ...what, fileArgument(path)];
  const { output, errorTail, exitCode } = await run(tools.ffprobe.path, args, { signal, stallMilliseconds });
  if (exitCode === null) {
    throw new AppError('unsupported-media', `ffprobe ${tools.ffprobe.version} crashed while reading the file.`, {
      hint: 'Install a newer ffmpeg (its folder in PATH, or FFPROBE_BIN), or convert the file to MP4 first.',
      details: { ffprobe: tools.ffprobe.path },
    });
  }
  try {
    return { ...(JSON.parse(output) as ProbeDocument), errors: errorTail };
  } catch {
    return { errors: errorTail }; // cut short: the caller sees no streams and says why
  }
}

/** A clip is a file: nothing that it names (playlists, references) may be opened over the network. */
export const inputRestrictions = ['-protocol_whitelist', 'file,pipe'];

/** With its protocol, so that a name such as `-x.mp4` or `http:a.mp4` is a name. */
export function fileArgument(path: string): string {
  return `file:${path}`;
}
