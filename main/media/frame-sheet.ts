import { createCanvas, ImageData, loadImage } from '@napi-rs/canvas';
import { columnsOf, type FrameSheet, placeOf, sheetQuality } from '../../shared/domain/frame-sheet.ts';
import { parseRational, toNumber } from '../../shared/domain/time.ts';
import { Random } from '../../shared/statistics/random.ts';
import { writeWhole } from '../files/place.ts';
import { fitInside, type Picture, readFrames } from './frames.ts';
import type { MediaTools } from './locate.ts';
import type { Probe } from './probe-types.ts';

/** What clips that are compared have in common. */
export type SheetShape = Omit<FrameSheet, 'file'>;

/** Of clips that are compared: long enough to see a motion, small enough that two and their source fit beside one another. */
const maximumSeconds = 4;
const maximumRate = 16;
const maximumSide = 384;

/** The first clip's shape, the least rate and the shortest length of all. */
export function commonShape(probes: readonly [Probe, ...Probe[]]): SheetShape {
  const slowest = probes.reduce((a, b) => (toNumber(b.rate) < toNumber(a.rate) ? b : a)).rate;
  const rate = toNumber(slowest) > maximumRate ? parseRational(String(maximumRate)) : slowest;
  const seconds = Math.min(maximumSeconds, ...probes.map(({ startSeconds, endSeconds }) => endSeconds - startSeconds));
  const frameCount = Math.max(1, Math.round(seconds * toNumber(rate)));
  return { ...fitInside(probes[0], maximumSide), frameCount, columns: columnsOf(frameCount), rate };
}

/** A video's frames in that shape, cut to it in the middle, as one WebP file. */
export async function writeVideoSheet(
  tools: MediaTools,
  probe: Probe,
  shape: SheetShape,
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  const { width, height, frameCount, rate } = shape;
  // In the middle of each frame's time, where no rounding chooses its neighbour.
  const times = Array.from({ length: frameCount }, (_, frame) =>
    Math.min(probe.startSeconds + (frame + 0.5) / toNumber(rate), probe.endSeconds - probe.shortestGap / 2),
  );
  const pictures = await readFrames(tools, probe, times, { width, height, signal });
  await writeSheet(shape, file, (context, frame, { left, top }) => {
    context.putImageData(new ImageData(rgba(pictures[frame]!), width, height), left, top);
  });
}

/** Blocks along each side of a broken picture. */
const blocks = 6;

/**
 * A clip as no method would give it back: its frames in another order, and each of them in blocks that have
 * changed their places. It has the size, length and coding of what it is made of.
 */
export async function writeBrokenSheet(from: FrameSheet, file: string, seed: string): Promise<void> {
  const sheet = await loadImage(from.file);
  const random = new Random(seed);
  const order = random.shuffle(Array.from({ length: from.frameCount }, (_, frame) => frame));
  const cells = Array.from({ length: blocks * blocks }, (_, cell) => cell);
  const [width, height] = [from.width / blocks, from.height / blocks];
  await writeSheet(from, file, (context, frame, { left, top }) => {
    const origin = placeOf(from, order[frame]!);
    for (const [cell, other] of random.shuffle(cells).entries()) {
      const at = (index: number) => ({ x: (index % blocks) * width, y: Math.floor(index / blocks) * height });
      const [to, source] = [at(cell), at(other)];
      context.drawImage(
        ...([sheet, origin.left + source.x, origin.top + source.y, width, height] as const),
        ...([left + to.x, top + to.y, width, height] as const),
      );
    }
  });
}

type Context = ReturnType<ReturnType<typeof createCanvas>['getContext']>;

async function writeSheet(
  shape: SheetShape,
  file: string,
  draw: (context: Context, frame: number, place: { left: number; top: number }) => void,
): Promise<void> {
  const { width, height, frameCount, columns } = shape;
  const canvas = createCanvas(columns * width, Math.ceil(frameCount / columns) * height);
  const context = canvas.getContext('2d');
  for (let frame = 0; frame < frameCount; frame++) draw(context, frame, placeOf(shape, frame));
  await writeWhole(file, await canvas.encode('webp', sheetQuality));
}

function rgba({ width, height, rgb }: Picture): Uint8ClampedArray {
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++)
    for (let channel = 0; channel < 3; channel++) data[pixel * 4 + channel] = rgb[pixel * 3 + channel]!;
  return data;
}
