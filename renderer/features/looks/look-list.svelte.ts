import {
  groupOf,
  type Look,
  type LookGroup,
  type LookInput,
  lookGroup,
  saysLook,
} from '../../../shared/domain/look.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';

/** All looks that there are, one's own first, and which of them are listed. */
export class LookList {
  all = $state.raw<{ look: Look; isOwn: boolean }[]>([]);
  /** Only looks of this group are listed; null: of all. */
  group = $state<LookGroup | 'own' | null>(null);
  /** Only looks are listed whose name or words have these. */
  searchText = $state('');
  /** Those of which there are looks. */
  readonly groups = $derived(
    [...lookGroup.options, 'own' as const].filter((group) => this.all.some(({ look }) => groupOf(look) === group)),
  );

  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #onLoaded: () => void;

  constructor(connection: Services, notices: Notices, onLoaded: () => void) {
    this.#connection = connection;
    this.#notices = notices;
    this.#onLoaded = onLoaded;
    connection.whenOpen(() => void this.load());
    connection.on('looks.changed', () => void this.load());
  }

  async load(): Promise<void> {
    await this.#notices.attempt(async () => {
      this.all = await this.#connection.call['looks.list']({});
      if (this.group !== null && !this.groups.includes(this.group)) this.group = null;
      this.#onLoaded();
    });
  }

  find(id: string | null): { look: Look; isOwn: boolean } | null {
    return this.all.find(({ look }) => look.id === id) ?? null;
  }

  isListed(look: Look): boolean {
    return (this.group === null || groupOf(look) === this.group) && saysLook(look, this.searchText);
  }

  /** Answers the new look; null where it cannot be had, which is said. */
  async add(input: LookInput): Promise<Look | null> {
    return (await this.#notices.attempt(() => this.#connection.call['looks.save']({ look: input }))) ?? null;
  }

  async change(look: Look, patch: Partial<LookInput>): Promise<void> {
    const { id, ...input } = { ...look, ...patch };
    await this.#notices.attempt(() => this.#connection.call['looks.save']({ look: input, id }));
  }

  async remove(look: Look): Promise<void> {
    await this.#notices.attempt(() => this.#connection.call['looks.remove']({ id: look.id }));
  }

  async move(look: Look, before: string | null): Promise<void> {
    await this.#notices.attempt(() => this.#connection.call['looks.move']({ id: look.id, before }));
  }
}
