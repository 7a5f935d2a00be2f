import { type FileHandle, open, stat } from 'node:fs/promises';
import { AppError } from '../../../shared/ipc/result.ts';
import { decodeBrain, decodeHalf } from './half.ts';
import {
  damagedTensors,
  type Entry,
  readHeader,
  type StoredInfo,
  type StoredType,
  typeBytes,
} from './safetensors-header.ts';

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

/** Values are read and converted in pieces of this size, so that a tensor of gigabytes costs no second copy. */
const pieceBytes = 16 * 2 ** 20;

/**
 * Opens a safetensors file (https://huggingface.co/docs/safetensors): 8 bytes header length, a JSON header, then the values.
 * Only the header is read. Throws `not-found`, or `damaged-file` when the header does not describe the file.
 */
export async function openSafetensors(path: string): Promise<TensorSource> {
  const handle = await openFile(path);
  try {
    const { entries, metadata, dataStart } = await readHeader(path, handle);
    return new SafetensorsFile(path, handle, entries, dataStart, metadata);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // A pipe that nobody writes to would be waited for without end, so only files are opened.
    if (!(await stat(path)).isFile()) throw new AppError('invalid-input', `${path} is not a file.`);
    return await open(path, 'r');
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('not-found', `${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
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
          throw damagedTensors(
            this.path,
            `tensor "${name}" of ${entry.type} holds ${value}, which is no exact integer here`,
          );
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
    if (!entry) throw damagedTensors(this.path, `tensor "${name}" is missing`);
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
        if (!bytesRead) throw damagedTensors(this.path, `truncated within tensor "${name}"`);
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
