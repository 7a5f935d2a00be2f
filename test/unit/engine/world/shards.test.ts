import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { render } from '../../../../main/engine/world/render.ts';
import { sampleScene } from '../../../../main/engine/world/scene.ts';
import { planShards, renderShard } from '../../../../main/engine/world/shards.ts';

const plan = { first: 0, last: 199, split: 'train', clipsPerShard: 40, frameCount: 3, frameRate: 1.5 } as const;
const sizes = [
  [24, 16],
  [16, 24],
] as const;

describe('planShards', () => {
  it('takes every training seed once, in shards of alternating size', () => {
    const shards = planShards({ ...plan, sizes });
    const seeds = shards.flatMap((shard) => shard.seeds);
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(seeds.every((seed) => seed % 10 > 1)).toBe(true);
    expect(seeds.length).toBeGreaterThan(140);
    expect(shards.map(({ width, height }) => `${width}x${height}`).slice(0, 3)).toEqual(['24x16', '16x24', '24x16']);
  });
});

describe('renderShard', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'motif-world-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('writes the frames and the description of its clips, and skips a shard that is complete', async () => {
    const shard = { index: 3, width: 24, height: 16, frameCount: 3, frameRate: 1.5, seeds: [12, 13] };
    expect(await renderShard(shard, folder)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['shard-00003.json', 'shard-00003.u8']);
    const pixels = readFileSync(join(folder, 'shard-00003.u8'));
    const clip = 3 * 16 * 24 * 3;
    expect(pixels.length).toBe(2 * clip);
    const second = render(sampleScene(13), { width: 24, height: 16, frameCount: 3, frameRate: 1.5 }).frames;
    expect(new Uint8Array(pixels.subarray(clip))).toEqual(second);
    const about = JSON.parse(readFileSync(join(folder, 'shard-00003.json'), 'utf8'));
    expect(about).toMatchObject({ width: 24, height: 16, frameCount: 3, frameRate: 1.5 });
    expect(about.items.map((item: { seed: number }) => item.seed)).toEqual([12, 13]);
    expect(about.items[0].static).toHaveLength(3);
    expect(await renderShard(shard, folder)).toBe(false);
  });
});
