import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { Brush } from '../../shared/domain/brush.ts';
import type { Clip, RawFrames } from '../../shared/domain/clip.ts';
import type { Recolour } from '../../shared/domain/colour-words.ts';
import { coversFile } from '../../shared/domain/edit.ts';
import type { ExportLength } from '../../shared/domain/export.ts';
import { type Rational, toNumber } from '../../shared/domain/time.ts';
import type { SmallClip } from '../../shared/finish/change.ts';
import { placementOf } from '../../shared/finish/placement.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { decode, openDecoder } from './decode.ts';
import type { FinishJob, PictureToFinish } from './finish-thread.ts';
import { createFrameSampler, samplesIn } from './frame-sampler.ts';
import type { MediaTools } from './locate.ts';
import { probe as probeFile } from './probe.ts';
import { steadyRate } from './probe-rate.ts';
import type { Probe } from './probe-types.ts';
import { sourceFile } from './source-file.ts';
import { timecodeAfter } from './timecode.ts';

/** An edit, the clip that it is of, and how the two become one. */
export interface FinishRequest {
  clip: Pick<Clip, 'source' | 'fromSeconds' | 'toSeconds' | 'crop' | 'fit' | 'frames' | 'createdAt'>;
  /** Absolute files: the edit, and the clip as it comes out of the autoencoder. */
  edited: RawFrames;
  base: RawFrames;
  keepDetail: number;
  amount?: number | undefined;
  colour?: number | undefined;
  lock?: boolean | undefined;
  recolour?: Recolour | null | undefined;
  brush?: Brush | undefined;
  /** Default: range. */
  length?: ExportLength | undefined;
}

/**
 * Pictures that are made while they are written: nothing is kept but a few of them, however long the clip is.
 */
export interface PictureStream {
  width: number;
  height: number;
  frameCount: number;
  rate: Rational;
  /** Where the pictures begin in their source. */
  fromSeconds: number;
  /** Of the first picture, where the source has timecodes. */
  timecode: string | null;
  /** What whoever exports them should know. */
  notes: string[];
  /** Whether the source has more than 8 bits. */
  isDeep: boolean;
  /**
   * Makes pictures of about `size` (never larger than the source) at `rate` and hands over each: RGB [height,
   * width, 3] of 8 bits, or of 16 (little-endian) where `isDeep` says so.
   */
  write(
    wanted: { width: number; height: number; rate: Rational; frameCount: number; isDeep?: boolean | undefined },
    put: (rgb: Uint8Array) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** The size that `write` makes for a wanted one, of the source's shape. */
  sizeFor(wanted: { width: number; height: number }): { width: number; height: number };
}

/** Beside this file, as its source or bundled. */
const threadFile = new URL(`./finish-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

/** So many pictures are finished while the next ones are decoded and encoded. */
const inFlight = 2;

/**
 * The clip's own pictures with the edit's change made to them, at the source's size and rate, over the range
 * of the edit or all of the file. Throws `not-found` when the clip's file or the edit's frames are gone, `conflict` when
 * another file is in the clip's place, `damaged-file` for frames that are not as described.
 */
export async function finishedPictures(
  tools: MediaTools,
  request: FinishRequest,
  signal?: AbortSignal,
): Promise<PictureStream> {
  const { clip, edited } = request;
  const path = await sourceFile(clip, 'finishing', "export the model's own frames", signal);
  const probe = await probeFile(tools, path, signal);
  const shown = clip.crop ?? probe;
  const whole = { width: shown.width, height: shown.height };
  const isWhole = request.length === 'source';
  const fromSeconds = isWhole ? probe.startSeconds : clip.fromSeconds;
  const { frameCount: seen, rate: seenRate } = coversFile(edited, clip) ? clip.frames : edited;
  const toSeconds = isWhole ? probe.endSeconds : clip.fromSeconds + seen / toNumber(seenRate);
  const range = { fromSeconds, toSeconds };
  const rate = steadyRate(probe);
  // A quarter of a frame is what clocks are off by, not a picture more.
  const frameCount = Math.max(1, samplesIn(toSeconds - fromSeconds - 1 / toNumber(rate) / 4, toNumber(rate)));
  const sizeFor = (wanted: { width: number; height: number }) => {
    const scale = Math.min(1, Math.max(wanted.width / whole.width, wanted.height / whole.height));
    return {
      width: Math.max(1, Math.round(whole.width * scale)),
      height: Math.max(1, Math.round(whole.height * scale)),
    };
  };
  return {
    ...whole,
    frameCount,
    rate,
    fromSeconds,
    timecode: timecodeAfter(probe.timecode ?? '', fromSeconds - probe.startSeconds, probe.rate),
    notes:
      rate === probe.rate
        ? []
        : [
            `The clip's frame rate varies (${+toNumber(probe.rate).toFixed(2)} on average): ${+toNumber(rate).toFixed(3)} frames per second show nearly all of its frames.`,
          ],
    isDeep: probe.bitDepth > 8,
    sizeFor,
    async write(wanted, put, signal) {
      const size = sizeFor(wanted);
      const thread = await startThread(request, size, wanted.isDeep ?? false);
      try {
        await stream({ tools, probe, request, range, size, wanted, signal }, thread, put);
      } finally {
        await thread.end();
      }
    },
  };
}

interface StreamJob {
  tools: MediaTools;
  probe: Probe;
  request: FinishRequest;
  range: { fromSeconds: number; toSeconds: number };
  size: { width: number; height: number };
  wanted: { rate: Rational; frameCount: number; isDeep?: boolean | undefined };
  signal: AbortSignal | undefined;
}

async function stream(job: StreamJob, thread: FinishThread, put: (rgb: Uint8Array) => Promise<void>): Promise<void> {
  const { probe, range, size, wanted, signal } = job;
  const { clip, edited } = job.request;
  const editedFrom = coversFile(edited, clip) ? probe.startSeconds : clip.fromSeconds;
  const decoder = await openDecoder(job.tools, probe);
  const sampler = createFrameSampler({
    startSeconds: range.fromSeconds,
    rate: toNumber(wanted.rate),
    sourceGap: probe.shortestGap,
    maximum: wanted.frameCount,
  });
  const waiting: { finished: Promise<Uint8Array>; times: number }[] = [];
  let written = 0;
  let taken = 0;
  const putOldest = async () => {
    const { finished, times } = waiting.shift()!;
    const rgb = await finished;
    for (let time = 0; time < times; time++) await put(rgb);
    written += times;
  };
  let previous: PictureToFinish | undefined;
  /** The picture before the one that has just come stays on screen for so many of those wanted. */
  const show = async (times: number) => {
    const count = Math.min(times, wanted.frameCount - taken);
    if (count <= 0 || !previous) return;
    waiting.push({ finished: thread.finish(previous), times: count });
    taken += count;
    if (waiting.length > inFlight) await putOldest();
  };
  await decode(probe, decoder, {
    ...range,
    picture: { ...size, crop: clip.crop, fit: 'crop', isDeep: wanted.isDeep },
    signal,
    onFrame: async (rgb, seconds) => {
      await show(sampler.next(seconds));
      previous = {
        rgb: rgb as Uint8Array<ArrayBuffer>,
        time: (Math.max(seconds, range.fromSeconds) - editedFrom) * toNumber(edited.rate),
      };
      return taken < wanted.frameCount;
    },
  });
  // The last picture stays on screen to the end.
  await show(wanted.frameCount - taken);
  while (waiting.length > 0) await putOldest();
  if (written === 0) {
    throw new AppError(
      'unsupported-media',
      `No frame of ${clip.source.name} could be decoded in the range of the edit.`,
      {
        hint: 'The file may have been changed since it was imported: import it again.',
      },
    );
  }
}

interface FinishThread {
  /** The picture's memory goes to the thread. */
  finish(picture: PictureToFinish): Promise<Uint8Array>;
  end(): Promise<void>;
}

async function startThread(
  { clip, base, edited, keepDetail, amount, colour, lock, recolour, brush, length }: FinishRequest,
  size: { width: number; height: number },
  isDeep: boolean,
): Promise<FinishThread> {
  const job: FinishJob = {
    base: await readSmallClip(base),
    edited: await readSmallClip(edited),
    keepDetail,
    amount,
    colour,
    lock,
    recolour,
    brush,
    carried: length === 'source' && !coversFile(edited, clip),
    placement: placementOf(size, edited, clip.fit),
    isDeep,
    ...size,
  };
  const worker = new Worker(threadFile, { workerData: job, execArgv: [] });
  const asked: { resolve(rgb: Uint8Array): void; reject(error: Error): void }[] = [];
  let broken: Error | undefined;
  const fail = (error: Error) => {
    broken ??= error;
    for (const { reject } of asked.splice(0)) reject(broken);
  };
  worker.on('message', (rgb: Uint8Array) => asked.shift()?.resolve(rgb));
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the thread that finishes pictures has ended')));
  return {
    finish(picture) {
      const finished = new Promise<Uint8Array>((resolve, reject) => {
        if (broken) reject(broken);
        else asked.push({ resolve, reject });
      });
      finished.catch(() => {}); // told by whoever waits for it, who may have gone
      // Small pictures may lie in memory that others share.
      const { buffer, byteLength } = picture.rgb;
      const rgb = buffer.byteLength === byteLength ? picture.rgb : new Uint8Array(picture.rgb);
      worker.postMessage({ ...picture, rgb }, [rgb.buffer]);
      return finished;
    },
    async end() {
      await worker.terminate();
    },
  };
}

async function readSmallClip({ file, frameCount, width, height }: RawFrames): Promise<SmallClip> {
  const data = await readFile(file).catch((cause) => {
    throw new AppError('not-found', `The frames ${file} are gone.`, { hint: 'Render the edit again.', cause });
  });
  const expected = frameCount * width * height * 3;
  if (data.length === expected) return { data: new Uint8Array(data), frameCount, width, height };
  throw new AppError('damaged-file', `The frames ${file} should have ${expected} bytes and have ${data.length}.`, {
    hint: 'Render the edit again.',
  });
}
