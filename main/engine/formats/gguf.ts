import type { FileHandle } from 'node:fs/promises';
import { AppError } from '../../../shared/ipc/result.ts';
import { codecs, type StoredType, storedBytes } from './stored-types.ts';
import {
  damagedTensors,
  openFile,
  type PlacedTensor,
  readExactly,
  TensorFile,
  type TensorSource,
} from './tensor-file.ts';

/** What a GGUF file says beside its tensors: numbers, texts, and lists of them. */
export type GgufValue = number | string | boolean | GgufValue[];

/** Its tensors, and what it says beside them. */
export interface GgufFile {
  source: TensorSource;
  facts: ReadonlyMap<string, GgufValue>;
}

/** GGML's numbers of types. */
const types = new Map<number, StoredType>([
  [0, 'F32'],
  [1, 'F16'],
  [8, 'Q8_0'],
  [12, 'Q4_K'],
  [13, 'Q5_K'],
  [14, 'Q6_K'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, 'F64'],
  [30, 'BF16'],
]);

/** Vocabularies of a quarter of a million words take some 10 MB. */
const maximumHeaderBytes = 256 * 2 ** 20;
const maximumListLength = 5_000_000;
const maximumTensors = 200_000;

/**
 * Opens a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), version 2 or 3. Only its header is read. Shapes are given
 * as PyTorch has them, the outermost axis first. Throws `not-found`, `damaged-file`, or `invalid-input` for types that are not read.
 */
export async function openGguf(path: string): Promise<GgufFile> {
  const handle = await openFile(path);
  try {
    const { size } = await handle.stat();
    const { tensors, facts } = await readHeader(path, handle, size);
    return { source: new TensorFile(path, handle, tensors), facts };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The header does not say how long it is: as much as it may take is read, and twice as much where that was too little. */
async function readHeader(path: string, handle: FileHandle, size: number) {
  for (let length = 2 ** 20; ; length *= 2) {
    const bytes = await readExactly(path, handle, 0, Math.min(length, size));
    const cursor = new Cursor(path, bytes);
    try {
      return parse(cursor, size);
    } catch (error) {
      if (!(error instanceof EndOfBytes)) throw error;
      if (length >= size) throw damagedTensors(path, 'truncated within its header');
      if (length >= maximumHeaderBytes) throw damagedTensors(path, `its header has more than ${length} bytes`);
    }
  }
}

function parse(cursor: Cursor, size: number) {
  const { path } = cursor;
  if (cursor.uint32() !== 0x46554747) throw damagedTensors(path, 'not a GGUF file');
  const version = cursor.uint32();
  if (version !== 2 && version !== 3)
    throw new AppError('invalid-input', `${path} is of GGUF version ${version}; 2 and 3 can be read.`);
  const tensorCount = cursor.uint64();
  const factCount = cursor.uint64();
  if (tensorCount > maximumTensors || factCount > maximumTensors)
    throw damagedTensors(path, `it claims to hold ${tensorCount} tensors and ${factCount} facts`);
  const facts = new Map<string, GgufValue>();
  for (let index = 0; index < factCount; index++) facts.set(cursor.text(), cursor.value(cursor.uint32()));
  const described: [name: string, tensor: PlacedTensor][] = [];
  for (let index = 0; index < tensorCount; index++) described.push(tensorAt(cursor, facts));
  const alignment = facts.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || !(alignment >= 1 && alignment <= 2 ** 20))
    throw damagedTensors(path, `its values are aligned to ${alignment} bytes`);
  const start = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = new Map<string, PlacedTensor>();
  for (const [name, tensor] of described) {
    if (tensors.has(name)) throw damagedTensors(path, `tensor "${name}" is in it twice`);
    const position = start + tensor.position;
    if (position + storedBytes(tensor.type, tensor.shape) > size)
      throw damagedTensors(path, `tensor "${name}" ends beyond the ${size} bytes of the file (truncated?)`);
    tensors.set(name, { ...tensor, position });
  }
  return { tensors, facts };
}

/** The place is among the values. Tensors of more than four axes are stored flatter, with their shape among the facts. */
function tensorAt(cursor: Cursor, facts: ReadonlyMap<string, GgufValue>): [string, PlacedTensor] {
  const { path } = cursor;
  const name = cursor.text();
  const axes = cursor.uint32();
  if (axes > 16) throw damagedTensors(path, `tensor "${name}" has ${axes} axes`);
  const stored = Array.from({ length: axes }, () => cursor.uint64()).reverse();
  const number = cursor.uint32();
  const position = cursor.uint64();
  const type = types.get(number);
  if (!type)
    throw new AppError(
      'invalid-input',
      `${path}: tensor "${name}" is stored as GGML's type ${number}, which is not read.`,
      {
        hint: 'Choose an edition in Q8_0, Q6_K, Q5_K, Q4_K, BF16, F16 or F32.',
      },
    );
  if ((stored.at(-1) ?? 1) % codecs[type].values)
    throw damagedTensors(path, `tensor "${name}" [${stored}] of ${type} has rows of no whole blocks`);
  const original = facts.get(`comfy.gguf.orig_shape.${name}`);
  const shape = isShape(original) && count(original) === count(stored) ? original : stored;
  return [name, { file: path, type, shape, position }];
}

const count = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

const isShape = (value: GgufValue | undefined): value is number[] =>
  Array.isArray(value) &&
  value.every((length) => typeof length === 'number' && Number.isSafeInteger(length) && length >= 0);

/** More bytes are needed than were read. */
class EndOfBytes extends Error {}

/** Reads numbers and texts one after the other. */
class Cursor {
  readonly path: string;
  position = 0;
  private readonly bytes: Buffer;

  constructor(path: string, bytes: Buffer) {
    this.path = path;
    this.bytes = bytes;
  }

  uint32(): number {
    return this.bytes.readUInt32LE(this.take(4));
  }

  uint64(): number {
    const value = this.bytes.readBigUInt64LE(this.take(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damagedTensors(this.path, `it holds the number ${value}`);
    return Number(value);
  }

  text(): string {
    const length = this.uint64();
    if (length > maximumHeaderBytes) throw damagedTensors(this.path, `it claims a text of ${length} bytes`);
    const from = this.take(length);
    return this.bytes.toString('utf8', from, from + length);
  }

  value(type: number, depth = 0): GgufValue {
    switch (type) {
      case 0:
        return this.bytes.readUInt8(this.take(1));
      case 1:
        return this.bytes.readInt8(this.take(1));
      case 2:
        return this.bytes.readUInt16LE(this.take(2));
      case 3:
        return this.bytes.readInt16LE(this.take(2));
      case 4:
        return this.uint32();
      case 5:
        return this.bytes.readInt32LE(this.take(4));
      case 6:
        return this.bytes.readFloatLE(this.take(4));
      case 7:
        return this.bytes.readUInt8(this.take(1)) !== 0;
      case 8:
        return this.text();
      case 9:
        return this.list(depth);
      case 10:
        return Number(this.bytes.readBigUInt64LE(this.take(8)));
      case 11:
        return Number(this.bytes.readBigInt64LE(this.take(8)));
      case 12:
        return this.bytes.readDoubleLE(this.take(8));
      default:
        throw damagedTensors(this.path, `it holds a fact of the unknown type ${type}`);
    }
  }

  private list(depth: number): GgufValue[] {
    if (depth > 2) throw damagedTensors(this.path, 'it holds lists of lists of lists');
    const type = this.uint32();
    const length = this.uint64();
    if (length > maximumListLength) throw damagedTensors(this.path, `it claims a list of ${length} values`);
    const values: GgufValue[] = [];
    for (let index = 0; index < length; index++) values.push(this.value(type, depth + 1));
    return values;
  }

  private take(length: number): number {
    const from = this.position;
    this.position += length;
    if (this.position > this.bytes.length) throw new EndOfBytes();
    return from;
  }
}
