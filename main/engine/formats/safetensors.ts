import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import { decodeBrain, decodeHalf } from './half.ts';

/** Bytes per value of the types that we read. */
export const typeBytes = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const;

type StoredType = keyof typeof typeBytes;

interface StoredInfo {
  /** The file that holds it, for messages. */
  file: string;
  type: StoredType;
  shape: number[];
}

/** Named tensors in one file or several, read one by one. */
export interface TensorSource {
  /** The file or index that was opened. */
  readonly path: string;
  readonly metadata: Record<string, string>;
  names(): string[];
  has(name: string): boolean;
  /** Throws `damaged-file`, naming file and tensor, when there is no such tensor. */
  info(name: string): StoredInfo;
  /**
   * Values as float32, whatever the type; all of them, or `count` from the flat index `first` on.
   * float64 and 64-bit integers lose what float32 cannot hold.
   */
  readFloats(name: string, first?: number, count?: number): Promise<Float32Array>;
  /** Values of an integer type (or BOOL as 0 and 1). Throws on a 64-bit value beyond 2^53. */
  readIntegers(name: string): Promise<number[]>;
  close(): Promise<void>;
}

/** A file that claims a longer header than this is not one (the reference reader draws the same line). */
const maxHeaderBytes = 100e6;
/** Values are read and converted in pieces of this size, so that a tensor of gigabytes costs no second copy. */
const pieceBytes = 16 * 2 ** 20;

const headerEntry = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

interface Entry extends StoredInfo {
  start: number;
  end: number;
}

function damaged(path: string, message: string): AppError {
  return new AppError('damaged-file', `${path}: ${message}`, {
    hint: 'The file is incomplete or was not written as safetensors. Copy or download it again.',
  });
}

/**
 * Opens a safetensors file (https://huggingface.co/docs/safetensors): 8 bytes header length, a JSON header, then the values.
 * Only the header is read. Throws `not-found`, or `damaged-file` when the header does not describe the file.
 */
export async function openSafetensors(path: string): Promise<TensorSource> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (cause) {
    throw new AppError('not-found', `${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
  try {
    return await readHeader(path, handle);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readHeader(path: string, handle: FileHandle): Promise<TensorSource> {
  const { size } = await handle.stat();
  if (size < 8) throw damaged(path, `${size} bytes are too few for a safetensors file`);
  const prefix = Buffer.alloc(8);
  await handle.read(prefix, 0, 8, 0);
  const headerBytes = Number(prefix.readBigUInt64LE());
  if (headerBytes > maxHeaderBytes || headerBytes < 2)
    throw damaged(path, `not a safetensors file (it claims a header of ${headerBytes} bytes)`);
  if (8 + headerBytes > size)
    throw damaged(path, `truncated: the header alone has ${headerBytes} bytes, the file ${size}`);
  const text = Buffer.alloc(headerBytes);
  await handle.read(text, 0, headerBytes, 8);
  let header: unknown;
  try {
    header = JSON.parse(text.toString('utf8'));
  } catch (cause) {
    throw damaged(path, `the header is not JSON (${(cause as Error).message})`);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw damaged(path, 'the header is not a JSON object');
  const { __metadata__: metadata = {}, ...rest } = header as Record<string, unknown>;
  const parsed = z.record(z.string(), z.string()).safeParse(metadata);
  if (!parsed.success) throw damaged(path, 'the metadata is not a table of texts');
  const entries = new Map(Object.entries(rest).map(([name, value]) => [name, checkEntry(path, name, value)]));
  checkLayout(path, entries, size - 8 - headerBytes);
  return new SafetensorsFile(path, handle, entries, 8 + headerBytes, parsed.data);
}

function checkEntry(path: string, name: string, value: unknown): Entry {
  const parsed = headerEntry.safeParse(value);
  if (!parsed.success) throw damaged(path, `tensor "${name}" is described wrongly (${z.prettifyError(parsed.error)})`);
  const { dtype, shape, data_offsets } = parsed.data;
  if (!Object.hasOwn(typeBytes, dtype)) throw damaged(path, `tensor "${name}" has the unknown type ${dtype}`);
  const type = dtype as StoredType;
  const [start, end] = data_offsets;
  const expected = shape.reduce((product, length) => product * length, 1) * typeBytes[type];
  if (end - start !== expected)
    throw damaged(
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
      throw damaged(path, `tensor "${name}" ends at byte ${end} of the values, the file has ${dataBytes} (truncated?)`);
    if (start < position) throw damaged(path, `tensors "${previous}" and "${name}" overlap`);
    if (start > position) throw damaged(path, `${start - position} bytes before tensor "${name}" belong to none`);
    position = end;
    previous = name;
  }
  if (position !== dataBytes) throw damaged(path, `${dataBytes - position} bytes at the end belong to no tensor`);
}

class SafetensorsFile implements TensorSource {
  readonly path: string;
  readonly metadata: Record<string, string>;
  private readonly handle: FileHandle;
  private readonly entries: Map<string, Entry>;
  private readonly dataStart: number;

  constructor(
    path: string,
    handle: FileHandle,
    entries: Map<string, Entry>,
    dataStart: number,
    metadata: Record<string, string>,
  ) {
    this.path = path;
    this.handle = handle;
    this.entries = entries;
    this.dataStart = dataStart;
    this.metadata = metadata;
  }

  names(): string[] {
    return [...this.entries.keys()];
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  info(name: string): StoredInfo {
    return this.entry(name);
  }

  async readFloats(name: string, first = 0, count?: number): Promise<Float32Array> {
    const entry = this.entry(name);
    const total = (entry.end - entry.start) / typeBytes[entry.type];
    const length = count ?? total - first;
    if (first < 0 || length < 0 || first + length > total)
      throw new Error(`${this.path}: tensor "${name}" has ${total} values, asked for ${first} to ${first + length}`);
    const values = new Float32Array(length);
    for await (const [bytes, offset] of this.pieces(name, entry, first, length))
      decode(entry.type, bytes, values, offset);
    return values;
  }

  async readIntegers(name: string): Promise<number[]> {
    const entry = this.entry(name);
    const values: number[] = [];
    for await (const [bytes] of this.pieces(name, entry, 0, (entry.end - entry.start) / typeBytes[entry.type])) {
      for (const value of integers(entry.type, bytes)) {
        if (!Number.isSafeInteger(Number(value)))
          throw damaged(this.path, `tensor "${name}" of ${entry.type} holds ${value}, which is no exact integer here`);
        values.push(Number(value));
      }
    }
    return values;
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  private entry(name: string): Entry {
    const entry = this.entries.get(name);
    if (!entry) throw damaged(this.path, `tensor "${name}" is missing`);
    return entry;
  }

  /** The bytes of `length` values from `first` on, each piece with the index of its first value. */
  private async *pieces(
    name: string,
    entry: Entry,
    first: number,
    length: number,
  ): AsyncGenerator<[bytes: ArrayBuffer, offset: number]> {
    const size = typeBytes[entry.type];
    const pieceLength = pieceBytes / size;
    for (let offset = 0; offset < length; offset += pieceLength) {
      const bytes = new ArrayBuffer(Math.min(pieceLength, length - offset) * size);
      const position = this.dataStart + entry.start + (first + offset) * size;
      for (let done = 0; done < bytes.byteLength; ) {
        const { bytesRead } = await this.handle.read(
          new Uint8Array(bytes),
          done,
          bytes.byteLength - done,
          position + done,
        );
        if (!bytesRead) throw damaged(this.path, `truncated within tensor "${name}"`);
        done += bytesRead;
      }
      yield [bytes, offset];
    }
  }
}

function decode(type: StoredType, bytes: ArrayBuffer, target: Float32Array, offset: number): void {
  if (type === 'F16') decodeHalf(new Uint16Array(bytes), target, offset);
  else if (type === 'BF16') decodeBrain(new Uint16Array(bytes), target, offset);
  else if (type === 'F32') target.set(new Float32Array(bytes), offset);
  else if (type === 'F64') target.set(new Float64Array(bytes), offset);
  else target.set(Array.from(integers(type, bytes), Number), offset);
}

function integers(
  type: StoredType,
  bytes: ArrayBuffer,
): (ArrayLike<number> & Iterable<number | bigint>) | BigInt64Array {
  switch (type) {
    case 'I64':
      return new BigInt64Array(bytes);
    case 'I32':
      return new Int32Array(bytes);
    case 'I16':
      return new Int16Array(bytes);
    case 'I8':
      return new Int8Array(bytes);
    case 'U8':
    case 'BOOL':
      return new Uint8Array(bytes);
    case 'F16':
    case 'BF16':
    case 'F32':
    case 'F64':
      throw new Error(`${type} is not an integer type`);
    default:
      return type satisfies never;
  }
}
