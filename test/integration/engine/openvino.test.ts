import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findOpenVino } from '../../../main/engine/backends/lazy/executors/openvino/locate.ts';
import { writeRawFrames } from '../../../main/engine/formats/raw-frames.ts';
import { createEngine } from '../../../main/engine/index.ts';
import { generateRequest } from '../../../shared/domain/engine.ts';
import type { Engine } from '../../../shared/ipc/engine-contract.ts';
import { temporaryFolder } from './tiny-model.ts';

const installed = await findOpenVino();
if (!installed) console.log('OpenVINO is not on this machine: what needs its library was skipped.');

it.skipIf(!installed)(
  'OpenVINO gives the same frames the first time, again, and after a new start',
  async () => {
    const folder = await temporaryFolder();
    const [count, height, width] = [17, 128, 128];
    const data = Uint8Array.from({ length: count * height * width * 3 }, (_, index) => (index * 7919) % 251);
    const pictures = { data, count, height, width };
    const source = await writeRawFrames(join(folder, 'source.rgb'), pictures, { numerator: 8, denominator: 1 });
    const generate = async (engine: Engine, fidelityStart: string) => {
      const settings = { prompt: 'a cat in the snow', fidelity: 0.25, steps: 4, fidelityStart };
      const request = { model: 'resources/models/motif-tiny', conceptFile: null, source, size: null, settings };
      const { frames } = await engine.generate(generateRequest.parse({ ...request, output: join(folder, 'made.rgb') }));
      return readFile(frames.file);
    };
    const inAnEngine = async (fidelityStart: string) => {
      const engine = await createEngine({ device: 'openvino', cacheFolder: folder });
      try {
        return [await generate(engine, fidelityStart), await generate(engine, fidelityStart)];
      } finally {
        await engine.dispose();
      }
    };
    try {
      for (const start of ['noise', 'inversion', 'flow-edit']) {
        const [first, again] = await inAnEngine(start);
        const [later] = await inAnEngine(start);
        expect(again!.equals(first!), `${start}, again`).toBe(true);
        expect(later!.equals(first!), `${start}, after a new start`).toBe(true);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  300_000,
);
