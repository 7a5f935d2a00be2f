import { type Pace, paceOf } from '../../../shared/domain/job.ts';

/**
 * Measures work that comes in phases of different units (sampling steps, then decoded frames), each by its own time: a phase begins where
 * the last report of the one before it was. Times are in milliseconds, as of `performance.now()`.
 */
export function createPhaseMeter(
  startedAt: number,
  now: () => number = () => performance.now(),
): (phase: string, done: number, total: number) => Pace {
  let current = '';
  let phaseStartedAt = startedAt;
  let lastAt = startedAt;
  return (phase, done, total) => {
    const at = now();
    if (phase !== current) {
      current = phase;
      phaseStartedAt = lastAt;
    }
    lastAt = at;
    return paceOf(done, (at - phaseStartedAt) / 1000, total - done);
  };
}
