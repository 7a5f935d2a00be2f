import { z } from 'zod';
import type { ExportPreset } from '../../../shared/domain/export.ts';
import type { Job } from '../../../shared/domain/job.ts';

/** A video to write: how, and how many pixels it has in all its pictures. */
export interface PacedExport {
  preset: ExportPreset;
  isFinished: boolean;
  pixels: number;
}

/** Pixels a second where nothing was exported yet: rough, and put right by the first export of a kind. */
const firstGuess = { finished: 8e6, plain: 40e6, slow: 4e6 };
const slowPresets: readonly ExportPreset[] = ['av1', 'h265'];
/** How much the last export counts against those before it. */
const newest = 0.5;

/** How fast this machine has exported so far, kept across reloads: what an export is likely to take. */
export class ExportPace {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'>;
  readonly #known: Record<string, number>;
  readonly #running = new Map<string, PacedExport>();

  constructor(storage: Pick<Storage, 'getItem' | 'setItem'>) {
    this.#storage = storage;
    const stored = z.record(z.string(), z.number().positive()).safeParse(JSON.parse(storage.getItem(key) ?? '{}'));
    this.#known = stored.data ?? {};
  }

  /** What these take one after the other, in seconds. */
  secondsOf(exports: readonly PacedExport[]): number {
    return exports.reduce((seconds, one) => seconds + one.pixels / this.#paceOf(one), 0);
  }

  begin(jobId: string, one: PacedExport): void {
    this.#running.set(jobId, one);
  }

  end({ id, state, startedAt, finishedAt }: Pick<Job, 'id' | 'state' | 'startedAt' | 'finishedAt'>): void {
    const one = this.#running.get(id);
    this.#running.delete(id);
    if (!one || state !== 'done' || startedAt === null || finishedAt === null) return;
    const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
    if (!(seconds > 0)) return;
    const before = this.#known[nameOf(one)];
    const pace = one.pixels / seconds;
    this.#known[nameOf(one)] = before === undefined ? pace : newest * pace + (1 - newest) * before;
    this.#storage.setItem(key, JSON.stringify(this.#known));
  }

  #paceOf(one: PacedExport): number {
    const guess = one.isFinished ? firstGuess.finished : firstGuess.plain;
    return this.#known[nameOf(one)] ?? (slowPresets.includes(one.preset) ? Math.min(guess, firstGuess.slow) : guess);
  }
}

const key = 'motif.export-pace';

const nameOf = ({ preset, isFinished }: PacedExport) => `${preset}${isFinished ? ' finished' : ''}`;
