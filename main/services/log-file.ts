import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const maximumBytes = 2 ** 20;
const keptFiles = 3;

export type LogLevel = 'info' | 'warn' | 'error';

/** One line a happening. A file that outgrows 1 MB becomes `motif.1.log`, that one `motif.2.log`; older ones go. */
export class LogFile {
  readonly file: string;
  readonly #maximumBytes: number;

  constructor(file: string, limit = maximumBytes) {
    this.file = file;
    this.#maximumBytes = limit;
  }

  write(level: LogLevel, message: string, details?: unknown): void {
    const tail = details === undefined ? '' : ` ${JSON.stringify(details)}`;
    const line = `${new Date().toISOString()} ${level} ${message.replaceAll('\n', '\\n')}${tail}\n`;
    try {
      mkdirSync(dirname(this.file), { recursive: true });
      if (existsSync(this.file) && statSync(this.file).size + line.length > this.#maximumBytes) this.#rotate();
      appendFileSync(this.file, line);
    } catch {
      // A disk that is full must not stop the work that is told of.
    }
  }

  /** The present file and those before it, the newest first. */
  files(): string[] {
    return Array.from({ length: keptFiles }, (_, number) => this.#numbered(number)).filter((file) => existsSync(file));
  }

  #rotate(): void {
    for (let number = keptFiles - 2; number >= 0; number--) {
      if (existsSync(this.#numbered(number))) renameSync(this.#numbered(number), this.#numbered(number + 1));
    }
  }

  #numbered(number: number): string {
    return number === 0 ? this.file : this.file.replace(/\.log$/, `.${number}.log`);
  }
}
