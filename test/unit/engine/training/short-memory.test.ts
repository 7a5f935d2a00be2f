import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countNumbers } from '../../../../main/engine/adapters/parts.ts';
import { createEngine } from '../../../../main/engine/index.ts';
import { methodOf } from '../../../../main/engine/methods/registry.ts';
import { openVideoModel } from '../../../../main/engine/models/registry.ts';
import { transformerConfigSchema, transformerSpecs } from '../../../../main/engine/models/wan/transformer-config.ts';
import { fitToMemory } from '../../../../main/engine/training/fit-to-memory.ts';
import { editSettings } from '../../../../shared/domain/edit.ts';
import type { EngineEvent, LearnRequest } from '../../../../shared/domain/engine.ts';
import { recipe } from '../../../../shared/domain/recipe.ts';
import { type WeightForm, weightForm } from '../../../../shared/domain/weight-form.ts';
import { writeRandom } from '../../../bench/full-size-models.ts';

const golden = fileURLToPath(new URL('../../../golden/model', import.meta.url));
const clip = { frameCount: 5, width: 48, height: 32, rate: { numerator: 8, denominator: 1 } };
const rank = 2;
let folder: string;
let model: string;
let request: LearnRequest;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'motif-short-memory-'));
  // As deep as a large model: what is streamed is a small part of it.
  model = join(folder, 'model');
  cpSync(golden, model, { recursive: true });
  const config = transformerConfigSchema.parse({
    ...JSON.parse(readFileSync(join(golden, 'transformer/config.json'), 'utf8')),
    num_layers: 8,
  });
  writeFileSync(join(model, 'transformer/config.json'), JSON.stringify(config));
  writeRandom(
    join(model, 'transformer/diffusion_pytorch_model.safetensors'),
    new Map([...transformerSpecs(config)].map(([name, { stored }]) => [name, stored])),
  );
  const file = join(folder, 'clip.rgb');
  const pixels = new Uint8Array(clip.frameCount * clip.width * clip.height * 3);
  writeFileSync(
    file,
    pixels.map((_, index) => (index * 7) % 251),
  );
  request = {
    model,
    clips: [{ frames: { file, ...clip }, caption: { static: 'a [v] dog', dynamic: 'runs in [u] motion' } }],
    recipe: recipe.parse({
      stepsIdentity: 1,
      stepsMotion: 2,
      batchSize: 1,
      batchSizeMotion: 1,
      rank,
      regularisers: { priorPreservation: false },
    }),
    workDirectory: '',
    conceptFile: join(folder, 'concept.safetensors'),
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Losses and remarks of a learning by an engine that may take so much memory, until its last step. */
async function learned(memoryLimitBytes: number | null) {
  const engine = await createEngine({ device: 'onnxruntime', memoryLimitBytes });
  const enough = new AbortController();
  const losses: number[] = [];
  const remarks: string[] = [];
  const onEvent = (event: EngineEvent) => {
    if (event.type === 'remark') remarks.push(event.text);
    if (event.type !== 'loss') return;
    losses.push(event.point.loss);
    if (losses.length === 3) enough.abort(); // measuring the concept takes longer than all of this
  };
  const workDirectory = join(folder, `work-${memoryLimitBytes}`);
  await expect(engine.learn({ ...request, workDirectory }, { signal: enough.signal, onEvent })).rejects.toMatchObject({
    code: 'cancelled',
  });
  return { engine, losses, remarks };
}

/** The most memory, to a kilobyte, in which the learning's weights are held in this form. */
async function memoryFor(form: WeightForm): Promise<number> {
  const pipeline = await openVideoModel(model);
  const forms = weightForm.options;
  const numbers = countNumbers(methodOf(request.recipe).parts(pipeline.shape, request.recipe));
  let [low, high] = [100e6, 1e9];
  while (high - low > 1e3) {
    const middle = (low + high) / 2;
    const found = await fitToMemory(pipeline, request, numbers, middle).catch(() => undefined); // too little for any
    if (!found || forms.indexOf(found.plan.form) >= forms.indexOf(form)) low = middle;
    else high = middle;
  }
  return low;
}

test('a learning goes on with weights in int8, or streamed, where the limit has no room for more, and says so', async () => {
  const { engine, ...whole } = await learned(null);
  const [int8Bytes, streamedBytes] = [await memoryFor('int8'), await memoryFor('streamed')];
  await engine.dispose();
  expect(whole.remarks).toEqual([]);
  expect(streamedBytes).toBeLessThan(int8Bytes);
  for (const [bytes, words, tolerance] of [
    [int8Bytes, /int8, a quarter/, 0.02],
    [streamedBytes, /read from disk/, 1e-5],
  ] as const) {
    const { engine, losses, remarks } = await learned(bytes);
    expect(remarks.join(' ')).toMatch(words);
    for (const [index, loss] of losses.entries())
      expect(Math.abs(loss / whole.losses[index]! - 1)).toBeLessThan(tolerance);
    // What is held stays so for what is generated afterwards.
    const said: string[] = [];
    const settings = editSettings.parse({ prompt: 'a dog', steps: 1, guidance: 1 });
    const output = join(folder, 'sampled.rgb');
    await engine.generate(
      { model, conceptFile: null, source: null, size: clip, settings, output },
      { onEvent: (event) => void (event.type === 'remark' && said.push(event.text)) },
    );
    expect(said.join(' ')).toMatch(words);
    await engine.dispose();
  }
}, 60_000);
