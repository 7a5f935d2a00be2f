import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the folders of a second attempt at a learning are called by, behind those of the first. */
export const workAgain = '-again';

/** Each job's own folder for checkpoints and what is not finished: `jobs/<id>` of the library. It exists only while it is needed. */
export class JobFolders {
  readonly #root: string;

  constructor(libraryFolder: string) {
    this.#root = join(libraryFolder, 'jobs');
  }

  of(id: string): string {
    return join(this.#root, id);
  }

  eventFile(id: string): string {
    return join(this.of(id), 'events.jsonl');
  }

  /** Asks a learning, in whatever program it runs, to end with the step at hand and keep what it has (engine: work-folder.ts). */
  requestKeeping(id: string): void {
    for (const name of ['', workAgain]) {
      const work = join(this.of(id), `work${name}`);
      mkdirSync(work, { recursive: true });
      writeFileSync(join(work, 'keep'), '');
    }
  }

  remove(id: string): void {
    rmSync(this.of(id), { recursive: true, force: true });
  }

  /** Removes what no job needs: a kill between the end of a job and the deletion of its folder leaves it behind. */
  removeLeftovers(needed: Set<string>): void {
    for (const id of readdirSync(this.#root)) if (!needed.has(id)) this.remove(id);
  }
}
