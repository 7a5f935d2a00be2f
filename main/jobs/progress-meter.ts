import { type Progress, paceOf } from '../../shared/domain/job.ts';

/** Turns "so many done" into progress with a rate and a time left. Pure but for the clock, milliseconds. */
export function createProgressMeter(phase: string, unit: string, clock = () => performance.now()) {
  const start = clock();
  return (done: number, total: number): Progress => {
    const seconds = (clock() - start) / 1000;
    // The first moments go into starting up and say nothing about the rate.
    return { phase, done, total, unit, ...paceOf(seconds > 0.5 ? done : 0, seconds, total - done) };
  };
}
