import type { Deletion } from '../../../shared/domain/library.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import { text } from '../../text/en.ts';

/** What was deleted and can be had back, until it is deleted for good. */
export class TrashState {
  /** The newest first; null until they are asked for. */
  deletions = $state.raw<Deletion[] | null>(null);
  /** Emptying cannot be undone: it is asked for twice. */
  isSure = $state(false);

  readonly count = $derived((this.deletions ?? []).reduce((sum, { items }) => sum + items.length, 0));

  readonly #connection: Services;
  readonly #notices: Notices;

  constructor(connection: Services, notices: Notices) {
    this.#connection = connection;
    this.#notices = notices;
    connection.on('library.changed', () => {
      if (this.deletions !== null) void this.load();
    });
  }

  async load(): Promise<void> {
    await this.#notices.attempt(async () => {
      this.deletions = await this.#connection.call['library.trash']({});
    });
  }

  async restore(deletionId: string): Promise<void> {
    await this.#notices.attempt(() => this.#connection.call['library.restore']({ deletionId }));
    await this.load();
  }

  async empty(): Promise<void> {
    await this.#notices.attempt(async () => {
      const { count } = await this.#connection.call['library.emptyTrash']({});
      this.#notices.tell(text.trash.emptied(count));
    });
    this.isSure = false;
    await this.load();
  }

  close(): void {
    this.deletions = null;
    this.isSure = false;
  }
}
