import { mkdir, open } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Clip, CropRectangle } from '../../shared/domain/clip.ts';
import { type Rational, toNumber } from '../../shared/domain/time.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { exists } from '../files/file-names.ts';
import { requireFreeSpace } from '../files/free-space.ts';
import { placeWhole } from '../files/place.ts';
import { type Decoder, type DecodeSummary, decode, openDecoder, showsTransparency } from './decode.ts';
import { createFrameSampler, samplesIn, usableFrameCount } from './frame-sampler.ts';
import { hashFile } from './hash.ts';
import { judgeDamage, remarks, tooShort, undecodable } from './import-remarks.ts';
import type { MediaTools } from './locate.ts';
import { nearestSize } from './picture-filters.ts';
import { probe as probeFile } from './probe.ts';
import type { Probe } from './probe-types.ts';
import { cancelled } from './run.ts';

export interface ImportRequest {
  file: string;
  /** Range of the source; all of it by default. */
  fromSeconds?: number | undefined;
  toSeconds?: number | undefined;
  crop?: CropRectangle | null | undefined;
  fit?: 'crop' | 'pad' | undefined;
  /** [width, height] pairs to choose from by shape. One pair is an order. */
  sizes: ReadonlyArray<readonly [number, number]>;
  rate: Rational;
  /** Frames come as 1 + k * temporalStride. */
  temporalStride: number;
  /** Fewer are refused. 1 is enough to learn looks. */
  minimumFrames?: number | undefined;
  /** More are left out. */
  maximumFrames?: number | undefined;
  /** Becomes the home of `frames.rgb`; made when it is not there. */
  outFolder: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: { framesDone: number; framesExpected: number }) => void) | undefined;
}

/** What a library adds its own names and dates to. */
export type ImportedClip = Pick<Clip, 'source' | 'fromSeconds' | 'toSeconds' | 'crop' | 'fit' | 'frames' | 'warnings'>;

/**
 * Decodes a clip to the model's frames, in `outFolder`/frames.rgb. Throws `not-found`, `invalid-input`
 * (range, crop), `unsupported-media` (no clip, encrypted, undecodable, too short), `out-of-space`,
 * `cancelled`; then nothing is left behind.
 */
export async function importClip(tools: MediaTools, request: ImportRequest): Promise<ImportedClip> {
  const { signal, fit = 'crop', crop = null, minimumFrames = 1 } = request;
  const probe = await probeFile(tools, request.file, signal);
  const decoder = await openDecoder(tools, probe);
  const range = chooseRange(probe, request.fromSeconds, request.toSeconds);
  const [width, height] = nearestSize(request.sizes, crop ?? probe);
  const rate = toNumber(request.rate);
  const expected = Math.min(
    request.maximumFrames ?? Number.POSITIVE_INFINITY,
    samplesIn(range.toSeconds - range.fromSeconds, rate),
  );
  if (expected < minimumFrames) throw tooShort(expected, minimumFrames, request.rate);
  const frameBytes = width * height * 3;
  const outFolder = resolve(request.outFolder);
  await requireFreeSpace(outFolder, expected * frameBytes);
  decoder.hasAlpha = decoder.hasAlpha && (await showsTransparency(probe, decoder, signal));

  const folderExists = await exists(outFolder);
  const target = folderExists ? join(outFolder, 'frames.rgb') : outFolder;
  return placeWhole(target, async (partial) => {
    const framesFile = folderExists ? partial : join(partial, 'frames.rgb');
    await mkdir(dirname(framesFile), { recursive: true });
    const [written, sha256] = await Promise.all([
      writeFrames({ probe, decoder, request, range, framesFile, width, height, fit, crop, expected }),
      hashFile(probe.path, signal).catch((error) => {
        throw signal?.aborted ? cancelled() : error;
      }),
    ]);
    const { frameCount, summary, lastSeconds } = written;
    if (frameCount === 0) throw undecodable(summary, probe);
    const brokeOff = written.samples < expected - 1 && lastSeconds + Math.max(0.5, probe.longestGap) < range.toSeconds;
    const damage = judgeDamage(probe, summary, {
      expectedFrames: written.expectedPackets,
      beginSeconds: written.startsLate ? written.firstSeconds : undefined,
      breakOffSeconds: brokeOff ? lastSeconds + probe.shortestGap : undefined,
    });
    if (damage.refuse) throw undecodable(summary, probe);
    if (frameCount < minimumFrames) throw tooShort(frameCount, minimumFrames, request.rate, damage.warning);
    const usedSeconds = frameCount / rate;
    return {
      source: {
        path: probe.path,
        name: basename(probe.path),
        sha256,
        sizeBytes: probe.sizeBytes,
        container: probe.container,
        codec: probe.codec,
        width: probe.width,
        height: probe.height,
        rate: probe.rate,
        frameCount: probe.frameCount,
        durationSeconds: probe.endSeconds - probe.startSeconds,
        hasAudio: probe.audio.length > 0,
      },
      fromSeconds: range.fromSeconds,
      toSeconds: Math.min(range.fromSeconds + usedSeconds, Math.max(range.toSeconds, range.fromSeconds + 1e-3)),
      crop,
      fit,
      frames: { file: join(outFolder, 'frames.rgb'), frameCount, width, height, rate: request.rate },
      warnings: [
        ...(damage.warning ? [damage.warning] : []),
        ...probe.warnings,
        ...decoder.warnings,
        ...remarks(probe, decoder, request, { width, height, frameCount, ...range }),
      ],
    };
  });
}

interface Range {
  fromSeconds: number;
  toSeconds: number;
}

function chooseRange(probe: Probe, from: number | undefined, to: number | undefined): Range {
  const fromSeconds = from ?? probe.startSeconds;
  const toSeconds = Math.min(to ?? probe.endSeconds, probe.endSeconds);
  const end = probe.endSeconds.toFixed(2);
  if (!(probe.endSeconds > probe.startSeconds)) {
    throw new AppError(
      'unsupported-media',
      'The video has no length: its timestamps say that it ends where it starts.',
      {
        hint: 'Export it again from the program that made it.',
      },
    );
  }
  if (!(fromSeconds >= 0) || fromSeconds >= probe.endSeconds) {
    throw new AppError('invalid-input', `The range starts at ${fromSeconds} s, but the clip ends at ${end} s.`, {
      hint: `Choose a start between 0 and ${end}.`,
    });
  }
  if (to !== undefined && !(to > fromSeconds)) {
    throw new AppError('invalid-input', `The range ends at ${to} s, before it starts at ${fromSeconds} s.`, {
      hint: 'Give a later end.',
    });
  }
  return { fromSeconds, toSeconds };
}

interface WriteJob {
  probe: Probe;
  decoder: Decoder;
  request: ImportRequest;
  range: Range;
  framesFile: string;
  width: number;
  height: number;
  fit: 'crop' | 'pad';
  crop: CropRectangle | null;
  expected: number;
}

/**
 * Writes the sampled frames, cut to a usable count. `expectedPackets`: how many frames the decoded part
 * should have had.
 */
async function writeFrames(job: WriteJob): Promise<{
  frameCount: number;
  /** Before the cut. */
  samples: number;
  firstSeconds: number;
  /** What was on screen where the range begins could not be decoded. */
  startsLate: boolean;
  lastSeconds: number;
  expectedPackets: number | undefined;
  summary: DecodeSummary;
}> {
  const { probe, request, range, width, height, expected } = job;
  const frameBytes = width * height * 3;
  const rate = toNumber(request.rate);
  const sampler = createFrameSampler({
    startSeconds: range.fromSeconds,
    rate,
    sourceGap: probe.shortestGap,
    maximum: expected,
  });
  const file = await open(job.framesFile, 'w');
  let written = 0;
  let previous: Uint8Array | undefined;
  let firstSeconds = Number.NaN;
  let lastSeconds = Number.NaN;
  const write = async (times: number) => {
    for (let count = 0; count < times && previous; count++) {
      await file.write(previous, 0, frameBytes, written * frameBytes);
      written++;
    }
    if (times > 0) request.onProgress?.({ framesDone: written, framesExpected: expected });
  };
  try {
    const summary = await decode(probe, job.decoder, {
      ...range,
      picture: { width, height, fit: job.fit, crop: job.crop },
      signal: request.signal,
      onFrame: async (rgb, seconds) => {
        await write(sampler.next(seconds));
        if (Number.isNaN(firstSeconds)) firstSeconds = seconds;
        lastSeconds = seconds;
        previous = rgb;
        return written < expected;
      },
    });
    // The last frame stays on screen to the end of what was asked for, or of its own time where the file
    // breaks off.
    const ownTime = Math.max(probe.shortestGap, Math.min(probe.longestGap, probe.endSeconds - lastSeconds));
    await write(sampler.end(Math.min(range.toSeconds, lastSeconds + ownTime)));
    const frameCount = usableFrameCount(written, request.temporalStride);
    await file.truncate(frameCount * frameBytes);
    await file.sync();
    const tolerance = probe.shortestGap / 4;
    const times = probe.frameTimes ?? [];
    const firstDue = times.findLast((time) => time <= range.fromSeconds + tolerance) ?? times[0] ?? firstSeconds;
    const expectedPackets = probe.frameTimes?.filter(
      (time) => time >= firstDue - 1e-3 && time <= (written < expected ? range.toSeconds : lastSeconds + 1e-3),
    ).length;
    const startsLate = firstSeconds > firstDue + tolerance;
    return { frameCount, samples: written, firstSeconds, startsLate, lastSeconds, expectedPackets, summary };
  } finally {
    await file.close();
  }
}
