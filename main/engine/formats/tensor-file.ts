import { type FileHandle, open, stat } from 'node:fs/promises';
import { AppError } from '../../../shared/ipc/result.ts';
import { codecs, decodeIntegers, type StoredType, storedBytes } from './stored-types.ts';

export interface StoredInfo {
  /** The file that holds it, for messages. */
  file: string;
  type: StoredType;
  shape: number[];
}

/** A tensor's place: bytes from the beginning of the file on, one row after the other. */
export interface PlacedTensor extends StoredInfo {
  position: number;
}

export type FloatArray = Float32Array<ArrayBuffer>;

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
   * float64 and 64-bit integers lose what float32 cannot hold. Types with scales in blocks are read in whole blocks. They are answered in
   * `target` where one is given, which is exactly so long.
   */
  readFloats(name: string, first?: number, count?: number, target?: FloatArray): Promise<FloatArray>;
  /** Values of an integer type (or BOOL as 0 and 1). Throws on a 64-bit value beyond 2^53. */
  readIntegers(name: string): Promise<number[]>;
  close(): Promise<void>;
}

/** Values are read and converted in pieces of about this size, so that a tensor of gigabytes costs no second copy. */
const pieceBytes = 16 * 2 ** 20;

export function damagedTensors(path: string, message: string): AppError {
  return new AppError('damaged-file', `${path}: ${message}`, {
    hint: 'The file is incomplete, or was damaged or written wrongly. Copy or download it again.',
  });
}

/** Opens a file for reading. Throws `not-found`, or `invalid-input` for what is none. */
export async function openFile(path: string): Promise<FileHandle> {
  try {
    // A pipe that nobody writes to would be waited for without end, so only files are opened.
    if (!(await stat(path)).isFile()) throw new AppError('invalid-input', `${path} is not a file.`);
    return await open(path, 'r');
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('not-found', `${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

/** Reads exactly so many bytes, into `memory` of that length where some is given. Throws `damaged-file` where the file ends before. */
export async function readExactly(
  path: string,
  handle: FileHandle,
  position: number,
  length: number,
  what = 'its header',
  memory = new ArrayBuffer(length),
): Promise<Buffer<ArrayBuffer>> {
  const bytes = Buffer.from(memory);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw damagedTensors(path, `truncated within ${what}`);
    done += bytesRead;
  }
  return bytes;
}

/** The tensors of one open file whose places are known. Closing it closes the file. */
export class TensorFile implements TensorSource {
  readonly path: string;
  readonly metadata: Record<string, string>;
  private readonly handle: FileHandle;
  private readonly tensors: Map<string, PlacedTensor>;

  constructor(
    path: string,
    handle: FileHandle,
    tensors: Map<string, PlacedTensor>,
    metadata: Record<string, string> = {},
  ) {
    this.path = path;
    this.handle = handle;
    this.tensors = tensors;
    this.metadata = metadata;
  }

  names(): string[] {
    return [...this.tensors.keys()];
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  info(name: string): StoredInfo {
    return this.tensor(name);
  }

  async readFloats(name: string, first = 0, count?: number, target?: FloatArray): Promise<FloatArray> {
    const tensor = this.tensor(name);
    const total = tensor.shape.reduce((product, length) => product * length, 1);
    const length = count ?? total - first;
    const { values: block, decode } = codecs[tensor.type];
    if (first < 0 || length < 0 || first + length > total)
      throw new Error(`${this.path}: tensor "${name}" has ${total} values, asked for ${first} to ${first + length}`);
    if (first % block !== 0 || length % block !== 0)
      throw new Error(`${this.path}: tensor "${name}" of ${tensor.type} is read in blocks of ${block} values`);
    const values = target ?? new Float32Array(length);
    if (values.length !== length) throw new Error(`${this.path}: ${length} values do not fit ${values.length}`);
    for await (const [bytes, offset] of this.pieces(name, tensor, first, length)) decode(bytes, values, offset);
    return values;
  }

  async readIntegers(name: string): Promise<number[]> {
    const tensor = this.tensor(name);
    const values: number[] = [];
    const total = tensor.shape.reduce((product, length) => product * length, 1);
    for await (const [bytes] of this.pieces(name, tensor, 0, total)) {
      for (const value of decodeIntegers(tensor.type, bytes)) {
        if (!Number.isSafeInteger(Number(value)))
          throw damagedTensors(
            this.path,
            `tensor "${name}" of ${tensor.type} holds ${value}, which is no exact integer here`,
          );
        values.push(Number(value));
      }
    }
    return values;
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  private tensor(name: string): PlacedTensor {
    const tensor = this.tensors.get(name);
    if (!tensor) throw damagedTensors(this.path, `tensor "${name}" is missing`);
    return tensor;
  }

  /**
   * The bytes of `length` values from `first` on, each piece with the index of its first value, until the next is asked for. The disk reads
   * that one meanwhile, into one of two pieces of memory that take turns.
   */
  private async *pieces(
    name: string,
    { type, position }: PlacedTensor,
    first: number,
    length: number,
  ): AsyncGenerator<[bytes: ArrayBuffer, offset: number]> {
    const { values: block, bytes: blockBytes } = codecs[type];
    const pieceLength = Math.floor(pieceBytes / blockBytes) * block;
    const read = (offset: number, memory?: ArrayBuffer) => {
      const bytes = storedBytes(type, [Math.min(pieceLength, length - offset)]);
      const start = position + storedBytes(type, [first + offset]);
      const reused = memory?.byteLength === bytes ? memory : undefined;
      const reading = readExactly(this.path, this.handle, start, bytes, `tensor "${name}"`, reused);
      reading.catch(() => {}); // is thrown where the piece is waited for
      return reading;
    };
    let spare: ArrayBuffer | undefined;
    let next = length > 0 ? read(0) : undefined;
    try {
      for (let offset = 0; offset < length; offset += pieceLength) {
        const bytes = (await next!).buffer;
        next = offset + pieceLength < length ? read(offset + pieceLength, spare) : undefined;
        yield [bytes, offset];
        spare = bytes;
      }
    } finally {
      await next?.catch(() => {}); // the file may be closed after this, and the memory used again
    }
  }
}
