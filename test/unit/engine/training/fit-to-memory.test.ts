import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openVideoModel } from '../../../../main/engine/models/registry.ts';
import { fitToMemory } from '../../../../main/engine/training/fit-to-memory.ts';
import { recipe } from '../../../../shared/domain/recipe.ts';

const golden = fileURLToPath(new URL('../../../golden/model', import.meta.url));
const frames = { file: '', frameCount: 17, width: 256, height: 256, rate: { numerator: 8, denominator: 1 } };
const request = {
  recipe: recipe.parse({ batchSize: 8, batchSizeMotion: 64 }),
  clips: [{ frames, caption: { static: 'a [v] dog', dynamic: 'runs in [u] motion' } }],
};

it('leaves the recipe as it is where there is memory for it', async () => {
  const { recipe: fitted, remarks } = await fitToMemory(await openVideoModel(golden), request, 1000, 64e9);
  expect(fitted).toEqual(request.recipe);
  expect(remarks).toEqual([]);
});

it('learns in smaller batches where there is less, and says so', async () => {
  const { recipe: fitted, remarks } = await fitToMemory(await openVideoModel(golden), request, 1000, 0.45e9);
  expect(fitted.batchSize).toBe(8);
  expect(fitted.batchSizeMotion).toBeLessThan(64);
  expect(fitted.batchSizeMotion).toBeGreaterThanOrEqual(1);
  expect(remarks.join('\n')).toMatch(/computed twice[\s\S]*instead of 64/);
});

it('says before it begins that one clip at a time is too much', async () => {
  await expect(fitToMemory(await openVideoModel(golden), request, 1000, 0.12e9)).rejects.toMatchObject({
    code: 'out-of-memory',
    message: expect.stringMatching(/takes about 0\.2 GB of memory, one clip at a time, and it can have 0\.1 GB/),
  });
});
