import { decodeE4M3, decodeE5M2 } from './float8.ts';
import { decodeBfloat16, decodeFloat16 } from './half.ts';
import { decodeQ4K, decodeQ5K, decodeQ6K, decodeQ8 } from './quantised-blocks.ts';

/** How values lie in a file: so many in so many bytes, and what they are as float32. */
interface Codec {
  /** Values are stored in blocks of so many. */
  values: number;
  /** Bytes of a block. */
  bytes: number;
  /** Decodes whole blocks into `target` from `offset` on. */
  decode(bytes: ArrayBuffer, target: Float32Array, offset: number): void;
}

type IntegerArray = BigInt64Array | ((ArrayLike<number> & Iterable<number>) & { length: number });

/** Integer types by what reads them. */
const integerArrays = {
  I64: (bytes: ArrayBuffer): IntegerArray => new BigInt64Array(bytes),
  I32: (bytes: ArrayBuffer): IntegerArray => new Int32Array(bytes),
  I16: (bytes: ArrayBuffer): IntegerArray => new Int16Array(bytes),
  I8: (bytes: ArrayBuffer): IntegerArray => new Int8Array(bytes),
  U8: (bytes: ArrayBuffer): IntegerArray => new Uint8Array(bytes),
  BOOL: (bytes: ArrayBuffer): IntegerArray => new Uint8Array(bytes),
};

type IntegerType = keyof typeof integerArrays;

const single = (bytes: number, decode: Codec['decode']): Codec => ({ values: 1, bytes, decode });

const integer = (type: IntegerType, bytes: number) =>
  single(bytes, (stored, target, offset) => target.set(Array.from(integerArrays[type](stored), Number), offset));

/** Every type that is read, by safetensors' names and, for those with scales in blocks, GGML's. */
export const codecs = {
  F64: single(8, (bytes, target, offset) => target.set(new Float64Array(bytes), offset)),
  F32: single(4, (bytes, target, offset) => target.set(new Float32Array(bytes), offset)),
  F16: single(2, (bytes, target, offset) => decodeFloat16(new Uint16Array(bytes), target, offset)),
  BF16: single(2, (bytes, target, offset) => decodeBfloat16(new Uint16Array(bytes), target, offset)),
  F8_E4M3: single(1, (bytes, target, offset) => decodeE4M3(new Uint8Array(bytes), target, offset)),
  F8_E5M2: single(1, (bytes, target, offset) => decodeE5M2(new Uint8Array(bytes), target, offset)),
  I64: integer('I64', 8),
  I32: integer('I32', 4),
  I16: integer('I16', 2),
  I8: integer('I8', 1),
  U8: integer('U8', 1),
  BOOL: integer('BOOL', 1),
  Q8_0: { values: 32, bytes: 34, decode: (bytes, target, offset) => decodeQ8(new Uint8Array(bytes), target, offset) },
  Q4_K: {
    values: 256,
    bytes: 144,
    decode: (bytes, target, offset) => decodeQ4K(new Uint8Array(bytes), target, offset),
  },
  Q5_K: {
    values: 256,
    bytes: 176,
    decode: (bytes, target, offset) => decodeQ5K(new Uint8Array(bytes), target, offset),
  },
  Q6_K: {
    values: 256,
    bytes: 210,
    decode: (bytes, target, offset) => decodeQ6K(new Uint8Array(bytes), target, offset),
  },
} satisfies Record<string, Codec>;

export type StoredType = keyof typeof codecs;

/** Whole numbers as they are. Throws for another type. */
export function decodeIntegers(type: StoredType, bytes: ArrayBuffer): Iterable<number | bigint> {
  if (!Object.hasOwn(integerArrays, type)) throw new Error(`${type} is not an integer type`);
  return integerArrays[type as IntegerType](bytes);
}

/** Bytes that a tensor of this type and shape takes; its rows are whole blocks. */
export function storedBytes(type: StoredType, shape: readonly number[]): number {
  const { values, bytes } = codecs[type];
  return (shape.reduce((product, length) => product * length, 1) / values) * bytes;
}
