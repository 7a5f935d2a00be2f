import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { render } from '../../../main/world/render.ts';
import { sampleScene } from '../../../main/world/scene.ts';
import { maskShard, planShards, renderShard } from '../../../main/world/shards.ts';

const plan = {
  first: 0,
  last: 199,
  split: 'train',
  edition: 1,
  clipsPerShard: 40,
  frameCount: 3,
  frameRate: 1.5,
} as const;
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
    const shard = {
      index: 3,
      edition: 1,
      width: 24,
      height: 16,
      frameCount: 3,
      frameRate: 1.5,
      seeds: [12, 13],
    } as const;
    expect(await renderShard(shard, folder)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['shard-00003.json', 'shard-00003.u8']);
    const pixels = readFileSync(join(folder, 'shard-00003.u8'));
    const clip = 3 * 16 * 24 * 3;
    expect(pixels.length).toBe(2 * clip);
    const second = render(sampleScene(13), { width: 24, height: 16, frameCount: 3, frameRate: 1.5 }).frames;
    expect(new Uint8Array(pixels.subarray(clip))).toEqual(second);
    const about = JSON.parse(readFileSync(join(folder, 'shard-00003.json'), 'utf8'));
    expect(about).toMatchObject({ edition: 1, width: 24, height: 16, frameCount: 3, frameRate: 1.5 });
    expect(about.items.map((item: { seed: number }) => item.seed)).toEqual([12, 13]);
    expect(about.items[0].static).toHaveLength(3);
    expect(await renderShard(shard, folder)).toBe(false);
  });
});

describe('maskShard', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'motif-world-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const options = { width: 48, height: 32, frameCount: 3, frameRate: 1.5 };

  it('tells for each square of each frame how much of it subjects, and hats and held objects, cover at most', async () => {
    const seeds = [12, 13, 14, 15, 16, 17];
    const shard = { index: 0, edition: 1, ...options, seeds } as const;
    expect(await maskShard(shard, folder)).toBe(true);
    expect(readdirSync(folder)).toEqual(['shard-00000.masks.u8']);
    const told = readFileSync(join(folder, 'shard-00000.masks.u8'));
    expect(told.length).toBe(seeds.length * 3 * 4 * 6 * 2);
    let small = 0;
    for (const [clip, seed] of seeds.entries()) {
      const { masks } = render(sampleScene(seed), { ...options, masks: true });
      for (let square = 0; square < 3 * 4 * 6; square++) {
        const [frame, row, column] = [Math.floor(square / 24), Math.floor((square % 24) / 6), square % 6];
        const covered = (parts: ('subject' | 'second' | 'hat' | 'held')[]) => {
          let most = 0;
          for (const part of parts) {
            for (let y = row * 8; y < row * 8 + 8; y++) {
              const start = (frame * 32 + y) * 48 + column * 8;
              for (const value of masks[part]?.subarray(start, start + 8) ?? []) most = Math.max(most, value);
            }
          }
          return most;
        };
        const at = (clip * 72 + square) * 2;
        expect([told[at], told[at + 1]]).toEqual([covered(['subject', 'second']), covered(['hat', 'held'])]);
        small += told[at + 1]!;
      }
    }
    expect(small).toBeGreaterThan(0); // somebody wears or holds something
    expect(await maskShard(shard, folder)).toBe(false);
  });

  it('refuses sizes that squares do not divide', async () => {
    const shard = { index: 0, edition: 1, ...options, width: 50, seeds: [12] } as const;
    await expect(maskShard(shard, folder)).rejects.toThrow('8');
  });
});
