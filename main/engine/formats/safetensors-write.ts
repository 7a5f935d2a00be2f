import { writeWhole } from '../../files/place.ts';
import { encodeBfloat16, encodeFloat16 } from './half.ts';
import { storedBytes } from './stored-types.ts';

/** A tensor to write. `values` may be a function, asked only when its turn comes, so that one is in memory at a time. */
export interface TensorToWrite {
  name: string;
  shape: readonly number[];
  /** How float32 values are stored; integers are stored as I32. Default F32. */
  type?: 'F32' | 'F16' | 'BF16' | 'I32';
  values: Values | (() => Values | Promise<Values>);
}

type Values = Float32Array | Int32Array;

/**
 * Writes a safetensors file: beside, flushed, then renamed, so that a crash leaves the old file or none.
 * Tensors are stored in the order given; names must differ.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Record<string, string> = {},
): Promise<void> {
  const header = Buffer.from(headerOf(tensors, metadata), 'utf8');
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  await writeWhole(path, async (handle) => {
    await handle.writeFile(prefix);
    await handle.writeFile(header);
    for (const tensor of tensors) {
      const values = typeof tensor.values === 'function' ? await tensor.values() : tensor.values;
      await handle.writeFile(encode(tensor, values));
    }
  });
}

function headerOf(tensors: readonly TensorToWrite[], metadata: Record<string, string>): string {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let position = 0;
  for (const { name, shape, type = 'F32' } of tensors) {
    if (Object.hasOwn(header, name)) throw new Error(`tensor "${name}" is given twice`);
    const end = position + storedBytes(type, shape);
    header[name] = { dtype: type, shape, data_offsets: [position, end] };
    position = end;
  }
  const text = JSON.stringify(header);
  return text.padEnd(text.length + ((8 - (Buffer.byteLength(text) % 8)) % 8)); // values begin at a multiple of 8
}

function encode({ name, shape, type = 'F32' }: TensorToWrite, values: Values): Uint8Array {
  if (values.length !== count(shape))
    throw new Error(`tensor "${name}" [${shape}] needs ${count(shape)} values, found ${values.length}`);
  if ((type === 'I32') !== values instanceof Int32Array)
    throw new Error(`tensor "${name}" cannot be stored as ${type}: its values are ${values.constructor.name}`);
  const stored =
    values instanceof Float32Array && type === 'F16'
      ? encodeFloat16(values)
      : values instanceof Float32Array && type === 'BF16'
        ? encodeBfloat16(values)
        : values;
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}

const count = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);
