import type { Clip, RawFrames } from '../../../shared/domain/clip.ts';
import type { ClipView, TwinView } from '../../../shared/domain/twin.ts';
import { type AppErrorShape, toErrorShape } from '../../../shared/ipc/result.ts';
import type { Connection } from '../../app/connection.svelte.ts';
import type { ReenactState } from '../compose/reenact.svelte.ts';

/** A clip as the network that takes clips apart gives it back: from both latents, or from one alone. */
export class ClipViewState {
  /** What the chosen view shows; null while it is being made. */
  frames = $state.raw<RawFrames | null>(null);
  error = $state.raw<AppErrorShape | null>(null);
  isWorking = $state(false);
  #view = $state<ClipView>('source');
  /** What the view is of: a clip that was prepared anew is another. */
  #of = $state<string | null>(null);
  #making: AbortController | null = null;

  readonly #connection: Connection;
  readonly #reenact: ReenactState;

  constructor(connection: Connection, reenact: ReenactState) {
    this.#connection = connection;
    this.#reenact = reenact;
  }

  /** Whether it is known that no network is there. */
  get isMissing(): boolean {
    return this.#reenact.twin === null;
  }

  /** Of a clip that was just opened: its source. */
  viewOf({ frames }: Clip): ClipView {
    return this.#of === frames.file ? this.#view : 'source';
  }

  async show(clip: Clip, view: ClipView): Promise<void> {
    this.#making?.abort();
    this.#of = clip.frames.file;
    this.#view = view;
    this.frames = null;
    this.error = null;
    this.isWorking = false;
    if (view === 'source') return;
    const making = new AbortController();
    this.#making = making;
    this.isWorking = true;
    try {
      await this.#reenact.open();
      if (this.isMissing || making.signal.aborted) return;
      const { frames } = await this.#make(clip, view, making.signal);
      if (!making.signal.aborted) this.frames = frames;
    } catch (thrown) {
      if (!making.signal.aborted) this.error = toErrorShape(thrown);
    } finally {
      if (this.#making === making) this.isWorking = false;
    }
  }

  /** A clip with its own dynamics is the clip; what was made before is answered at once. */
  #make({ id }: Clip, view: TwinView, signal: AbortSignal) {
    const request = { structureClipId: id, dynamicsClipId: id, strengths: { structure: 1, dynamics: 1 }, view };
    return this.#connection.call['twins.reenact'](request, { signal });
  }
}
