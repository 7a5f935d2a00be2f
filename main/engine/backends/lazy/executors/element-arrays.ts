import type { ElementType, HostArray } from '../graph.ts';
import type { TensorType } from './executor.ts';

const bytesPerElement: Record<ElementType, number> = { float32: 4, int32: 4, bool: 1, int64: 8, float16: 2, int8: 1 };

export const byteLengthOf = ({ shape, type }: TensorType) =>
  shape.reduce((bytes, size) => bytes * size, bytesPerElement[type]);

const arrays = {
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
  int64: BigInt64Array,
  float16: Uint16Array,
  int8: Int8Array,
} as const;

/** Memory as the array type of its elements. */
export function viewAs(memory: ArrayBuffer, byteOffset: number, tensor: TensorType): HostArray {
  return new arrays[tensor.type](memory, byteOffset, byteLengthOf(tensor) / bytesPerElement[tensor.type]) as HostArray;
}
