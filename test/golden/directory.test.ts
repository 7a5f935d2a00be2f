import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selectBackend } from '../../main/engine/backends/select.ts';
import { openWeights } from '../../main/engine/formats/diffusers.ts';
import { openWanPipeline } from '../../main/engine/models/wan/pipeline.ts';
import { savePipeline } from '../../main/engine/models/wan/save-pipeline.ts';
import { golden } from './golden.ts';

/** make_golden.py has this test write where Python then loads it. */
const given = process.env.MOTIF_GOLDEN_WRITE;
const folder = given ?? mkdtempSync(join(tmpdir(), 'motif-directory-'));
afterAll(() => given || rmSync(folder, { recursive: true }));
beforeAll(async () => {
  await selectBackend({ device: 'onnxruntime' });
});

test('a directory that we write holds every tensor and configuration that Python wrote', async () => {
  const written = join(folder, 'model');
  const pipeline = await openWanPipeline(golden('model'));
  await savePipeline(pipeline, written, 'F32');
  for (const part of ['transformer', 'vae', 'text_encoder']) {
    const [ours, theirs] = [await openWeights(join(written, part)), await openWeights(golden(`model/${part}`))];
    expect(ours.names().sort()).toEqual(theirs.names().sort());
    for (const name of theirs.names()) {
      expect(ours.info(name)).toMatchObject({ type: 'F32', shape: theirs.info(name).shape });
      expect(await ours.readFloats(name)).toEqual(await theirs.readFloats(name));
    }
    await ours.close();
    await theirs.close();
  }
  for (const file of [
    'model_index.json',
    'vae/config.json',
    'scheduler/scheduler_config.json',
    'tokenizer/tokenizer.json',
  ])
    expect(JSON.parse(readFileSync(join(written, file), 'utf8'))).toEqual(
      JSON.parse(readFileSync(golden(`model/${file}`), 'utf8')),
    );
  await pipeline.dispose();
  const again = await openWanPipeline(written);
  await expect(savePipeline(again, written)).rejects.toMatchObject({ code: 'conflict' });
});

test('Python loaded a directory that we wrote, tensor for tensor (make_golden.py written)', () => {
  expect(existsSync(golden('written.json'))).toBe(true);
  const record = JSON.parse(readFileSync(golden('written.json'), 'utf8'));
  expect(record).toMatchObject({ largestDifference: 0 });
  expect(record.tensors).toBe(248);
});
