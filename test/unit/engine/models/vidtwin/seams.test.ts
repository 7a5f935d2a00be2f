import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { selectBackend } from '../../../../../main/engine/backends/select.ts';
import * as tf from '../../../../../main/engine/backends/tf.ts';
import { holdEnd } from '../../../../../main/engine/formats/fit-pictures.ts';
import type { Pictures } from '../../../../../main/engine/formats/raw-frames.ts';
import { openTwinAutoencoder } from '../../../../../main/engine/models/autoencoders.ts';
import { chunkStarts } from '../../../../../main/engine/models/vidtwin/twin-chunks.ts';
import { Random } from '../../../../../main/engine/nn/random.ts';
import { render } from '../../../../../main/world/render.ts';
import { sampleScene } from '../../../../../main/world/scene.ts';

const root = new URL('../../../../../', import.meta.url);
const golden = fileURLToPath(new URL('test/golden/vidtwin/full', root));
const trained = process.env.MOTIF_TWIN || fileURLToPath(new URL('resources/models/motif-twin', root));
const hasTrained = existsSync(join(trained, 'config.json'));
if (!hasTrained) console.log('No trained network that takes clips apart is here: what needs its weights was skipped.');

beforeAll(async () => {
  await selectBackend({ device: 'onnxruntime' });
});

/** There and back. */
async function through(folder: string, pictures: Pictures): Promise<Pictures> {
  const twin = await openTwinAutoencoder(folder);
  const latents = await twin.encodeTwin(pictures);
  const made = await twin.decodeTwin(latents, { structure: 1, dynamics: 1 });
  tf.dispose([latents.structure, latents.dynamics!]);
  await twin.dispose();
  return made;
}

test('a still clip of several chunks is one chunk over and over, faded into itself where two overlap', async () => {
  const random = new Random(5);
  const still = {
    data: Uint8Array.from({ length: 12 * 20 * 3 }, () => random.integer(256)),
    width: 12,
    height: 20,
    count: 1,
  };
  const [length, count] = [6, 21];
  const chunk = await through(golden, holdEnd(still, length));
  const made = await through(golden, holdEnd(still, count));
  const size = still.data.length;
  const starts = chunkStarts(count, length);
  expect(starts.length).toBeGreaterThan(3);
  let changes = 0;
  for (let frame = 0; frame < count; frame++) {
    const first = starts.findIndex((start) => start <= frame && frame < start + length);
    const next = starts[first + 1];
    // Of the frames that two chunks share, how many come before this one and how many there are.
    const shared = next === undefined ? 0 : starts[first]! + length - next;
    const place = next === undefined ? -1 : frame - next;
    const share = place < 0 ? 0 : (place + 1) / (shared + 1);
    for (let i = 0; i < size; i++) {
      const before = chunk.data[(frame - starts[first]!) * size + i]!;
      const after = place < 0 ? before : chunk.data[place * size + i]!;
      if ([before, after].some((value) => value === 0 || value === 255)) continue; // clipped before it is mixed here
      // The chunk was rounded before it is mixed here, and behind the mixing there.
      expect(Math.abs(made.data[frame * size + i]! - (before + share * (after - before)))).toBeLessThanOrEqual(1);
      if (place >= 0 && Math.abs(after - before) > 10) changes++;
    }
  }
  expect(changes).toBeGreaterThan(100); // chunks that disagree, or nothing would have been shown
});

test.skipIf(!hasTrained)('by trained weights a still clip of three chunks has no seam that can be seen', async () => {
  const [width, height, count, length] = [128, 128, 40, 16];
  const still = { data: render(sampleScene(10), { width, height, frameCount: 1 }).frames, width, height, count: 1 };
  const [made, chunk] = [await through(trained, holdEnd(still, count)), await through(trained, holdEnd(still, length))];
  const size = still.data.length;
  /** By how much each frame differs from the one before, of 255, on average. */
  const stepsOf = ({ data, count: frames }: Pictures) =>
    Array.from({ length: frames - 1 }, (_, frame) => {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += Math.abs(data[(frame + 1) * size + i]! - data[frame * size + i]!);
      return sum / size;
    });
  const starts = chunkStarts(count, length);
  // From the last frame before a chunk to its first behind the end of the one before.
  const seams = stepsOf(made).filter((_, step) =>
    starts.slice(1).some((start, index) => step >= start - 1 && step < starts[index]! + length),
  );
  expect(seams).toHaveLength(10);
  if (process.env.MOTIF_SEAMS) console.log('seams', seams, 'within a chunk', stepsOf(chunk));
  // What the network itself makes of a still clip may flicker: where chunks meet it may not be more.
  expect(Math.max(...seams) - Math.max(...stepsOf(chunk))).toBeLessThan(1);
});
