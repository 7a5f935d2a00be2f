import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlobCache } from '../../../../main/engine/backends/lazy/executors/openvino/blob-cache.ts';
import { createOpenVinoExecutor } from '../../../../main/engine/backends/lazy/executors/openvino/executor.ts';
import { findOpenVino } from '../../../../main/engine/backends/lazy/executors/openvino/locate.ts';
import { useLazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';

const installed = await findOpenVino();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motif-blobs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Like OpenVINO: uses the blob that it finds, else writes one. */
function compiler(text = 'blob') {
  const counts = { made: 0, found: 0 };
  const compile = async (entry: string | undefined) => {
    const file = entry && join(entry, '7.blob');
    if (file && readdirSync(entry).includes('7.blob')) {
      counts.found++;
      return readFileSync(file, 'utf8');
    }
    counts.made++;
    if (file) writeFileSync(file, text);
    return text;
  };
  return { counts, compile };
}

const entries = () => readdirSync(folder);
const blobOf = (entry: string) => join(folder, entry, '7.blob');

describe('the cache of compiled graphs', () => {
  it('answers what was compiled before, for the same key alone', async () => {
    const { counts, compile } = compiler();
    for (const key of [
      ['2026.4', 'x'],
      ['2026.4', 'x'],
      ['2026.5', 'x'],
      ['2026.', '4x'],
    ])
      expect(await new BlobCache(folder).compile(key, compile)).toBe('blob');
    expect(counts).toEqual({ made: 3, found: 1 });
    expect(entries()).toHaveLength(3);
  });

  it('drops an entry that is damaged or was not finished, and makes it anew', async () => {
    const { counts, compile } = compiler();
    const cache = new BlobCache(folder);
    await cache.compile(['x'], compile);
    const [entry] = entries();
    writeFileSync(blobOf(entry!), 'blo');
    await cache.compile(['x'], compile);
    rmSync(join(folder, entry!, 'sha256'));
    await cache.compile(['x'], compile);
    expect(counts).toEqual({ made: 3, found: 0 });
    await cache.compile(['x'], compile);
    expect(counts).toEqual({ made: 3, found: 1 });
  });

  it('gives up what was not used for longest when it grows beyond its limit', async () => {
    const { compile } = compiler('x'.repeat(1000));
    const cache = new BlobCache(folder, 2500);
    const made: string[] = [];
    for (const key of ['a', 'b', 'c']) {
      const before = new Set(entries());
      await cache.compile([key], compile);
      const entry = entries().find((name) => !before.has(name))!;
      made.push(entry);
      const age = new Date(Date.now() - 1e6 + 1e5 * made.length);
      for (const file of readdirSync(join(folder, entry))) utimesSync(join(folder, entry, file), age, age);
      if (key === 'b') await cache.compile(['a'], compile); // used again
    }
    expect(entries().sort()).toEqual([made[0]!, made[2]!].sort());
  });

  it('compiles without a folder where none can be made', async () => {
    writeFileSync(join(folder, 'file'), '');
    const { counts, compile } = compiler();
    expect(await new BlobCache(join(folder, 'file')).compile(['x'], compile)).toBe('blob');
    expect(counts).toEqual({ made: 1, found: 0 });
  });

  it.skipIf(!installed)('serves OpenVINO: a second start finds its graphs, also after one was damaged', async () => {
    async function square(): Promise<number> {
      const cacheDirectory = folder;
      await useLazyBackend(createOpenVinoExecutor({ library: installed!.path, precision: 'f32', cacheDirectory }));
      const [answer] = await tf.tidy(() => tf.sum(tf.square(tf.tensor1d([1, 2, 3])))).data();
      return answer!;
    }
    expect(await square()).toBe(14);
    const [entry] = entries();
    const blob = join(folder, entry!, readdirSync(join(folder, entry!)).find((name) => name.endsWith('.blob'))!);
    const { mtimeMs, size } = statSync(blob);
    expect(await square()).toBe(14);
    expect(statSync(blob).mtimeMs).toBe(mtimeMs);
    writeFileSync(blob, Buffer.alloc(size, 7));
    expect(await square()).toBe(14);
    expect(readFileSync(blob)).not.toEqual(Buffer.alloc(size, 7));
    expect(entries()).toEqual([entry]);
  });

  it.skipIf(!installed)(
    'lets programs rest: they give back their memory, and compute the same when they are needed again',
    async () => {
      const library = installed!.path;
      const run = async () => tf.tidy(() => tf.sum(tf.square(tf.tensor1d([1, 2, 3])))).data();
      const backend = await useLazyBackend(
        createOpenVinoExecutor({ library, precision: 'f32', cacheDirectory: folder }),
      );
      const first = await run();
      expect(backend.computation.rest()).toBe(true);
      expect(await run()).toEqual(first);
      backend.computation.rest();
      backend.computation.rest();
      expect(await Promise.all([run(), run()])).toEqual([first, first]);
      const uncached = await useLazyBackend(createOpenVinoExecutor({ library, precision: 'f32' }));
      await run();
      expect(uncached.computation.rest()).toBe(false);
    },
  );
});

if (!installed) console.log('OpenVINO is not on this machine: what needs its library was skipped.');
