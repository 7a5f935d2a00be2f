import type { Job } from '../../../shared/domain/job.ts';
import { exportOutput } from '../../../shared/domain/job-input.ts';
import type { Files } from '../../app/files.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { Host } from '../../host/host.ts';
import { text } from '../../text/en.ts';
import type { QueueState } from './queue.svelte.ts';

/** The jobs of the last export, kept over a reload until all have ended and been told of. */
export class ExportBatch {
  #ids = $state.raw<string[]>(JSON.parse(localStorage.getItem(batchKey) ?? '[]') as string[]);
  #isTold = this.#ids.length === 0;

  readonly jobs = $derived.by(() => this.#ids.flatMap((id) => this.#parts.queue.byId(id) ?? []));

  readonly #parts: BatchParts;

  constructor(parts: BatchParts) {
    this.#parts = parts;
    parts.queue.whenLoaded(() => void this.#tellWhenDone());
    parts.queue.whenDone(() => void this.#tellWhenDone());
  }

  begin(ids: string[]): void {
    this.#ids = ids;
    this.#isTold = ids.length === 0;
    localStorage.setItem(batchKey, JSON.stringify(ids));
  }

  /** Once every file of the batch is written or has failed. */
  async #tellWhenDone(): Promise<void> {
    const { jobs } = this;
    const { files, notices, host, onReport } = this.#parts;
    const isOver = (job: Job) => job.state === 'done' || job.state === 'failed' || job.state === 'cancelled';
    if (this.#isTold || jobs.length === 0 || !jobs.every(isOver)) return;
    this.#isTold = true;
    localStorage.removeItem(batchKey);
    const written = jobs.flatMap((job) => (job.state === 'done' ? (outputOf(job) ?? []) : []));
    const [only] = written;
    const message =
      only && jobs.length === 1 ? text.exporting.done(only.file) : text.exporting.ended(written.length, jobs.length);
    const action =
      only && jobs.length === 1 ? await files.action(only.file) : { label: text.exporting.report, run: onReport };
    notices.tell(message, action);
    if (document.hidden) host.notify(text.exporting.title, message);
  }
}

interface BatchParts {
  queue: Pick<QueueState, 'byId' | 'whenLoaded' | 'whenDone'>;
  files: Pick<Files, 'action'>;
  notices: Notices;
  host: Pick<Host, 'notify'>;
  onReport(): void;
}

/** What an ended job of the batch wrote. */
export function outputOf(job: Job): { file: string; sizeBytes: number; notes: string[] } | null {
  return exportOutput.safeParse(job.output).data ?? null;
}

const batchKey = 'motif.batch';
