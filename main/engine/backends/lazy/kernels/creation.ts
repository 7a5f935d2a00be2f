import type { Kernels } from './kernel.ts';

export const creationKernels: Kernels = {
  Fill: (record, _, { shape, value, dtype }) => record.fill(shape, value, dtype ?? 'float32'),
  ZerosLike: (record, { x }) => record.fill(x!.shape, 0, x!.type),
  OnesLike: (record, { x }) => record.fill(x!.shape, 1, x!.type),
  Range: (record, _, { start, stop, step, dtype }) => {
    const length = Math.max(0, Math.ceil((stop - start) / step));
    const values = Array.from({ length }, (_, index) => start + index * step);
    return record.literal(values, [length], dtype ?? 'float32');
  },
  LinSpace: (record, _, { start, stop, num }) => {
    const step = num > 1 ? (stop - start) / (num - 1) : 0;
    const values = Array.from({ length: num }, (_, index) => start + index * step);
    return record.literal(values, [num], 'float32');
  },
};
