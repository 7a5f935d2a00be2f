import type { EngineEvent } from '../../../shared/domain/engine.ts';
import { type Progress, paceOf } from '../../../shared/domain/job.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';

/**
 * Reports one phase of equal items, with the time left by the rate of this run. `done` may have begun above
 * 0.
 */
export function phaseReporter(
  onEvent: EngineCallOptions['onEvent'],
  phase: string,
  unit: string,
  total: number,
): (done: number, measured: number) => void {
  const startedAt = performance.now();
  return (done, measured) => {
    const seconds = (performance.now() - startedAt) / 1000;
    const progress = { phase, done, total, unit, ...paceOf(measured, seconds, total - done) };
    onEvent?.({ type: 'progress', progress });
  };
}

/** Passes on the progress of a part of the work, under the name of the part and with a word on the whole. */
export function withinPart(
  onEvent: EngineCallOptions['onEvent'],
  describe: (progress: Progress) => { phase: string; message: string },
): (event: EngineEvent) => void {
  return (event) => {
    if (event.type === 'progress')
      onEvent?.({ type: 'progress', progress: { ...event.progress, ...describe(event.progress) } });
    else if (event.type === 'checkpoint') onEvent?.(event);
  };
}
