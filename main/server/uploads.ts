import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../shared/ipc/result.ts';
import { freeBytes } from '../files/free-space.ts';
import { moveWhole, partialBeside } from '../files/place.ts';

const maximumUploadBytes = 64 * 2 ** 30;
const reserveBytes = 256 * 2 ** 20;

/**
 * Stores a dropped file under the hash of its content, so that the same file dropped twice is kept once.
 * Answers its path. Throws `invalid-input` for one that is too large or cut off, `out-of-space` when the disk
 * cannot take it.
 */
export async function receiveUpload(request: IncomingMessage, folder: string, name: string): Promise<string> {
  const expected = Number(request.headers['content-length'] ?? Number.NaN);
  if (!(expected >= 0 && expected <= maximumUploadBytes)) {
    throw new AppError('invalid-input', `${name} is larger than the 64 GB that can be uploaded.`);
  }
  await mkdir(folder, { recursive: true });
  if ((await freeBytes(folder)) < expected + reserveBytes) {
    throw new AppError('out-of-space', `There is not enough space left for ${name}.`, {
      hint: 'Free some space, or drop a smaller file.',
    });
  }
  const part = partialBeside(join(folder, 'upload'));
  const hash = createHash('sha256');
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(bytes > expected ? new AppError('invalid-input', `${name} is longer than announced.`) : null, chunk);
    },
  });
  try {
    await pipeline(request, measure, createWriteStream(part, { flags: 'wx' }));
    if (bytes !== expected)
      throw new AppError('invalid-input', `${name} arrived incomplete.`, { hint: 'Drop it again.' });
    const home = join(folder, hash.digest('hex').slice(0, 32));
    await mkdir(home, { recursive: true });
    const file = join(home, safeName(name));
    await moveWhole(part, file);
    return file;
  } finally {
    await rm(part, { force: true });
  }
}

/**
 * A name that is one on every file system: no separators, control or reserved characters, never hidden, never
 * too long.
 */
export function safeName(name: string): string {
  const cleaned = basename(name.replaceAll('\\', '/'))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
    .replaceAll(/[\u0000-\u001f<>:"|?*]/g, '_')
    .replace(/^\.+/, '')
    .slice(-120);
  return cleaned || 'clip';
}
