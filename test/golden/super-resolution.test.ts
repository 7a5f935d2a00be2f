import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { enlarge } from '../../main/engine/models/super-resolution/enlarge.ts';
import { onEachBackend, openCase } from './golden.ts';

const folder = fileURLToPath(new URL('../../resources/models/super-resolution', import.meta.url));

onEachBackend(() => {
  test('super-resolution makes of pictures what it makes in PyTorch, however many at a time', async () => {
    const { pictures, large } = await openCase('super-resolution');
    const [count, height, width] = pictures!.shape as [number, number, number, number];
    const bytes = Uint8Array.from(await pictures!.data(), (value) => Math.round(255 * value));
    const made = await enlarge(folder, { data: bytes, count, width, height });
    expect([made.count, made.width, made.height]).toEqual([2, 40, 24]);
    // What goes in is rounded to 8 bits here and was not there: what comes out may differ by as much and a little more.
    const expected = Array.from(await large!.data(), (value) => Math.round(255 * value));
    const differences = expected.map((value, index) => Math.abs(value - made.data[index]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(6);
    expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(0.6);
    const second = await enlarge(folder, { data: bytes.subarray(bytes.length / 2), count: 1, width, height });
    expect(Buffer.from(second.data).equals(Buffer.from(made.data.subarray(made.data.length / 2)))).toBe(true);
  });
});

test('super-resolution stops when it is told to, and says which file is damaged', async () => {
  const black = { data: new Uint8Array(4 * 4 * 3), count: 1, width: 4, height: 4 };
  await expect(enlarge(folder, black, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  const copy = mkdtempSync(join(tmpdir(), 'motif-super-resolution-'));
  cpSync(join(folder, 'model.safetensors'), join(copy, 'model.safetensors'));
  const whole = readFileSync(join(copy, 'model.safetensors'));
  writeFileSync(join(copy, 'model.safetensors'), whole.subarray(0, whole.length - 10));
  await expect(enlarge(copy, black)).rejects.toMatchObject({ code: 'damaged-file' });
  rmSync(copy, { recursive: true });
});
