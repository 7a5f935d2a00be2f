import { appendFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requestControl, takeControlRequests } from '../../../main/jobs/control.ts';
import { appendEvent, mergeLosses, readEvents } from '../../../main/jobs/event-log.ts';
import { createProgressMeter } from '../../../main/jobs/progress-meter.ts';
import type { LossPoint } from '../../../shared/domain/engine.ts';
import { makeTempFolder } from '../../fixtures/library.ts';

let folder: string;
beforeEach(() => {
  folder = makeTempFolder('log');
});
afterEach(() => rmSync(folder, { recursive: true }));

const point = (step: number, loss: number, stage: LossPoint['stage'] = 'identity'): LossPoint => ({
  stage,
  step,
  loss,
  learningRate: 1,
});

describe('the log of a learning', () => {
  it('counts the later telling of a step, and leaves out a line that a kill cut off', () => {
    const file = join(folder, 'job', 'events.jsonl');
    for (const [step, loss] of [
      [0, 1],
      [1, 2],
      [2, 3],
      [1, 20],
      [2, 30],
    ] as const) {
      appendEvent(file, { type: 'loss', point: point(step, loss) });
    }
    appendFileSync(file, '{"type":"loss","poi');
    expect(readEvents(file).map((event) => event.type === 'loss' && event.point.loss)).toEqual([1, 20, 30]);
  });

  it('is empty before the first event', () => {
    expect(readEvents(join(folder, 'nothing.jsonl'))).toEqual([]);
  });

  it('merges into one curve per stage, in order', () => {
    const curve = mergeLosses([point(1, 1), point(0, 1), point(0, 5, 'motion')], [point(1, 9)]);
    expect(curve).toEqual([point(0, 1), point(1, 9), point(0, 5, 'motion')]);
  });
});

describe('control requests', () => {
  it('are taken once, the last one of a job counts, and what is none is dropped', () => {
    requestControl(folder, 'learn-1a2b', 'pause');
    requestControl(folder, 'learn-1a2b', 'cancel');
    requestControl(folder, 'learn-3c4d', 'resume');
    writeFileSync(join(folder, 'learn-5e6f.json'), '{"action":"explode"}');
    writeFileSync(join(folder, 'learn-7a8b.json'), 'half a');
    expect(takeControlRequests(folder)).toEqual([
      { jobId: 'learn-1a2b', action: 'cancel' },
      { jobId: 'learn-3c4d', action: 'resume' },
    ]);
    expect(readdirSync(folder)).toEqual([]);
    expect(takeControlRequests(folder)).toEqual([]);
  });
});

it('a progress meter knows rate and time left once there is something to go by', () => {
  let now = 0;
  const measure = createProgressMeter('import', 'frames', () => now);
  expect(measure(0, 100)).toMatchObject({ perSecond: null, etaSeconds: null });
  now = 2000;
  expect(measure(40, 100)).toMatchObject({ perSecond: 20, etaSeconds: 3 });
});
