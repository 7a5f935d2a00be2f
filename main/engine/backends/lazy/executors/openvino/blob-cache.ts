import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Serialiser } from '../../../../../../shared/structures/serialiser.ts';
import { writeWhole } from '../../../../../files/place.ts';

/** Name of the file beside a blob that holds its checksum: a blob without one was not written to its end. */
const checksumFile = 'sha256';

/**
 * Compiled graphs on disk, a folder for each, in which OpenVINO itself keeps its blob (its property CACHE_DIR). OpenVINO trusts what it
 * finds there, so that a damaged file could end the process: a blob is only offered to it when its checksum is right.
 */
export class BlobCache {
  private readonly folder: string;
  private readonly limitBytes: number;
  /** One entry at a time is written and pruned. */
  private readonly writing = new Serialiser();

  constructor(folder: string, limitBytes = 512 * 2 ** 20) {
    this.folder = folder;
    this.limitBytes = limitBytes;
  }

  /**
   * Runs `compile` with the folder for a graph, which holds a whole blob or nothing, and keeps what it leaves there. `key` is everything
   * that a blob depends on. Where the folder cannot be used, `compile` runs without one.
   */
  async compile<T>(
    key: readonly (string | Uint8Array)[],
    compile: (folder: string | undefined) => Promise<T>,
  ): Promise<T> {
    const hash = createHash('sha256');
    for (const part of key) hash.update(`${part.length}:`).update(part);
    const entry = join(this.folder, hash.digest('hex').slice(0, 32));
    const known = await this.open(entry).catch(() => undefined);
    if (known === undefined) return compile(undefined);
    const compiled = await compile(entry);
    if (!known) {
      // A cache that cannot be written is no error.
      await this.writing.run(() => this.keep(entry)).catch(() => {});
    }
    return compiled;
  }

  /** Makes sure that an entry holds a whole blob, which is answered, or nothing. */
  private async open(entry: string): Promise<boolean> {
    await mkdir(entry, { recursive: true });
    const wanted = await readFile(join(entry, checksumFile), 'utf8').catch(() => '');
    const found = await checksumOf(entry);
    if (wanted !== '' && wanted === found) {
      const now = new Date();
      await utimes(join(entry, checksumFile), now, now); // the time of the last use
      return true;
    }
    if (wanted !== '' || found !== '') {
      await rm(entry, { recursive: true, force: true });
      await mkdir(entry, { recursive: true });
    }
    return false;
  }

  private async keep(entry: string): Promise<void> {
    const checksum = await checksumOf(entry);
    if (checksum === '') return; // this version keeps nothing of such a graph
    await writeWhole(join(entry, checksumFile), checksum);
    await this.prune(entry);
  }

  /** Removes what was not used for longest until the rest is within the limit. */
  private async prune(newest: string): Promise<void> {
    const entries: { path: string; bytes: number; usedAt: number }[] = [];
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      const files = await readdir(path).catch(() => undefined);
      if (!files) {
        await rm(path, { force: true }); // no entry of ours, or removed by another process meanwhile
        continue;
      }
      const sizes = await Promise.all(files.map((file) => stat(join(path, file)).catch(() => undefined)));
      const bytes = sizes.reduce((sum, file) => sum + (file?.size ?? 0), 0);
      const usedAt = Math.max(0, ...sizes.map((file) => file?.mtimeMs ?? 0));
      entries.push({ path, bytes, usedAt });
    }
    let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { path, bytes } of entries.sort((a, b) => a.usedAt - b.usedAt)) {
      if (total <= this.limitBytes) return;
      if (path === newest) continue;
      await rm(path, { recursive: true, force: true });
      total -= bytes;
    }
  }
}

/** Of all blobs of an entry together; '' where there is none. */
async function checksumOf(entry: string): Promise<string> {
  const blobs = (await readdir(entry)).filter((name) => name.endsWith('.blob')).sort();
  if (blobs.length === 0) return '';
  const hash = createHash('sha256');
  for (const name of blobs) {
    hash.update(`${name}\n`);
    await pipeline(createReadStream(join(entry, name)), hash, { end: false });
  }
  return hash.digest('hex');
}
