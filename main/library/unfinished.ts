import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Paths at which a killed program would leave something half: written down in the library's `unfinished` folder before work there
 * begins, crossed out when it has ended, and put right at the next start. Also programs that only read the library write here.
 */
export class UnfinishedNotes {
  readonly #folder: string;

  constructor(libraryFolder: string) {
    this.#folder = join(libraryFolder, 'unfinished');
  }

  /** Answers a function that crosses it out. Where nothing can be written, work goes on without a note. */
  begin(path: string): () => void {
    const note = join(this.#folder, randomUUID());
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(note, path);
    } catch {
      return () => {};
    }
    return () => rmSync(note, { force: true });
  }

  /** Every path that is written down, with the way to cross it out. */
  list(): { path: string; end(): void }[] {
    mkdirSync(this.#folder, { recursive: true });
    return readdirSync(this.#folder).map((name) => {
      const note = join(this.#folder, name);
      return { path: readFileSync(note, 'utf8'), end: () => rmSync(note, { force: true }) };
    });
  }
}
