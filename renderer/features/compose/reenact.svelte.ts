import type { Clip, RawFrames } from '../../../shared/domain/clip.ts';
import type { ClipView, TwinInfo, TwinStrengths, TwinView } from '../../../shared/domain/twin.ts';
import { toErrorShape } from '../../../shared/ipc/result.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import { text } from '../../text/en.ts';
import type { LibraryState } from '../library/library.svelte.ts';

export type ReenactRole = 'structure' | 'dynamics';

/** The structure of one clip with the dynamics of another. */
export class ReenactState {
  /** Undefined until it is known whether there is a network, null where there is none. */
  twin = $state.raw<TwinInfo | null | undefined>(undefined);
  #ids = $state.raw<Record<ReenactRole, string | null>>({ structure: null, dynamics: null });
  strengths = $state.raw<TwinStrengths>({ structure: 1, dynamics: 1 });
  /** What of it is shown; the source is the clip whose structure is taken. */
  view = $state<ClipView>('both');
  frames = $state.raw<RawFrames | null>(null);
  isWorking = $state(false);
  exported = $state<string | null>(null);

  readonly clips = $derived.by<Record<ReenactRole, Clip | null>>(() => ({
    structure: this.#library.clipById(this.#ids.structure ?? '') ?? null,
    dynamics: this.#library.clipById(this.#ids.dynamics ?? '') ?? null,
  }));
  readonly isReady = $derived(
    this.clips.structure !== null &&
      this.clips.dynamics !== null &&
      (this.strengths.structure > 0 || this.strengths.dynamics > 0),
  );
  /** What the chosen view shows; null while it is being made. */
  readonly shown = $derived(this.view === 'source' ? (this.clips.structure?.frames ?? null) : this.frames);

  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #library: Pick<LibraryState, 'clipById'>;
  #making: AbortController | null = null;
  /** Views of the clips and strengths as they stand: one that was made is shown again at once. */
  #made: Partial<Record<TwinView, RawFrames>> = {};

  constructor(connection: Services, notices: Notices, library: Pick<LibraryState, 'clipById'>) {
    this.#connection = connection;
    this.#notices = notices;
    this.#library = library;
  }

  /** Asks whether there is a network; once, when the section is first seen. */
  async open(): Promise<void> {
    if (this.twin !== undefined) return;
    const found = await this.#notices.attempt(() => this.#connection.call['twins.describe']({}));
    if (found) this.twin = found.twin;
  }

  choose(role: ReenactRole, id: string): void {
    this.#ids = { ...this.#ids, [role]: id || null };
    this.#made = {};
    void this.make();
  }

  /** While a slider moves nothing is made. */
  set(role: ReenactRole, strength: number): void {
    this.strengths = { ...this.strengths, [role]: strength };
    this.#made = {};
  }

  show(view: ClipView): void {
    this.view = view;
    if (view === 'source') return;
    this.frames = this.#made[view] ?? null;
    void this.make();
  }

  /** What was asked for before is given up. */
  async make(): Promise<void> {
    this.#making?.abort();
    this.exported = null;
    const request = this.#request();
    if (request === null) {
      this.frames = null;
      this.isWorking = false;
      return;
    }
    const making = new AbortController();
    this.#making = making;
    // Clips or strengths that change meanwhile begin another record.
    const made = this.#made;
    this.isWorking = true;
    try {
      const { frames } = await this.#connection.call['twins.reenact'](request, { signal: making.signal });
      if (making.signal.aborted) return;
      this.frames = frames;
      made[request.view] = frames;
    } catch (thrown) {
      if (!making.signal.aborted && toErrorShape(thrown).code !== 'cancelled') this.#notices.fail(thrown);
    } finally {
      if (this.#making === making) {
        this.#making = null;
        this.isWorking = false;
      }
    }
  }

  async export(): Promise<void> {
    const request = this.#request();
    const { structure, dynamics } = this.clips;
    if (request === null || !structure || !dynamics) return;
    const name = text.compose.reenact.nameOf(structure.name, dynamics.name).slice(0, 80);
    const written = await this.#notices.attempt(() => this.#connection.call['twins.export']({ ...request, name }));
    if (written) this.exported = written.file;
  }

  #request() {
    const { structure, dynamics } = this.clips;
    if (!this.isReady || !structure || !dynamics) return null;
    return {
      structureClipId: structure.id,
      dynamicsClipId: dynamics.id,
      strengths: this.strengths,
      view: this.view === 'source' ? ('both' as const) : this.view,
    };
  }
}
