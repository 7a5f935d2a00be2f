import { open } from 'node:fs/promises';
import type { RawFrames } from '../../../../shared/domain/clip.ts';
import type { TwinTraining } from '../../../../shared/domain/twin.ts';
import { AppError } from '../../../../shared/ipc/result.ts';
import * as tf from '../../backends/tf.ts';
import type { Pictures } from '../../formats/raw-frames.ts';
import { findCameraPath } from '../../models/vidtwin/camera-path.ts';
import { steady } from '../../models/vidtwin/steady-clip.ts';
import { networkShapes, pathLines, type TwinConfig } from '../../models/vidtwin/twin-config.ts';
import type { Random } from '../../nn/random.ts';
import type { TwinBatch } from './twin-gradients.ts';

/** Clips by size, [width, height] as `176x96`: those of one batch have one. */
export type ClipsBySize = Map<string, RawFrames[]>;

/**
 * The clips that can be trained on, by size. Throws `invalid-input` when none has as many frames as a chunk and sides that the patch divides.
 */
export function clipsBySize(config: TwinConfig, clips: readonly RawFrames[]): ClipsBySize {
  const found: ClipsBySize = new Map();
  for (const clip of clips) {
    const { width, height, frameCount } = clip;
    if (frameCount < config.frames || width % config.patch !== 0 || height % config.patch !== 0) continue;
    const size = `${width}x${height}`;
    found.set(size, [...(found.get(size) ?? []), clip]);
  }
  if (found.size > 0) return found;
  throw new AppError(
    'invalid-input',
    `No clip has ${config.frames} frames, and sides that are multiples of ${config.patch}.`,
    {
      hint: 'Train on longer clips.',
    },
  );
}

/** How far training is, 0 to 1, decides how many clips must do without dynamics: structure learns later by itself. */
const firstDropped = 4;
const dropFalls = 0.3;

/**
 * Clips, noise and what is left out of one step, all of it decided by `random`: each clip mirrored or not, backwards in three of ten, brighter or
 * darker in three of ten, all with their colours swapped in two of ten. The caller disposes of it.
 */
export async function drawTwinBatch(
  config: TwinConfig,
  clips: ClipsBySize,
  training: TwinTraining,
  progress: number,
  random: Random,
): Promise<TwinBatch> {
  const all = [...clips.values()];
  let place = random.integer(all.reduce((sum, { length }) => sum + length, 0));
  const same = all.find((sized) => {
    place -= sized.length;
    return place < 0;
  })!;
  const { width, height } = same[0]!;
  const batch = training.batchSize;
  const size = config.frames * height * width * 3;
  const values = new Float32Array(batch * size);
  const channels = random.uniform() < 0.2 ? random.shuffle([0, 1, 2]) : [0, 1, 2];
  for (let index = 0; index < batch; index++) {
    const clip = same[random.integer(same.length)]!;
    const pictures = await readFrames(clip, random.integer(clip.frameCount - config.frames + 1), config.frames);
    // Found again each time: next to a step that is little, and clips differ by where they begin.
    const { data } = pathLines(config) > 0 ? steady(pictures, findCameraPath(pictures)) : pictures;
    augment(data, values.subarray(index * size, (index + 1) * size), { width, height, channels, random });
  }
  const shapes = networkShapes(config, height, width);
  const normal = (shape: readonly number[]) => {
    const count = shape.reduce((product, length) => product * length, batch);
    return tf.tensor(random.normals(count), [batch, ...shape]);
  };
  const noise = {
    structure: normal(shapes.structure),
    ...(shapes.dynamics ? { dynamics: normal(shapes.dynamics) } : {}),
  };
  return {
    clips: tf.tensor(values, [batch, 3, config.frames, height, width]),
    noise,
    keep: drawKept(config, training, progress, random),
    looked: drawLooked(config.frames, training.lookedFrames, random),
  };
}

function drawKept(config: TwinConfig, training: TwinTraining, progress: number, random: Random): TwinBatch['keep'] {
  const early = 1 + (firstDropped - 1) * Math.max(0, 1 - progress / dropFalls);
  const drawn = random.uniforms(training.batchSize);
  const kept = (isKept: (value: number) => boolean) =>
    tf.tensor(
      Float32Array.from(drawn, (value) => (!config.disentangle || isKept(value) ? 1 : 0)),
      [training.batchSize, 1, 1, 1],
    );
  return {
    structure: kept((value) => value <= 1 - training.dropStructure),
    dynamics: kept((value) => value >= training.dropDynamics * early),
  };
}

function drawLooked(frames: number, wanted: number, random: Random): tf.Tensor {
  const count = Math.min(frames, wanted);
  const places = random
    .shuffle(Array.from({ length: frames }, (_, index) => index))
    .slice(0, count)
    .sort((a, b) => a - b);
  const rows = new Float32Array(count * frames);
  for (const [row, frame] of places.entries()) rows[row * frames + frame] = 1;
  return tf.tensor(rows, [count, frames]);
}

async function readFrames({ file, width, height }: RawFrames, start: number, count: number): Promise<Pictures> {
  const bytes = new Uint8Array(count * width * height * 3);
  const handle = await open(file, 'r');
  try {
    for (let done = 0; done < bytes.length; ) {
      const position = start * width * height * 3 + done;
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position);
      if (bytesRead === 0) throw new AppError('damaged-file', `${file} is shorter than its clip.`);
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return { data: bytes, count, width, height };
}

/** pixels [frames, height, width, 3] -> values [3, frames, height, width] in -1..1 */
function augment(
  pixels: Uint8Array,
  values: Float32Array,
  { width, height, channels, random }: { width: number; height: number; channels: readonly number[]; random: Random },
): void {
  const frames = pixels.length / (width * height * 3);
  const [isMirrored, isBackwards, isChanged] = [0.5, 0.3, 0.3].map((share) => random.uniform() < share);
  const gains = random.uniforms(3, 0.75, 1.2);
  const [offset] = random.uniforms(1, -0.2, 0.2);
  for (let channel = 0; channel < 3; channel++)
    for (let frame = 0; frame < frames; frame++)
      for (let row = 0; row < height; row++)
        for (let column = 0; column < width; column++) {
          const [from, at] = [isBackwards ? frames - 1 - frame : frame, isMirrored ? width - 1 - column : column];
          const value = pixels[((from * height + row) * width + at) * 3 + channels[channel]!]! / 127.5 - 1;
          values[((channel * frames + frame) * height + row) * width + column] = isChanged
            ? Math.max(-1, Math.min(1, value * gains[channel]! + offset!))
            : value;
        }
}
