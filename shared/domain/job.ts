import { z } from 'zod';
import { appErrorShape } from '../ipc/result.ts';

export const jobState = z.enum(['queued', 'running', 'paused', 'interrupted', 'done', 'failed', 'cancelled']);
export type JobState = z.infer<typeof jobState>;

export const jobKind = z.enum(['import', 'learn', 'generate', 'export', 'download']);
export type JobKind = z.infer<typeof jobKind>;

/** `done`/`total` count the phase's own unit (steps, frames, bytes); `etaSeconds` is null until a rate is known. */
export const progress = z.object({
  phase: z.string(),
  done: z.number().nonnegative(),
  total: z.number().nonnegative(),
  unit: z.string(),
  perSecond: z.number().nullable(),
  etaSeconds: z.number().nullable(),
  loss: z.number().optional(),
  learningRate: z.number().optional(),
  message: z.string().optional(),
});
export type Progress = z.infer<typeof progress>;

export const job = z.object({
  id: z.string(),
  kind: jobKind,
  title: z.string(),
  state: jobState,
  /** The kind's own input, parsed by its runner. */
  input: z.unknown(),
  /** What the runner answered when done (ids of what was made). */
  output: z.unknown(),
  progress: progress.nullable(),
  /** Folder with checkpoints, relative to the library's folder. */
  checkpoint: z.string().nullable(),
  error: appErrorShape.nullable(),
  attempts: z.int().nonnegative(),
  position: z.number(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
});
export type Job = z.infer<typeof job>;

/** What a report of progress says of time: null before anything is measured. */
export type Pace = Pick<Progress, 'perSecond' | 'etaSeconds'>;

/** From so much done in so many seconds, with so much left. */
export function paceOf(measured: number, seconds: number, left: number): Pace {
  if (!(measured > 0 && seconds > 0)) return { perSecond: null, etaSeconds: null };
  const perSecond = measured / seconds;
  return { perSecond, etaSeconds: Math.max(0, left) / perSecond };
}
