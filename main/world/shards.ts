import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../files/place.ts';
import { attributes, caption } from './caption.ts';
import { render, renderMasks } from './render.ts';
import { sampleScene } from './scene.ts';
import { belongsTo, type Split } from './split.ts';
import type { Edition } from './vocabulary.ts';

const variants = [0, 1, 2];
/**
 * What the two channels of a shard's masks cover: whoever is in the scene, and the small things that
 * captions name.
 */
const maskChannels = [
  ['subject', 'second'],
  ['hat', 'held'],
] as const;
/** Side of the squares that masks are told for, in pixels: the autoencoder's stride. */
const maskSquare = 8;

export interface ShardPlan {
  /** The range of seeds, both ends included; those of other splits are passed over. */
  first: number;
  last: number;
  sizes: readonly (readonly [width: number, height: number])[];
  split: Split;
  edition: Edition;
  clipsPerShard: number;
  frameCount: number;
  frameRate: number;
}

/** The clips of one file: all of one size and length. */
export interface Shard {
  index: number;
  edition: Edition;
  width: number;
  height: number;
  frameCount: number;
  frameRate: number;
  seeds: readonly number[];
}

/** Which seeds go into which shard. Shards take turns over the sizes, so that every size is there early. */
export function planShards(plan: ShardPlan): Shard[] {
  const { edition, frameCount, frameRate } = plan;
  const seeds: number[] = [];
  for (let seed = plan.first; seed <= plan.last; seed++) {
    if (belongsTo(sampleScene(seed, { edition }), plan.split)) seeds.push(seed);
  }
  const shards: Shard[] = [];
  for (let start = 0; start < seeds.length; start += plan.clipsPerShard) {
    const index = shards.length;
    const [width, height] = plan.sizes[index % plan.sizes.length]!;
    const own = seeds.slice(start, start + plan.clipsPerShard);
    shards.push({ index, edition, width, height, frameCount, frameRate, seeds: own });
  }
  return shards;
}

/**
 * Renders one shard into a folder: `shard-00000.u8`, raw uint8 [clips, frames, height, width, 3], and
 * `shard-00000.json`, which describes its clips. Both are written beside and renamed, the description last:
 * where it is, the shard is complete. Answers false, having done nothing, when the shard is there already.
 */
export async function renderShard(shard: Shard, out: string): Promise<boolean> {
  const { index, edition, width, height, frameCount, frameRate, seeds } = shard;
  const name = join(out, `shard-${String(index).padStart(5, '0')}`);
  if (existsSync(`${name}.json`)) return false;
  const items: object[] = [];
  await writeWhole(`${name}.u8`, async (file) => {
    for (const seed of seeds) {
      const scene = sampleScene(seed, { edition });
      await file.writeFile(render(scene, { width, height, frameCount, frameRate }).frames);
      // Canvases give back their memory in a turn of the event loop; without one, thousands of clips take
      // gigabytes.
      await new Promise(setImmediate);
      const captions = variants.map((variant) => caption(scene, { variant }));
      items.push({
        seed,
        static: captions.map((text) => text.static),
        dynamic: captions.map((text) => text.dynamic),
        attributes: attributes(scene),
      });
    }
  });
  await writeWhole(`${name}.json`, JSON.stringify({ edition, width, height, frameCount, frameRate, items }));
  return true;
}

/**
 * Writes where the subjects of a shard are, and their hats and held objects: `shard-00000.masks.u8`, uint8
 * [clips, frames, height / 8, width / 8, 2], the largest coverage in each square. Written beside and renamed;
 * answers false, having done nothing, when it is there already.
 */
export async function maskShard(shard: Shard, out: string): Promise<boolean> {
  const { index, edition, width, height, frameCount, frameRate, seeds } = shard;
  const name = join(out, `shard-${String(index).padStart(5, '0')}.masks.u8`);
  if (existsSync(name)) return false;
  const across = width / maskSquare;
  const down = height / maskSquare;
  if (!Number.isInteger(across) || !Number.isInteger(down)) throw new Error('masks need sizes that 8 divides');
  const size = frameCount * down * across * maskChannels.length;
  const data = new Uint8Array(seeds.length * size);
  for (const [clip, seed] of seeds.entries()) {
    const masks = renderMasks(sampleScene(seed, { edition }), { width, height, frameCount, frameRate });
    for (const [channel, parts] of maskChannels.entries()) {
      for (const part of parts) {
        const mask = masks[part];
        if (!mask) continue;
        for (let i = 0; i < mask.length; i++) {
          const row = Math.floor(i / width); // of all frames
          const square = Math.floor(row / maskSquare) * across + Math.floor((i % width) / maskSquare);
          const at = clip * size + square * maskChannels.length + channel;
          if (mask[i]! > data[at]!) data[at] = mask[i]!;
        }
      }
    }
    await new Promise(setImmediate); // as above
  }
  await writeWhole(name, data);
  return true;
}
