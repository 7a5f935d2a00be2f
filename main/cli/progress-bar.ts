import type { Writable } from 'node:stream';
import cliProgress from 'cli-progress';
import type { Progress } from '../../shared/domain/job.ts';
import { progressDetails } from './progress-text.ts';

/** One bar at a time, drawn on a terminal; a new title or phase starts a new line. */
export class ProgressBar {
  readonly #stream: Writable;
  #bar: cliProgress.SingleBar | null = null;
  #key = '';

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  update(title: string, progress: Progress): void {
    const key = `${title}/${progress.phase}`;
    if (key !== this.#key) this.stop();
    const details = progressDetails(progress).join('  ');
    const total = Math.max(progress.total, 1e-9);
    if (!this.#bar) {
      this.#key = key;
      this.#bar = new cliProgress.SingleBar({
        stream: this.#stream as NodeJS.WritableStream,
        format: `{title} {bar} {percentage}%  {details}`,
        barCompleteChar: '█',
        barIncompleteChar: '░',
        barsize: 28,
        hideCursor: true,
        linewrap: false,
        clearOnComplete: false,
        fps: 5,
        // Ctrl-C is ours: it stops the work cleanly.
        gracefulExit: false,
      });
      this.#bar.start(total, progress.done, { title: `${title}: ${progress.phase}`, details });
      return;
    }
    this.#bar.setTotal(total);
    this.#bar.update(progress.done, { title: `${title}: ${progress.phase}`, details });
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = null;
    this.#key = '';
  }
}
