import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clip, RawFrames } from '../../../shared/domain/clip.ts';
import { importOutput } from '../../../shared/domain/job-input.ts';
import { firstLooks, type Look, lookSettings } from '../../../shared/domain/look.ts';
import { findChange, type SmallClip } from '../../../shared/finish/change.ts';
import { createFinisher } from '../../../shared/finish/finish-frame.ts';
import { placementOf } from '../../../shared/finish/placement.ts';
import { AppError, fromErrorShape } from '../../../shared/ipc/result.ts';
import { warmUp } from '../../host/warm-up.ts';
import { type FinishRequest, finishedPictures } from '../../media/finished-pictures.ts';
import type { Services } from '../../services/services.ts';
import { firstPicture, makeBenchClip, type PictureSize, timeFfmpeg } from './ffmpeg-work.ts';
import type { LooksTimes } from './looks-rows.ts';
import { watchResidentMemory } from './resident-memory.ts';

export interface MeasureOptions {
  services: Services;
  /** Clips are made here. */
  folder: string;
  /** So many clips are dropped, each a new one. */
  rounds: number;
  signal: AbortSignal;
  onProgress(phase: string, done: number, total: number): void;
}

export interface LooksMeasured {
  times: LooksTimes;
  peakBytes: number | null;
  /** A look of a clip of each size, to be exported. */
  made: { name: string; size: PictureSize; request: FinishRequest }[];
}

/** Of the editor's tiles, which are drawn at twice their size for sharp screens. */
const tileSize: PictureSize = { width: 278, height: 156 };
const sizes = [
  { name: '1080p', size: { width: 1920, height: 1080 } },
  { name: '4K', size: { width: 3840, height: 2160 } },
] as const;
/** Where the slider is moved to. */
const strengths = Array.from({ length: 11 }, (_, move) => 0.3 + 0.05 * move);

/**
 * What the editor does from a clip that is dropped to its looks, on the same services, with the engine
 * warmed up as the server does it.
 */
export async function measureLooks(options: MeasureOptions): Promise<LooksMeasured> {
  const { services, folder, rounds, signal, onProgress } = options;
  const tools = await services.tools();
  const times: LooksTimes = { firstTile: [], fiveTiles: [], oneLook: [], fiveLooks: [], previews: [], ffmpeg: [] };
  const total = rounds + strengths.length + 1;
  onProgress('loading and warming up', 0, total);
  await warmUp(services);
  const [{ size }] = sizes;
  const memory = watchResidentMemory();
  let last: { clip: Clip; file: string } | undefined;
  for (let round = 0; round < rounds; round++) {
    onProgress('dropping a clip', round, total);
    const file = join(folder, `clip-${round}.mp4`);
    await makeBenchClip(tools, file, size, round * 40, signal);
    const clip = await dropClip(options, file, times);
    const output = join(folder, 'ffmpeg.mp4');
    const { frameCount } = await finishedPictures(tools, unchanged(services, clip), signal);
    times.ffmpeg.push(await timeFfmpeg(tools, { file, output, size, frameCount }, signal));
    last = { clip, file };
  }
  const picture = { rgb: await firstPicture(tools, last!.file, signal), ...size };
  for (const [move, strength] of strengths.entries()) {
    onProgress('moving the strength', rounds + move, total);
    const started = performance.now();
    const { base, edited } = await render(options, last!.clip, firstLooks[0]!, { strength });
    const change = findChange(await readSmall(base), await readSmall(edited), { keepDetail: 1 });
    const placement = placementOf(size, edited, last!.clip.fit);
    createFinisher(change, { placement, keepDetail: 1 }).finish(picture, 0, new Uint8Array(picture.rgb.length));
    times.previews.push(performance.now() - started);
  }
  const { allBytes } = memory.end();
  const made: LooksMeasured['made'] = [{ ...sizes[0], request: await render(options, last!.clip, firstLooks[0]!) }];
  onProgress('a 4K clip', total - 1, total);
  const file = join(folder, 'clip-4k.mp4');
  await makeBenchClip(tools, file, sizes[1].size, 0, signal);
  made.push({ ...sizes[1], request: await render(options, await importFile(options, file), firstLooks[0]!) });
  return { times, peakBytes: allBytes, made };
}

/** One tile after the other, each finished in its first picture, as the editor fills them. */
async function dropClip(options: MeasureOptions, file: string, times: LooksTimes): Promise<Clip> {
  const { services, signal } = options;
  const started = performance.now();
  const clip = await importFile(options, file);
  let looks = 0;
  for (const [index, look] of firstLooks.entries()) {
    const before = performance.now();
    const request = await render(options, clip, look);
    looks += performance.now() - before;
    if (index === 0) times.oneLook.push(looks);
    const pictures = await finishedPictures(await services.tools(), request, signal);
    const { rate } = pictures;
    await pictures.write({ ...pictures.sizeFor(tileSize), rate, frameCount: 1 }, async () => {}, signal);
    if (index === 0) times.firstTile.push(performance.now() - started);
  }
  times.fiveLooks.push(looks);
  times.fiveTiles.push(performance.now() - started);
  return clip;
}

async function importFile({ services, signal }: MeasureOptions, path: string): Promise<Clip> {
  const { id } = await services.call['jobs.enqueue']({ kind: 'import', path });
  const job = await services.queue.run(id, { signal });
  if (job.state === 'done') return services.call['clips.get']({ reference: importOutput.parse(job.output).clipId });
  throw job.error ? fromErrorShape(job.error) : new AppError('cancelled', 'Stopped.');
}

/** All steps as for a tile, or, with a strength, the few of a slider that is moved. */
async function render(
  { services, signal }: MeasureOptions,
  clip: Clip,
  look: Look,
  { strength }: { strength?: number } = {},
): Promise<FinishRequest> {
  const settings = lookSettings(look, { strength });
  const request = { conceptId: null, sourceClipId: clip.id, settings, full: strength === undefined };
  const { frames, base } = await services.call['edits.preview'](request, { signal });
  if (!frames || !base) throw new Error('expected a look with the clip that it was made from, found none');
  return { clip, edited: absolute(services, frames), base: absolute(services, base), keepDetail: 1 };
}

function unchanged(services: Services, clip: Clip): FinishRequest {
  const frames = absolute(services, clip.frames);
  return { clip, edited: frames, base: frames, keepDetail: 1 };
}

function absolute(services: Services, frames: RawFrames): RawFrames {
  return { ...frames, file: services.library.absolutePath(frames.file) };
}

async function readSmall({ file, ...size }: RawFrames): Promise<SmallClip> {
  return { ...size, data: new Uint8Array(await readFile(file)) };
}
