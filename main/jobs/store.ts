import { type Job, type JobKind, type JobState, job, type Progress } from '../../shared/domain/job.ts';
import { AppError, type AppErrorShape } from '../../shared/ipc/result.ts';
import { ageNow } from '../library/age.ts';
import { choose, makeId } from '../library/ids.ts';
import type { Library } from '../library/open.ts';

interface JobRow {
  id: string;
  kind: string;
  title: string;
  state: string;
  input: string;
  output: string | null;
  progress: string | null;
  checkpoint: string | null;
  error: string | null;
  attempts: number;
  position: number;
  target: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

function fromRow(row: JobRow): Job {
  const parse = (text: string | null) => (text === null ? null : JSON.parse(text));
  return job.parse({
    id: row.id,
    kind: row.kind,
    title: row.title,
    state: row.state,
    input: parse(row.input),
    output: parse(row.output),
    progress: parse(row.progress),
    checkpoint: row.checkpoint,
    error: parse(row.error),
    attempts: row.attempts,
    position: row.position,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  });
}

export interface JobFilter {
  states?: JobState[];
  kinds?: JobKind[];
}

/** What a job becomes; what is left out stays. */
export interface JobChange {
  state?: JobState;
  output?: unknown;
  progress?: Progress | null;
  checkpoint?: string | null;
  error?: AppErrorShape | null;
  attempts?: number;
  startedAt?: string | null;
  finishedAt?: string | null;
}

/** The rows of jobs. Which state may follow which is the queue's business. */
export class JobStore {
  readonly #library: Library;

  constructor(library: Library) {
    this.#library = library;
  }

  /** `target` is the id reserved for what the job makes, so that trying again makes the same thing. */
  insert(given: { kind: JobKind; title: string; input: unknown; target: string | null }): Job {
    const { db } = this.#library;
    return this.#library.write(() => {
      const isTaken = db.prepare('SELECT 1 FROM jobs WHERE id = ?');
      const id = makeId(given.kind, (candidate) => isTaken.get(candidate) !== undefined);
      db.prepare(
        `INSERT INTO jobs (id, kind, title, state, input, position, target, created_at)
         VALUES (@id, @kind, @title, 'queued', @input, (SELECT coalesce(max(position), 0) + 1 FROM jobs), @target, @createdAt)`,
      ).run({ ...given, id, input: JSON.stringify(given.input), createdAt: new Date().toISOString() });
      return this.byId(id);
    });
  }

  /** In the order of the queue. */
  list({ states, kinds }: JobFilter = {}): Job[] {
    const places = (values: string[]) => values.map(() => '?').join(', ');
    const conditions = [
      ...(states ? [`state IN (${places(states)})`] : []),
      ...(kinds ? [`kind IN (${places(kinds)})`] : []),
    ];
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    return this.#library.db
      .prepare<string[], JobRow>(`SELECT * FROM jobs ${where} ORDER BY position`)
      .all(...(states ?? []), ...(kinds ?? []))
      .map(fromRow);
  }

  find(id: string): Job | null {
    const row = this.#library.db.prepare<[string], JobRow>('SELECT * FROM jobs WHERE id = ?').get(id);
    return row === undefined ? null : fromRow(row);
  }

  byId(id: string): Job {
    const found = this.find(id);
    if (found === null) throw new AppError('not-found', `There is no job "${id}".`);
    return found;
  }

  /** An id or a unique beginning of one. */
  resolve(reference: string): Job {
    const start = reference.trim().toLowerCase();
    const { db } = this.#library;
    const alike = db
      .prepare<[string, string], { id: string }>('SELECT id FROM jobs WHERE id >= ? AND id < ? ORDER BY id LIMIT 100')
      .all(start, `${start}\u{10ffff}`);
    const newest = db.prepare<[], { id: string }>('SELECT id FROM jobs ORDER BY position DESC LIMIT 6');
    return this.byId(choose(reference, alike.length > 0 ? alike : newest.all().reverse(), 'job').id);
  }

  /** The id reserved for what the job makes. */
  target(id: string): string | null {
    const target = this.#library.db
      .prepare<[string], string | null>('SELECT target FROM jobs WHERE id = ?')
      .pluck()
      .get(id);
    return target ?? null;
  }

  isReserved(itemId: string): boolean {
    return this.#library.db.prepare('SELECT 1 FROM jobs WHERE target = ?').get(itemId) !== undefined;
  }

  update(id: string, change: JobChange): Job {
    const columns: Record<string, string | number | null> = {};
    const json = (value: unknown) => (value == null ? null : JSON.stringify(value));
    if (change.state !== undefined) columns.state = change.state;
    if (change.output !== undefined) columns.output = json(change.output);
    if (change.progress !== undefined) columns.progress = json(change.progress);
    if (change.checkpoint !== undefined) columns.checkpoint = change.checkpoint;
    if (change.error !== undefined) columns.error = json(change.error);
    if (change.attempts !== undefined) columns.attempts = change.attempts;
    if (change.startedAt !== undefined) columns.started_at = change.startedAt;
    if (change.finishedAt !== undefined) columns.finished_at = change.finishedAt;
    const assignments = Object.keys(columns).map((name) => `${name} = @${name}`);
    if (change.finishedAt !== undefined) assignments.push(`finished_age = ${ageNow}`);
    return this.#library.write(() => {
      this.#library.db.prepare(`UPDATE jobs SET ${assignments.join(', ')} WHERE id = @id`).run({ ...columns, id });
      return this.byId(id);
    });
  }

  /** To the place before another job, or to the end; all others keep their order. */
  move(id: string, before: string | null): Job {
    const { db } = this.#library;
    return this.#library.write(() => {
      if (before === null) {
        db.prepare('UPDATE jobs SET position = (SELECT max(position) + 1 FROM jobs) WHERE id = ?').run(id);
      } else if (before !== id) {
        const { position } = this.byId(before);
        db.prepare('UPDATE jobs SET position = position + 1 WHERE position >= ?').run(position);
        db.prepare('UPDATE jobs SET position = ? WHERE id = ?').run(position, id);
      }
      return this.byId(id);
    });
  }

  delete(id: string): void {
    this.#library.write(() => this.#library.db.prepare('DELETE FROM jobs WHERE id = ?').run(id));
  }

  /**
   * Called by a program that has just got the write lock: nothing can be running then, so what says so was cut off.
   * Answers the ids.
   */
  markInterrupted(): string[] {
    return this.#library.write(
      () =>
        this.#library.db
          .prepare<[], string>("UPDATE jobs SET state = 'interrupted' WHERE state = 'running' RETURNING id")
          .pluck()
          .all() as string[],
    );
  }

  /** Forgets jobs that were done or cancelled so many days ago, by the library's age: what they made is in the library. */
  forgetFinished(days: number): void {
    this.#library.write(() =>
      this.#library.db
        .prepare(`DELETE FROM jobs WHERE state IN ('done', 'cancelled') AND finished_age < ${ageNow} - ?`)
        .run(days),
    );
  }

  /** The ids of jobs whose folders are needed: for a failed one only so many days, by the library's age. */
  needingFolders(keptFailedDays: number): string[] {
    return this.#library.db
      .prepare<[number], string>(
        `SELECT id FROM jobs WHERE state IN ('queued', 'running', 'paused', 'interrupted')
           OR (state = 'failed' AND finished_age >= ${ageNow} - ?)`,
      )
      .pluck()
      .all(keptFailedDays);
  }
}
