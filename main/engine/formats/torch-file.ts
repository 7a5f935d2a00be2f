import type { FileHandle } from 'node:fs/promises';
import { AppError } from '../../../shared/ipc/result.ts';
import { type StoredType, storedBytes } from './stored-types.ts';
import {
  damagedTensors,
  openFile,
  type PlacedTensor,
  readExactly,
  TensorFile,
  type TensorSource,
} from './tensor-file.ts';
import { type Pickled, PickledTensor, unpickle } from './unpickle.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';

/** PyTorch's names of types, of storages and of values. */
const types: Record<string, StoredType> = {
  'torch DoubleStorage': 'F64',
  'torch FloatStorage': 'F32',
  'torch HalfStorage': 'F16',
  'torch BFloat16Storage': 'BF16',
  'torch LongStorage': 'I64',
  'torch IntStorage': 'I32',
  'torch ShortStorage': 'I16',
  'torch CharStorage': 'I8',
  'torch ByteStorage': 'U8',
  'torch BoolStorage': 'BOOL',
  'torch float8_e4m3fn': 'F8_E4M3',
  'torch float8_e5m2': 'F8_E5M2',
};

/** Pickles of the largest published checkpoints take some hundred kilobytes. */
const maximumPickleBytes = 32e6;

/**
 * Opens what `torch.save` writes of a `state_dict` since PyTorch 1.6: a zip archive of a pickle and one file for each tensor's values.
 * The pickle is read without running anything (`unpickle.ts`), of the values none. Throws `not-found`, `damaged-file`, or
 * `invalid-input` for pickles that are more than a table of tensors.
 */
export async function openTorchFile(path: string): Promise<TensorSource> {
  const handle = await openFile(path);
  try {
    return new TensorFile(path, handle, await readTensors(path, handle));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readTensors(path: string, handle: FileHandle): Promise<Map<string, PlacedTensor>> {
  const { size } = await handle.stat();
  const beginning = await readExactly(path, handle, 0, Math.min(size, 4));
  if (beginning.toString('latin1') !== 'PK\x03\x04') {
    throw new AppError('invalid-input', `${path} is no archive as torch.save writes it since PyTorch 1.6.`, {
      hint: 'Take a safetensors file of the same weights.',
    });
  }
  const files = await readZipDirectory(path, handle);
  const pickle = [...files].find(([name]) => /^[^/]+\/data\.pkl$/.test(name));
  if (!pickle) throw damagedTensors(path, 'it holds no data.pkl');
  const [name, { position, bytes, isCompressed }] = pickle;
  if (isCompressed || bytes > maximumPickleBytes) throw damagedTensors(path, `its ${name} is compressed or too long`);
  const folder = name.slice(0, -'data.pkl'.length);
  await checkByteOrder(path, handle, files.get(`${folder}byteorder`));
  const table = stateOf(path, unpickle(path, await readExactly(path, handle, position, bytes, name)));
  const tensors = new Map<string, PlacedTensor>();
  for (const [key, value] of table) {
    if (typeof key !== 'string' || !(value instanceof PickledTensor))
      throw new AppError('invalid-input', `${path} holds "${String(key)}", which is no tensor.`, {
        hint: 'It may be a whole training state. Take the file with the weights alone.',
      });
    tensors.set(key, placed(path, key, value, files.get(`${folder}data/${value.key}`)));
  }
  return tensors;
}

async function checkByteOrder(path: string, handle: FileHandle, entry: ZipEntry | undefined): Promise<void> {
  if (!entry) return; // not written before PyTorch 2.1
  const order = (await readExactly(path, handle, entry.position, Math.min(entry.bytes, 16))).toString('latin1');
  if (order !== 'little') throw new AppError('invalid-input', `${path} holds ${order}-endian numbers.`);
}

/** The table of tensors itself, or the one under `state_dict`, where some programs put it. */
function stateOf(path: string, value: Pickled): Map<Pickled, Pickled> {
  if (value instanceof Map) {
    const inner = value.get('state_dict');
    return inner instanceof Map ? inner : value;
  }
  throw new AppError('invalid-input', `${path} is no table of tensors.`);
}

function placed(path: string, name: string, tensor: PickledTensor, entry: ZipEntry | undefined): PlacedTensor {
  const type = Object.hasOwn(types, tensor.type) ? types[tensor.type] : undefined;
  if (!type)
    throw new AppError('invalid-input', `${path}: tensor "${name}" is stored as ${tensor.type.replace(' ', '.')}.`, {
      hint: 'Choose an edition of the file in float32, float16 or bfloat16.',
    });
  if (!entry) throw damagedTensors(path, `the values of tensor "${name}" are missing`);
  const { shape, strides, first } = tensor;
  const isWhole = shape.every((length, axis) => {
    const expected = shape.slice(axis + 1).reduce((product, other) => product * other, 1);
    return length <= 1 || strides[axis] === expected;
  });
  if (!isWhole || entry.isCompressed)
    throw new AppError('invalid-input', `${path}: the values of tensor "${name}" do not lie one after the other.`, {
      hint: 'Take a safetensors file of the same weights.',
    });
  const start = storedBytes(type, [first]);
  if (start + storedBytes(type, shape) > entry.bytes)
    throw damagedTensors(path, `tensor "${name}" [${shape}] is larger than its ${entry.bytes} bytes`);
  return { file: path, type, shape, position: entry.position + start };
}
