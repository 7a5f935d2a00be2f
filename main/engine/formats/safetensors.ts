import { readHeader } from './safetensors-header.ts';
import { openFile, TensorFile, type TensorSource } from './tensor-file.ts';

/**
 * Opens a safetensors file (https://huggingface.co/docs/safetensors): 8 bytes header length, a JSON header, then the values.
 * Only the header is read. Throws `not-found`, or `damaged-file` when the header does not describe the file.
 */
export async function openSafetensors(path: string): Promise<TensorSource> {
  const handle = await openFile(path);
  try {
    const { tensors, metadata } = await readHeader(path, handle);
    return new TensorFile(path, handle, tensors, metadata);
  } catch (error) {
    await handle.close();
    throw error;
  }
}
