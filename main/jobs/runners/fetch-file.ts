import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../../shared/ipc/result.ts';
import { moveWhole } from '../../files/place.ts';
import { ask, type RemoteFile, unreachable } from './hub.ts';

/** Goes on where an earlier attempt broke off. Throws `damaged-file` when what arrived is not what was promised. */
export async function fetchFile(
  address: string,
  file: RemoteFile,
  target: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  mkdirSync(dirname(target), { recursive: true });
  const part = `${target}.part`;
  const hash = file.lfs ? createHash('sha256') : createHash('sha1').update(`blob ${file.size}\0`);
  const known = existsSync(part) ? statSync(part).size : 0;
  const resumes = known > 0 && known < file.size;
  if (!resumes) rmSync(part, { force: true });
  else await pipeline(createReadStream(part), countInto(hash, onBytes, signal), { signal });
  const answer = await ask(address, signal, resumes ? { Range: `bytes=${known}-` } : {});
  if (resumes && answer.status !== 206) {
    // The server sends it whole again.
    await answer.body?.cancel();
    rmSync(part, { force: true });
    onBytes(-known);
    return fetchFile(address, file, target, signal, onBytes);
  }
  if (answer.body) {
    const write = createWriteStream(part, { flags: 'a' });
    const rest = file.size - (resumes ? known : 0);
    await pipeline(Readable.fromWeb(answer.body as never), passThrough(hash, rest, file, onBytes), write, {
      signal,
    }).catch((thrown: unknown) => {
      if (thrown instanceof AppError) rmSync(part, { force: true });
      // Only what the network did is Node's to word; a full disk says so itself.
      throw signal.aborted || !(thrown instanceof TypeError) ? thrown : unreachable(address, thrown);
    });
  } else createWriteStream(part, { flags: 'a' }).end();
  const expected = file.lfs?.sha256 ?? file.blobId;
  const found = hash.digest('hex');
  if (found !== expected) {
    rmSync(part, { force: true });
    throw new AppError('damaged-file', `${file.rfilename} arrived damaged: its hash is ${found}, not ${expected}.`, {
      hint: 'Try again: this file is fetched anew, the others are kept.',
    });
  }
  const arrived = statSync(part).size;
  if (arrived !== file.size) {
    rmSync(part, { force: true });
    throw new AppError('damaged-file', `${file.rfilename} has ${arrived} bytes, and ${file.size} were announced.`, {
      hint: 'Try again later, or fetch it in another way, and name the file or folder on the disk.',
    });
  }
  await moveWhole(part, target);
}

/** Breaks off after `rest` bytes: a server that sends more than it announced would fill the disk. */
function passThrough(hash: Hash, rest: number, file: RemoteFile, onBytes: (bytes: number) => void): Transform {
  let left = rest;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      if (left < 0) return done(tooLong(file));
      hash.update(chunk);
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
}

function tooLong({ rfilename, size }: RemoteFile): AppError {
  return new AppError('damaged-file', `${rfilename} is longer than the ${size} bytes that were announced.`, {
    hint: 'Try again later, or fetch it in another way, and name the file or folder on the disk.',
  });
}

/** Reads what is there already into the hash. */
function countInto(hash: Hash, onBytes: (bytes: number) => void, signal: AbortSignal) {
  return async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      signal.throwIfAborted();
      hash.update(chunk);
      onBytes(chunk.length);
    }
  };
}
