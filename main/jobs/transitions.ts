import type { Job, JobState } from '../../shared/domain/job.ts';
import { AppError } from '../../shared/ipc/result.ts';

/** What a user may ask of a job; `retry` is for one that ended without success. */
export type JobRequestedChange = 'pause' | 'resume' | 'cancel' | 'retry';

const from: Record<JobRequestedChange, JobState[]> = {
  pause: ['queued', 'running', 'interrupted'],
  resume: ['paused', 'interrupted', 'failed'],
  cancel: ['queued', 'running', 'paused', 'interrupted', 'failed'],
  retry: ['failed', 'interrupted', 'cancelled'],
};
const to = { pause: 'paused', resume: 'queued', cancel: 'cancelled', retry: 'queued' } as const;

/** What a request makes of a job in its state; null: it cannot be. */
export function nextState(job: Job, change: JobRequestedChange): JobState | null {
  return from[change].includes(job.state) ? to[change] : null;
}

export function requireNextState(job: Job, change: JobRequestedChange): JobState {
  const state = nextState(job, change);
  if (state === null) throw new AppError('conflict', `"${job.title}" is ${job.state}: there is nothing to ${change}.`);
  return state;
}

const finishedStates: JobState[] = ['done', 'failed', 'cancelled'];
export const isFinished = (state: JobState) => finishedStates.includes(state);
