import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import { codecs, type StoredType, storedBytes } from './stored-types.ts';
import { damagedTensors, type PlacedTensor, readExactly, type StoredInfo } from './tensor-file.ts';

/** Types that the format has and that are not read: six and fewer bits, scales, complex and unsigned numbers. */
const otherTypes = /^(F8_E8M0|F6_\w+|F4|U16|U32|U64|C64)$/;

/** What safetensors can hold of the types that are read. */
type FileType = Exclude<StoredType, `Q${string}`>;

/** A tensor's place among the values: bytes from the end of the header on. */
interface Entry extends StoredInfo {
  start: number;
  end: number;
}

export interface Header {
  tensors: Map<string, PlacedTensor>;
  metadata: Record<string, string>;
}

/** A file that claims a longer header than this is not one (the reference reader draws the same line). */
const maximumHeaderBytes = 100e6;
/** The largest published checkpoints hold some thousands. */
const maximumTensors = 200_000;

const headerEntry = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()).max(16),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/** Reads the header of an open safetensors file and holds it against the file's size. Throws `damaged-file`. */
export async function readHeader(path: string, handle: FileHandle): Promise<Header> {
  const { size } = await handle.stat();
  if (size < 8) throw damagedTensors(path, `${size} bytes are too few for a safetensors file`);
  const prefix = await readExactly(path, handle, 0, 8);
  const headerBytes = Number(prefix.readBigUInt64LE());
  if (headerBytes > maximumHeaderBytes || headerBytes < 2)
    throw damagedTensors(path, `not a safetensors file (it claims a header of ${headerBytes} bytes)`);
  if (8 + headerBytes > size)
    throw damagedTensors(path, `truncated: the header alone has ${headerBytes} bytes, the file ${size}`);
  const { metadata, tensors } = parseHeader(path, await readExactly(path, handle, 8, headerBytes));
  const entries = new Map(tensors.map(([name, value]) => [name, checkEntry(path, name, value)]));
  checkLayout(path, entries, size - 8 - headerBytes);
  const placed = [...entries].map(([name, { start, end: _, ...info }]): [string, PlacedTensor] => [
    name,
    { ...info, position: 8 + headerBytes + start },
  ]);
  return { tensors: new Map(placed), metadata };
}

function parseHeader(
  path: string,
  bytes: Buffer,
): { metadata: Record<string, string>; tensors: [name: string, value: unknown][] } {
  const text = bytes.toString('utf8');
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw damagedTensors(path, `the header is not JSON (${(cause as Error).message})`);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw damagedTensors(path, 'the header is not a JSON object');
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw damagedTensors(path, `its header describes "${repeated}" twice`);
  const all = Object.entries(header);
  const metadata = z.record(z.string(), z.string()).safeParse(all.find(([name]) => name === '__metadata__')?.[1] ?? {});
  if (!metadata.success) throw damagedTensors(path, 'the metadata is not a table of texts');
  const tensors = all.filter(([name]) => name !== '__metadata__');
  if (tensors.length > maximumTensors) throw damagedTensors(path, `it claims to hold ${tensors.length} tensors`);
  return { metadata: metadata.data, tensors };
}

/**
 * The first key that an object of valid JSON has twice, at its top or in an object directly within. JSON.parse keeps the last of them
 * without a word, and which one another program reads is anybody's guess.
 */
function repeatedKey(text: string): string | undefined {
  const seen: Set<string>[] = [];
  const colon = /\s*:/y;
  for (let position = 0; position < text.length; position++) {
    const character = text[position];
    if (character === '{') seen.push(new Set());
    else if (character === '}') seen.pop();
    else if (character === '"') {
      const end = endOfString(text, position);
      colon.lastIndex = end;
      if (seen.length <= 2 && colon.test(text)) {
        const key = JSON.parse(text.slice(position, end)) as string;
        if (seen.at(-1)!.has(key)) return key;
        seen.at(-1)!.add(key);
      }
      position = end - 1;
    }
  }
  return undefined;
}

/** The position behind the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let end = start + 1;
  while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}

function checkEntry(path: string, name: string, value: unknown): Entry {
  const parsed = headerEntry.safeParse(value);
  if (!parsed.success)
    throw damagedTensors(path, `tensor "${name}" is described wrongly (${z.prettifyError(parsed.error)})`);
  const { dtype, shape, data_offsets } = parsed.data;
  if (otherTypes.test(dtype))
    throw new AppError('invalid-input', `${path}: tensor "${name}" is stored as ${dtype}, which is not supported.`, {
      hint: 'Choose an edition of the file in float32, float16, bfloat16 or float8.',
    });
  if (!Object.hasOwn(codecs, dtype) || dtype.startsWith('Q'))
    throw damagedTensors(path, `tensor "${name}" has the unknown type ${dtype}`);
  const type = dtype as FileType;
  const [start, end] = data_offsets;
  const expected = storedBytes(type, shape);
  if (end - start !== expected)
    throw damagedTensors(
      path,
      `tensor "${name}" of ${dtype} [${shape}] needs ${expected} bytes, the header gives ${end - start}`,
    );
  return { file: path, type, shape, start, end };
}

/** The values must fill the rest of the file without gap or overlap, in any order. */
function checkLayout(path: string, entries: Map<string, Entry>, dataBytes: number): void {
  let position = 0;
  let previous = '';
  for (const [name, { start, end }] of [...entries].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    if (end > dataBytes)
      throw damagedTensors(
        path,
        `tensor "${name}" ends at byte ${end} of the values, the file has ${dataBytes} (truncated?)`,
      );
    if (start < position) throw damagedTensors(path, `tensors "${previous}" and "${name}" overlap`);
    if (start > position)
      throw damagedTensors(path, `${start - position} bytes before tensor "${name}" belong to none`);
    position = end;
    previous = name;
  }
  if (position !== dataBytes)
    throw damagedTensors(path, `${dataBytes - position} bytes at the end belong to no tensor`);
}

/** What a text of a header's metadata holds; undefined where it is no JSON, or not there. */
export function parseMetadata(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
