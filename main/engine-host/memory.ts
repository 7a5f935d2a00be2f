import { readFileSync } from 'node:fs';
import { AppError } from '../../shared/ipc/result.ts';

/** How V8, C++, OpenVINO and the operating system say that there is no memory left. */
const outOfMemoryWords =
  /heap out of memory|std::bad_alloc|bad allocation|cannot allocate memory|failed to allocate (memory|\d+ bytes)|can't alloc$|could not allocate memory|array buffer allocation failed|ENOMEM/im;

export function speaksOfMemory(text: string): boolean {
  return outOfMemoryWords.test(text);
}

export function outOfMemoryError(reason: string, details?: Record<string, unknown>): AppError {
  return new AppError('out-of-memory', `The engine ran out of memory: ${reason}`, {
    hint: 'Choose a smaller size, a shorter range, a lower batch size or a smaller model, or close other programs.',
    details,
  });
}

/** How many processes the system has killed for want of memory so far (Linux); null where it does not tell. */
export function countMemoryKills(): number | null {
  try {
    const count = /^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1];
    return count === undefined ? null : Number(count);
  } catch {
    return null; // not Linux, or hidden by a sandbox
  }
}
