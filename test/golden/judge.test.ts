import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openJudge } from '../../main/engine/models/judge/judge.ts';
import { golden, onEachBackend, openCase, relativeError } from './golden.ts';

onEachBackend(() => {
  test('the judge sees and reads as its training did', async () => {
    const expected = await openCase('judge/expected');
    const [count, height, width] = expected.clip!.shape as [number, number, number];
    const data = Uint8Array.from(await expected.clip!.data());
    const judge = await openJudge(golden('judge'));
    const seen = await judge.assess({ data, count, height, width });
    const close = async (found: Float32Array[], name: string) =>
      expect(
        relativeError(
          found.flatMap((row) => Array.from(row)),
          await expected[name]!.data(),
        ),
      ).toBeLessThan(1e-4);
    await close(seen.frameEmbeddings, 'frames');
    await close([seen.videoEmbedding], 'video');
    await close([seen.features], 'features');
    await close(await judge.embedTexts(JSON.parse(readFileSync(golden('judge/texts.json'), 'utf8'))), 'texts');
    for (const [name, values] of Object.entries(judge.labels)) {
      const scores = Array.from(await expected[`scores.${name}`]!.data());
      const best = Math.max(...scores);
      expect(seen.attributes[name]!.value).toBe(values[scores.indexOf(best)]);
      expect(seen.attributes[name]!.probability).toBeCloseTo(best, 4);
    }
    judge.dispose();
  });
});
