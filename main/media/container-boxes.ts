import { type FileHandle, open } from 'node:fs/promises';

/** Boxes of ISO media files (MP4, MOV) that hold other boxes on the way to a track's sample entries. */
const containers = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl']);
const maximumBoxes = 4096;

/**
 * Whether an MP4 or MOV file declares an encrypted video track (a sample entry `encv`, ISO/IEC 23001-7). ffprobe shows
 * such a track under its original name, and older versions say nothing else about it. False for any other file.
 */
export async function declaresEncryptedVideo(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const found: string[] = [];
    await walk(file, 0, size, found, { left: maximumBoxes });
    return found.includes('encv');
  } finally {
    await file.close();
  }
}

async function walk(
  file: FileHandle,
  from: number,
  to: number,
  sampleEntries: string[],
  budget: { left: number },
): Promise<void> {
  const header = Buffer.alloc(16);
  let position = from;
  while (position + 8 <= to && budget.left-- > 0) {
    const { bytesRead } = await file.read(header, 0, 16, position);
    if (bytesRead < 8) return;
    const type = header.toString('latin1', 4, 8);
    let size = header.readUInt32BE(0);
    let headerSize = 8;
    if (size === 1 && bytesRead === 16) {
      size = Number(header.readBigUInt64BE(8));
      headerSize = 16;
    }
    const end = size === 0 ? to : Math.min(to, position + size);
    if (end < position + headerSize) return; // no box: not such a file, or damaged
    if (containers.has(type)) await walk(file, position + headerSize, end, sampleEntries, budget);
    if (type === 'stsd') await readEntries(file, position + headerSize + 8, end, sampleEntries);
    position = end;
  }
}

async function readEntries(file: FileHandle, from: number, to: number, sampleEntries: string[]): Promise<void> {
  const header = Buffer.alloc(8);
  let position = from;
  while (position + 8 <= to && sampleEntries.length < 64) {
    const { bytesRead } = await file.read(header, 0, 8, position);
    const size = header.readUInt32BE(0);
    if (bytesRead < 8 || size < 8) return;
    sampleEntries.push(header.toString('latin1', 4, 8));
    position += size;
  }
}
