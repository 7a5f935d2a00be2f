import { AppError } from '../../../shared/ipc/result.ts';

/** The largest number that float16 holds. */
const largestHalf = 65504;

/** Throws `damaged-file` when a value that was read of a tensor is infinite or not a number. */
export function requireFinite(file: string, name: string, values: Float32Array): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (value - value !== 0)
      throw new AppError('damaged-file', `${file}: tensor "${name}" holds ${value}, which is no finite number.`, {
        hint: 'Whatever made the file went wrong, or the file was damaged since. Make or download it again.',
      });
  }
}

/** Whether every value is a number that float16 can hold. */
export function fitsHalf(values: Float32Array): boolean {
  return values.every((value) => Math.abs(value) <= largestHalf);
}
