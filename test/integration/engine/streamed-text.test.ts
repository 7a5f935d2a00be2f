import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { createEngine } from '../../../main/engine/index.ts';
import { textEncoderConfigSchema, textEncoderSpecs } from '../../../main/engine/models/wan/text-encoder-config.ts';
import { editSettings } from '../../../shared/domain/edit.ts';
import { writeSparse } from '../../bench/full-size-models.ts';

const folder = mkdtempSync(join(tmpdir(), 'motif-streamed-text-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a text encoder too large for memory says how far it is, and is read once for all words of a clip', async () => {
  const model = join(folder, 'model');
  cpSync(fileURLToPath(new URL('../../../resources/models/motif-tiny', import.meta.url)), model, { recursive: true });
  // So many words that it is read layer by layer, most of them never; zeros, which take no disk.
  const file = join(model, 'text_encoder/config.json');
  const config = textEncoderConfigSchema.parse({ ...JSON.parse(readFileSync(file, 'utf8')), vocab_size: 4_000_000 });
  writeFileSync(file, JSON.stringify(config));
  const shapes = [...textEncoderSpecs(config)].map(([name, { stored }]): [string, number[]] => [name, stored]);
  writeSparse(join(model, 'text_encoder/model.safetensors'), new Map(shapes));
  const engine = await createEngine({ device: 'onnxruntime' });
  try {
    const size = { frameCount: 1, width: 128, height: 128 };
    const phases = async (prompt: string) => {
      const told: string[] = [];
      const settings = editSettings.parse({ prompt, negativePrompt: 'blurred', steps: 1, guidance: 3, fidelity: 0 });
      await engine.generate(
        { model, conceptFile: null, source: null, size, settings, output: join(folder, 'made.rgb') },
        {
          onEvent(event) {
            if (event.type === 'progress') told.push(`${event.progress.phase} ${event.progress.done}`);
          },
        },
      );
      return told;
    };
    const layers = Array.from({ length: config.num_layers }, (_, index) => `text ${index + 1}`);
    expect(await phases('a dog')).toEqual([...layers, 'sample 1', 'decode 1']);
    expect(await phases('a dog')).toEqual(['sample 1', 'decode 1']);
    expect((await phases('a cat')).slice(0, layers.length)).toEqual(layers);
  } finally {
    await engine.dispose();
  }
});
