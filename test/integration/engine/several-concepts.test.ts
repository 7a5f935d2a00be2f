import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEngine } from '../../../main/engine/index.ts';
import { generateRequest } from '../../../shared/domain/engine.ts';
import type { Engine } from '../../../shared/ipc/engine-contract.ts';
import { learnRequest, temporaryFolder, tinyModel, writeClip } from './tiny-model.ts';

let engine: Engine;
let folder: string;
/** Files of concepts: two of a basis, and one of branches, which are told of its own appearance. */
const concepts = { dog: '', cat: '', branches: '' };

beforeAll(async () => {
  folder = await temporaryFolder();
  engine = await createEngine({ threads: 2, device: 'onnxruntime' });
  const recipes = {
    dog: {},
    cat: { seed: 2, rank: 3, basisSide: 'input' },
    branches: { method: 'dreamvideo', seed: 3, rank: 4 },
  } as const;
  for (const [index, name] of (['dog', 'cat', 'branches'] as const).entries()) {
    const request = await learnRequest(folder, { stepsIdentity: 4, stepsMotion: 4, ...recipes[name] });
    request.clips[0]!.frames = await writeClip(folder, name, 6 * index);
    request.workDirectory = join(folder, `work-${name}`);
    request.conceptFile = join(folder, `${name}.safetensors`);
    concepts[name] = (await engine.learn(request)).conceptFile;
  }
});
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});

type Gains = { identity?: number; motion?: number; appearance?: number; directions?: Record<string, number> };

/** Frames that the first of these makes while the others act beside it. */
async function generate(
  acting: readonly [file: string, gains?: Gains][],
  { prompt = 'a [v] dog runs in [u] motion', ...settings }: { prompt?: string; fidelity?: number } = {},
): Promise<Buffer> {
  const [[conceptFile, sliders] = ['']] = acting;
  const gained = (gains: Gains = {}) => ({ identity: 1, motion: 1, directions: {}, ...gains });
  const { frames } = await engine.generate(
    generateRequest.parse({
      model: tinyModel,
      conceptFile,
      others: acting.slice(1).map(([file, gains]) => ({ file, sliders: gained(gains) })),
      source: await writeClip(folder),
      size: null,
      settings: { prompt, steps: 3, sliders: gained(sliders), ...settings },
      output: join(folder, 'made.rgb'),
    }),
  );
  return readFile(frames.file);
}

/** The largest difference of two clips, in levels of 255. */
function farthest(a: Buffer, b: Buffer): number {
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index]!)), 0);
}

it('several act as the sum of what each adds', async () => {
  const { dog, cat } = concepts;
  const mixed = join(folder, 'mixed.safetensors');
  const named = (file: string) => ({ file, name: file });
  await engine.mix({ model: tinyModel, identity: named(dog), motion: named(cat), conceptFile: mixed });
  const prompt = 'a dog runs';
  const asOne = await generate([[mixed]], { prompt });
  const asTwo = await generate(
    [
      [dog, { motion: 0 }],
      [cat, { identity: 0 }],
    ],
    { prompt },
  );
  expect(farthest(asTwo, asOne)).toBeLessThanOrEqual(1);
  expect(farthest(asTwo, await generate([[dog, { motion: 0 }]], { prompt }))).toBeGreaterThan(2);
  expect(farthest(asTwo, await generate([[cat, { identity: 0 }]], { prompt }))).toBeGreaterThan(2);
});

it('their order makes no difference, to the bit, where the tokens keep their meaning', async () => {
  const { dog, cat, branches } = concepts;
  const forth = await generate([[dog], [cat, { identity: 0.5 }], [branches]], {
    prompt: 'a [v] dog, a [v2] cat, [u3]',
  });
  const back = await generate([[branches], [cat, { identity: 0.5 }], [dog]], { prompt: 'a [v3] dog, a [v2] cat, [u]' });
  expect(back.equals(forth)).toBe(true);
});

it('each of their tokens counts, under the number of its clip', async () => {
  const { dog, cat } = concepts;
  const second = await generate([[dog], [cat]], { prompt: 'a [v2] dog' });
  const swapped = await generate([[cat], [dog]], { prompt: 'a [v] dog' });
  expect(swapped.equals(second)).toBe(true);
  // Written as it stands where no concept has it.
  const strange = await generate([[dog], [cat]], { prompt: 'a [v3] dog' });
  expect(strange.equals(second)).toBe(false);
});

it('one at gain 0 is as if it were not there, to the bit, from noise and from a clip', async () => {
  const { dog, cat, branches } = concepts;
  const none = { identity: 0, motion: 0 };
  for (const fidelity of [0, 0.4]) {
    const settings = { fidelity, prompt: 'a red [v] dog runs in [u] motion' };
    const alone = await generate([[dog]], settings);
    expect((await generate([[dog], [cat, none]], settings)).equals(alone)).toBe(true);
    expect((await generate([[dog], [branches, none], [cat, none]], settings)).equals(alone)).toBe(true);
    expect((await generate([[dog], [cat]], settings)).equals(alone)).toBe(false);
  }
  const prompt = 'a cat';
  const cats = await generate([[cat]], { prompt });
  expect((await generate([[dog, none], [cat]], { prompt })).equals(cats)).toBe(true);
});

it('one that is told of an appearance is told of its own, and of no other', async () => {
  const { dog, branches } = concepts;
  const blank = await generate([[dog], [branches, { appearance: 0 }]]);
  const own = await generate([[dog], [branches]]);
  expect(own.equals(blank)).toBe(false);
  // Beside one that has another appearance it is the same: that one reads none.
  expect((await generate([[branches], [dog]], { prompt: 'a [v2] dog runs in [u2] motion' })).equals(own)).toBe(true);
});

it('what cannot act together is refused, and more than four', async () => {
  const { dog, cat } = concepts;
  await expect(generate([[dog], [dog]])).rejects.toMatchObject({ code: 'invalid-input', message: /given twice/ });
  await expect(generate([[dog], [cat, { directions: { 3: 2 } }]])).rejects.toMatchObject({
    code: 'invalid-input',
    message: /direction 3 does not exist/,
  });
  const request = { model: tinyModel, source: null, size: null, settings: { prompt: 'a dog' }, output: 'x' };
  const others = [cat, cat, cat, cat].map((file) => ({ file, sliders: {} }));
  expect(generateRequest.safeParse({ ...request, conceptFile: dog, others }).success).toBe(false);
  const lonely = generateRequest.parse({ ...request, conceptFile: null, others: others.slice(1, 2) });
  await expect(engine.generate(lonely)).rejects.toMatchObject({ code: 'invalid-input', message: /beside a concept/ });
});
