import { toErrorShape } from '../../shared/ipc/result.ts';

export interface Notice {
  id: number;
  tone: 'plain' | 'bad';
  message: string;
  hint?: string;
  action?: { label: string; run(): void };
}

const shownMilliseconds = 8000;

/** Short lines at the foot of the picture: what was done and can be undone, what went wrong and what to do. */
export class Notices {
  items = $state.raw<Notice[]>([]);
  #nextId = 1;

  tell(message: string, action?: Notice['action']): void {
    this.#add({ tone: 'plain', message, action });
  }

  /** Says what was thrown; being cancelled is no error. */
  fail(thrown: unknown): void {
    const { code, message, hint } = toErrorShape(thrown);
    if (code !== 'cancelled') this.#add({ tone: 'bad', message, hint });
  }

  /** Runs and says what goes wrong. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (thrown) {
      this.fail(thrown);
      return undefined;
    }
  }

  dismiss(id: number): void {
    this.items = this.items.filter((notice) => notice.id !== id);
  }

  #add(notice: Omit<Notice, 'id'>): void {
    const id = this.#nextId++;
    this.items = [...this.items.filter(({ message }) => message !== notice.message), { ...notice, id }].slice(-3);
    setTimeout(() => this.dismiss(id), notice.tone === 'bad' ? 2 * shownMilliseconds : shownMilliseconds);
  }
}
