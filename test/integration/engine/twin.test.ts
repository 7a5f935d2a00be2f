import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as tf from '../../../main/engine/backends/tf.ts';
import { createEngine } from '../../../main/engine/index.ts';
import { Random } from '../../../main/engine/nn/random.ts';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import type { EngineEvent } from '../../../shared/domain/engine.ts';
import type { Engine } from '../../../shared/ipc/engine-contract.ts';
import { temporaryFolder } from './tiny-model.ts';

/** A random network of six frames a chunk, in patches of 4 x 4. */
const twin = fileURLToPath(new URL('../../golden/vidtwin/full', import.meta.url));
const entangled = fileURLToPath(new URL('../../golden/vidtwin/no-disentanglement', import.meta.url));
const whole = { structure: 1, dynamics: 1 };

let engine: Engine;
let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  engine = await createEngine({ threads: 1, device: 'onnxruntime' });
});
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});

async function writeNoise(name: string, frameCount: number, width: number, height: number): Promise<RawFrames> {
  const random = new Random(name);
  const file = join(folder, `${name}.rgb`);
  await writeFile(
    file,
    Uint8Array.from({ length: frameCount * width * height * 3 }, () => random.integer(256)),
  );
  return { file, frameCount, width, height, rate: { numerator: 8, denominator: 1 } };
}

const output = (name: string) => join(folder, name);

describe('a clip as a file of two latents', () => {
  test('has the length and size of the clip when it is decoded, also where neither fits the network', async () => {
    const frames = await writeNoise('odd', 15, 21, 11);
    const encoded = await engine.encodeTwin({ twin, frames, output: output('odd.twin') });
    // 15 frames in chunks of 6 that overlap by one: three; 6 x 3 patches, halved to 3 x 2 cells.
    expect(encoded).toMatchObject({ chunks: 3, frameCount: 15, width: 21, height: 11 });
    expect(encoded.structureNumbers).toBe(3 * 4 * 3 * (3 * 2));
    expect(encoded.dynamicsNumbers).toBe(3 * 6 * 5 * (2 + 3));
    expect(encoded.rate).toBeCloseTo((encoded.structureNumbers + encoded.dynamicsNumbers) / (3 * 15 * 21 * 11), 9);
    expect(encoded.psnr).toBeGreaterThan(0);
    expect(encoded.sizeBytes).toBe((await readFile(encoded.file)).length);
    const decoded = await engine.decodeTwin({
      twin,
      file: encoded.file,
      strengths: whole,
      output: output('odd-decoded.rgb'),
    });
    expect(decoded).toMatchObject({ frameCount: 15, width: 21, height: 11, rate: frames.rate });
    const [made, source] = [await readFile(decoded.file), await readFile(frames.file)];
    const error = made.reduce((sum, value, index) => sum + (value - source[index]!) ** 2, 0) / made.length;
    expect(10 * Math.log10(255 ** 2 / error)).toBeCloseTo(encoded.psnr!, 5);
  });

  test('is refused by another network', async () => {
    const other = output('other');
    await cp(twin, other, { recursive: true });
    const config = JSON.parse(await readFile(join(other, 'config.json'), 'utf8'));
    await writeFile(join(other, 'config.json'), JSON.stringify({ ...config, causal: false }));
    const frames = await writeNoise('own', 6, 20, 12);
    const { file } = await engine.encodeTwin({ twin, frames, output: output('own.twin') });
    await expect(
      engine.decodeTwin({ twin: other, file, strengths: whole, output: output('own.rgb') }),
    ).rejects.toMatchObject({ code: 'invalid-input', message: expect.stringContaining('another network') });
  });

  test('is refused where it is cut off, and where it is another kind of file', async () => {
    const frames = await writeNoise('cut', 6, 20, 12);
    const { file } = await engine.encodeTwin({ twin, frames, output: output('cut.twin') });
    await writeFile(file, (await readFile(file)).subarray(0, -20));
    const decode = (broken: string) =>
      engine.decodeTwin({ twin, file: broken, strengths: whole, output: output('broken.rgb') });
    await expect(decode(file)).rejects.toMatchObject({ code: 'damaged-file' });
    await expect(decode(join(twin, 'model.safetensors'))).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(decode(output('nothing.twin'))).rejects.toMatchObject({ code: 'not-found' });
  });

  test('needs a network: one that is not there is named', async () => {
    const frames = await writeNoise('none', 6, 20, 12);
    await expect(
      engine.encodeTwin({ twin: output('nowhere'), frames, output: output('none.twin') }),
    ).rejects.toMatchObject({ code: 'not-found', hint: expect.stringContaining('--twin') });
  });
});

describe('reenactment', () => {
  const reenact = (name: string, structure: RawFrames, dynamics: RawFrames, strengths = whole) =>
    engine.reenact({ twin, structure, dynamics, strengths, output: output(`${name}.rgb`) });

  test('has the size of the structure and the length of the shorter', async () => {
    const made = await reenact('sizes', await writeNoise('a', 9, 20, 12), await writeNoise('b', 13, 40, 52));
    expect(made).toMatchObject({ frameCount: 9, width: 20, height: 12 });
    const other = await reenact('lengths', await writeNoise('a', 9, 20, 12), await writeNoise('c', 7, 20, 12));
    expect(other.frameCount).toBe(7);
  });

  test('of a clip with itself is the clip decoded', async () => {
    const clip = await writeNoise('self', 11, 20, 12);
    const made = await readFile((await reenact('self-made', clip, clip)).file);
    const { file } = await engine.encodeTwin({ twin, frames: clip, output: output('self.twin') });
    const decoded = await engine.decodeTwin({ twin, file, strengths: whole, output: output('self-decoded.rgb') });
    const stored = await readFile(decoded.file);
    // The file holds half precision.
    expect(made.reduce((most, value, index) => Math.max(most, Math.abs(value - stored[index]!)), 0)).toBeLessThan(4);
  });

  test('shows structure alone whatever the dynamics are, and dynamics alone whatever the structure is', async () => {
    const [a, b, c] = [
      await writeNoise('one', 6, 20, 12),
      await writeNoise('two', 6, 20, 12),
      await writeNoise('three', 6, 20, 12),
    ];
    const bytes = async (name: string, structure: RawFrames, dynamics: RawFrames, strengths: typeof whole) =>
      readFile((await reenact(name, structure, dynamics, strengths)).file);
    const structureOnly = { structure: 1, dynamics: 0 };
    const dynamicsOnly = { structure: 0, dynamics: 1 };
    expect(await bytes('s1', a, b, structureOnly)).toEqual(await bytes('s2', a, c, structureOnly));
    expect(await bytes('d1', a, b, dynamicsOnly)).toEqual(await bytes('d2', c, b, dynamicsOnly));
    expect(await bytes('both', a, b, whole)).not.toEqual(await bytes('more', a, b, { structure: 1, dynamics: 1.5 }));
  });

  test('is refused by a network whose latents are not apart', async () => {
    const clip = await writeNoise('flat', 6, 20, 12);
    await expect(
      engine.reenact({ twin: entangled, structure: clip, dynamics: clip, strengths: whole, output: output('x.rgb') }),
    ).rejects.toMatchObject({ code: 'invalid-input' });
  });

  test('tells how far it is, stops when it is cancelled, and leaves no tensor behind', async () => {
    const clip = await writeNoise('long', 60, 20, 12);
    await reenact('warm', await writeNoise('other', 60, 20, 12), await writeNoise('another', 60, 20, 12));
    const before = tf.memory().numTensors;
    const stop = new AbortController();
    const phases: string[] = [];
    const onEvent = (event: EngineEvent) => {
      if (event.type !== 'progress') return;
      phases.push(event.progress.phase);
      if (event.progress.phase === 'dynamics' && event.progress.done === 3) stop.abort();
    };
    await expect(
      engine.reenact(
        {
          twin,
          structure: await writeNoise('b60', 60, 20, 12),
          dynamics: clip,
          strengths: whole,
          output: output('stopped.rgb'),
        },
        { signal: stop.signal, onEvent },
      ),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect([...new Set(phases)]).toEqual(['structure', 'dynamics']);
    // Both latents of the first clip are kept for the next call.
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before + 2);
  });

  test('decodes alone when a strength moves, and encodes a clip again that was written since', async () => {
    const [a, b] = [await writeNoise('slide-a', 6, 20, 12), await writeNoise('slide-b', 6, 20, 12)];
    const phasesOf = async (name: string, dynamics: number) => {
      const phases = new Set<string>();
      await engine.reenact(
        { twin, structure: a, dynamics: b, strengths: { structure: 1, dynamics }, output: output(name) },
        { onEvent: (event) => event.type === 'progress' && phases.add(event.progress.phase) },
      );
      return [...phases];
    };
    expect(await phasesOf('slide-1.rgb', 1)).toEqual(['structure', 'dynamics', 'decode']);
    expect(await phasesOf('slide-2.rgb', 0.5)).toEqual(['decode']);
    await writeFile(b.file, new Uint8Array(6 * 20 * 12 * 3).fill(9));
    expect(await phasesOf('slide-3.rgb', 0.5)).toEqual(['dynamics', 'decode']);
  });
});
