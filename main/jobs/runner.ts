import type { EngineEvent } from '../../shared/domain/engine.ts';
import type { JobKind, Progress } from '../../shared/domain/job.ts';
import type { ItemKind } from '../../shared/domain/library.ts';
import type { Move } from '../library/open.ts';

/** What a runner is given for one attempt at a job. */
export interface RunContext<Input> {
  jobId: string;
  input: Input;
  /** The id reserved for what the job makes: the same at every attempt. */
  target: string;
  /** The job's own folder inside the library, absolute; not made yet. Kept between attempts, deleted when the job is done or cancelled. */
  folder: string;
  signal: AbortSignal;
  onProgress(progress: Progress): void;
  onEvent(event: EngineEvent): void;
}

/**
 * What a finished attempt leaves to be done, all or nothing, together with the job's own row: `move` brings a folder made inside the
 * job's folder to its place in the library, `writeRows` makes it known there.
 */
export interface Outcome<Output> {
  output: Output;
  move?: Move;
  writeRows?(): void;
  /** What of the library is new. */
  changed?: ItemKind;
}

/** One kind of job. A failed attempt leaves the library as it was. */
export interface Runner<Input, Output> {
  kind: JobKind;
  /** Jobs of one lane run one after another; lanes run side by side. */
  lane: 'engine' | 'media' | 'network';
  /** A later attempt goes on from a checkpoint instead of starting over. */
  resumes: boolean;
  /** Checks the request against the library, turns names into ids and chooses what was left open. Throws AppError. */
  prepare(input: Input): { input: Input; title: string; targetName: string };
  run(context: RunContext<Input>): Promise<Outcome<Output>>;
}
