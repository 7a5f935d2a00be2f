import type { Edit } from '../../../shared/domain/edit.ts';
import type { CallValue, Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { Host } from '../../host/host.ts';
import type { EditDraft } from './edit-draft.svelte.ts';

type Draft = Pick<EditDraft, 'beginWith' | 'conceptId'>;

/** The picture that the clip of the draft begins with: where it comes from, until it is part of the settings. */
export class FirstFrameState {
  /** How much of a file has arrived, 0 to 1; null: none is on its way. */
  arriving = $state<number | null>(null);

  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #host: Pick<Host, 'pathOf'>;
  readonly #draft: Draft;

  constructor(connection: Services, notices: Notices, host: Pick<Host, 'pathOf'>, draft: Draft) {
    this.#connection = connection;
    this.#notices = notices;
    this.#host = host;
    this.#draft = draft;
  }

  /** A picture from disk. */
  choose(file: File): Promise<void> {
    return this.#take(async () => {
      const onProgress = (share: number) => {
        this.arriving = share;
      };
      const path = await this.#host.pathOf(file, { onProgress, signal: new AbortController().signal });
      return this.#connection.call['edits.keepPicture']({ file: path });
    });
  }

  /** What a result begins with. */
  takeFrom({ id }: Pick<Edit, 'id'>): Promise<void> {
    return this.#take(() => this.#connection.call['edits.keepPicture']({ edit: id }));
  }

  remove(): void {
    this.#draft.beginWith(null);
  }

  async #take(keep: () => Promise<CallValue<'edits.keepPicture'>>): Promise<void> {
    if (this.arriving !== null) return;
    const { conceptId } = this.#draft;
    this.arriving = 0;
    const picture = await this.#notices.attempt(keep);
    this.arriving = null;
    // Another concept may have been opened meanwhile.
    if (picture && this.#draft.conceptId === conceptId) this.#draft.beginWith(picture);
  }
}
