import type { FileHandle } from 'node:fs/promises';
import { damagedTensors, readExactly } from './tensor-file.ts';

/** A file in an archive: where its bytes are, from the archive's beginning on. */
export interface ZipEntry {
  position: number;
  bytes: number;
  isCompressed: boolean;
}

const endBytes = 22;
const longestComment = 65_535;
/** A checkpoint's archive has a file for each tensor. */
const maximumEntries = 200_000;
const maximumDirectoryBytes = 100e6;

/**
 * The files of a zip archive by name (APPNOTE 6.3.10, with the 64-bit extension). Reads its directory and each file's own header alone.
 * Throws `damaged-file`.
 */
export async function readZipDirectory(path: string, handle: FileHandle): Promise<Map<string, ZipEntry>> {
  const { size } = await handle.stat();
  const { count, bytes, position } = await findDirectory(path, handle, size);
  if (count > maximumEntries || bytes > maximumDirectoryBytes)
    throw damagedTensors(path, `its directory claims ${count} files in ${bytes} bytes`);
  if (position + bytes > size) throw damagedTensors(path, 'truncated: its directory lies beyond its end');
  const directory = await readExactly(path, handle, position, bytes, 'its directory');
  const files = new Map<string, ZipEntry>();
  for (let at = 0, index = 0; index < count; index++) {
    if (at + 46 > bytes || directory.readUInt32LE(at) !== 0x02014b50)
      throw damagedTensors(path, `file ${index} of its directory is described wrongly`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => directory.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const extraAt = at + 46 + nameBytes;
    if (extraAt + extraBytes + commentBytes > bytes) throw damagedTensors(path, 'its directory ends within a file');
    const name = directory.toString('utf8', at + 46, extraAt);
    const wide = wideNumbers(directory.subarray(extraAt, extraAt + extraBytes));
    const number = (offset: number) => {
      const value = directory.readUInt32LE(at + offset);
      return value === 0xffffffff ? (wide.shift() ?? value) : value;
    };
    const whole = number(24); // the size comes before the packed size among the 64-bit numbers too
    const stored = number(20);
    const header = number(42);
    const entry = { bytes: stored, isCompressed: directory.readUInt16LE(at + 10) !== 0 };
    if (!entry.isCompressed && whole !== stored) throw damagedTensors(path, `"${name}" has two sizes`);
    if (files.has(name)) throw damagedTensors(path, `"${name}" is in it twice`);
    files.set(name, { ...entry, position: await contentAt(path, handle, header, size, stored) });
    at = extraAt + extraBytes + commentBytes;
  }
  return files;
}

/** The directory's place, from the record at the end of the archive. */
async function findDirectory(path: string, handle: FileHandle, size: number) {
  const tailBytes = Math.min(size, endBytes + longestComment);
  const tail = await readExactly(path, handle, size - tailBytes, tailBytes, 'its end');
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0 || end + endBytes > tailBytes)
    throw damagedTensors(path, 'truncated: the directory at its end is missing');
  const small = {
    count: tail.readUInt16LE(end + 10),
    bytes: tail.readUInt32LE(end + 12),
    position: tail.readUInt32LE(end + 16),
  };
  const locator = end - 20;
  if (locator < 0 || tail.readUInt32LE(locator) !== 0x07064b50) return small;
  const wideAt = Number(tail.readBigUInt64LE(locator + 8));
  if (wideAt + 56 > size) throw damagedTensors(path, 'the place of its directory is wrong');
  const wide = await readExactly(path, handle, wideAt, 56, 'its end');
  if (wide.readUInt32LE(0) !== 0x06064b50) throw damagedTensors(path, 'the place of its directory is wrong');
  const [count, bytes, position] = [32, 40, 48].map((offset) => Number(wide.readBigUInt64LE(offset)));
  return { count: count!, bytes: bytes!, position: position! };
}

/** 64-bit numbers of the extra field, in the order in which the 32-bit ones are too small. */
function wideNumbers(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) {
      const field = extra.subarray(at + 4, at + 4 + length);
      return Array.from({ length: Math.floor(Math.min(field.length, 24) / 8) }, (_, index) =>
        Number(field.readBigUInt64LE(8 * index)),
      );
    }
    at += 4 + length;
  }
  return [];
}

/** Where a file's bytes begin, behind its own header, whose name and extra field may have other lengths than the directory's. */
async function contentAt(path: string, handle: FileHandle, header: number, size: number, bytes: number) {
  const beyond = () => damagedTensors(path, 'a file in it lies beyond its end (truncated?)');
  if (!(header + 30 <= size)) throw beyond();
  const own = await readExactly(path, handle, header, 30, 'a file in it');
  if (own.readUInt32LE(0) !== 0x04034b50) throw damagedTensors(path, 'a file is not where its directory says');
  const position = header + 30 + own.readUInt16LE(26) + own.readUInt16LE(28);
  if (!(position + bytes <= size)) throw beyond();
  return position;
}
