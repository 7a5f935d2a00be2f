import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { measureClips } from '../../../../main/engine/evaluation/measure-clips.ts';
import type { RawFrames } from '../../../../shared/domain/clip.ts';
import { writeStandIns } from '../metrics/stand-ins.ts';

let folder: string;
let metrics: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-clips-'));
  metrics = join(folder, 'networks');
  await writeStandIns(metrics);
});
afterAll(() => rm(folder, { recursive: true }));

/** Five frames of one colour. */
async function plain(name: string, colour: readonly number[]): Promise<RawFrames> {
  const [frameCount, width, height] = [5, 16, 8];
  const data = Buffer.alloc(frameCount * width * height * 3);
  for (let byte = 0; byte < data.length; byte++) data[byte] = colour[byte % 3]!;
  const file = join(folder, `${name}.rgb`);
  await writeFile(file, data);
  return { file, frameCount, width, height, rate: { numerator: 8, denominator: 1 } };
}

it('clips are measured against their sources, and all of them together by their distance', async () => {
  const [red, yellow, white] = [
    await plain('red', [255, 0, 0]),
    await plain('yellow', [255, 255, 0]),
    await plain('white', [255, 255, 255]),
  ];
  const phases: string[] = [];
  const clips = [
    { name: 'a', made: red, source: yellow, words: 'a dog' },
    { name: 'b', made: white, source: white, words: 'a dog' },
  ];
  const result = await measureClips(
    { metrics, clips },
    { onEvent: (event) => event.type === 'progress' && phases.push(`${event.progress.done}/${event.progress.total}`) },
  );
  expect(result.clips.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(result.clips[0]!.measures.clipImage).toBeCloseTo(Math.SQRT1_2, 5);
  expect(result.clips[1]!.measures).toMatchObject({ faceShare: 1 });
  expect(result.clips[1]!.measures.faceIdentity).toBeCloseTo(1, 5);
  expect(result.supplied).toHaveLength(5);
  expect(result.frechetVideo).toBeGreaterThan(0);
  expect(phases).toEqual(['0/2', '1/2']);
  expect((await measureClips({ metrics, clips: clips.slice(1) })).frechetVideo).toBeNull();
});

it('stops between clips', async () => {
  const red = await plain('red', [255, 0, 0]);
  const stop = new AbortController();
  const clips = ['a', 'b'].map((name) => ({ name, made: red, source: red, words: '' }));
  const options = { signal: stop.signal, onEvent: () => stop.abort() };
  await expect(measureClips({ metrics, clips }, options)).rejects.toThrow(/aborted/);
});
