import { type GgufValue, openGguf } from './gguf.ts';
import { openSafetensors } from './safetensors.ts';
import { openFile, readExactly, type TensorSource } from './tensor-file.ts';
import { openTorchFile } from './torch-file.ts';

/** The tensors of a file, and what a GGUF file says beside them. */
export interface CheckpointFile {
  source: TensorSource;
  facts: ReadonlyMap<string, GgufValue>;
}

/**
 * Opens a file of weights by what it begins with: GGUF, PyTorch's archive, or else safetensors. Reads no values. Throws `not-found`,
 * `damaged-file`, or `invalid-input` for types that are not read.
 */
export async function openCheckpointFile(path: string): Promise<CheckpointFile> {
  const beginning = await firstBytes(path);
  if (beginning === 'GGUF') return openGguf(path);
  const isTorch = beginning === 'PK\x03\x04' || /\.(pth|pt|ckpt|bin)$/i.test(path);
  return { source: await (isTorch ? openTorchFile(path) : openSafetensors(path)), facts: new Map() };
}

async function firstBytes(path: string): Promise<string> {
  const handle = await openFile(path);
  try {
    const { size } = await handle.stat();
    return (await readExactly(path, handle, 0, Math.min(size, 4))).toString('latin1');
  } finally {
    await handle.close();
  }
}
