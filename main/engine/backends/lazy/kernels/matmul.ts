import type { Kernels } from './kernel.ts';

export const matMulKernels: Kernels = {
  BatchMatMul: (record, { a, b }, { transposeA, transposeB }) => record.matMul(a!, b!, transposeA, transposeB),
};
