import type { AppErrorShape } from '../../shared/ipc/result.ts';

export const exitCode = { done: 0, failed: 1, wrongUse: 2, interrupted: 130 } as const;

export function exitCodeOf(error: AppErrorShape): number {
  return error.code === 'cancelled' ? exitCode.interrupted : exitCode.failed;
}
