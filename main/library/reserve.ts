import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { freeBytesSync } from '../files/free-space.ts';

const reserveBytes = 2 * 2 ** 20;
/** With less than this free, what is left belongs to the user's work. */
const plentyBytes = 64 * 2 ** 20;

/**
 * A file that holds nothing but its place on the disk: given up when the disk is full, so that states can still be written and the
 * user can still delete, and taken again at a later start.
 */
export class SpaceReserve {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, 'reserve');
  }

  /** Whether there was something to give up. */
  giveUp(): boolean {
    if (!existsSync(this.#file)) return false;
    rmSync(this.#file, { force: true });
    return true;
  }

  take(): void {
    if (existsSync(this.#file)) return;
    // Random, so that no file system stores it smaller.
    if (freeBytesSync(dirname(this.#file)) > plentyBytes) writeFileSync(this.#file, randomBytes(reserveBytes));
  }
}
