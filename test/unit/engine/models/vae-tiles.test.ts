import { expect, test } from 'vitest';
import { tilesOf } from '../../../../main/engine/models/wan/vae-tiles.ts';

test.each([
  [16, 16, 256, 1],
  [60, 104, 2343, 4],
  [60, 104, 100, 66],
  [7, 3, 1, 21],
  [5, 5, 0.5, 25],
])('%i x %i latents in tiles of at most %d are covered once by %i', (height, width, limit, count) => {
  const { tiles, columns } = tilesOf(height, width, limit);
  expect(tiles).toHaveLength(count);
  expect(tiles.length % columns).toBe(0);
  const covered = new Uint8Array(height * width);
  for (const { top, bottom, left, right } of tiles) {
    expect((bottom - top) * (right - left)).toBeLessThanOrEqual(Math.max(1, limit));
    for (let row = top; row < bottom; row++)
      for (let column = left; column < right; column++) covered[row * width + column]!++;
  }
  expect(covered.every((times) => times === 1)).toBe(true);
});
