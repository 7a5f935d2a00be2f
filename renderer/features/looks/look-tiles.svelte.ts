import type { RawFrames } from '../../../shared/domain/clip.ts';
import type { EditSettings } from '../../../shared/domain/edit.ts';
import type { Look } from '../../../shared/domain/look.ts';
import { type AppErrorShape, toErrorShape } from '../../../shared/ipc/result.ts';

/** A rendering of a clip, by words alone. */
export interface LookPicture {
  frames: RawFrames;
  base: RawFrames | null;
  settings: EditSettings;
}

/** A look of one clip. */
export interface Tile {
  look: Look;
  isOwn: boolean;
  clipId: string;
  settings: EditSettings;
  picture: LookPicture | null;
  error: AppErrorShape | null;
}

/** The looks of the chosen clip, which fill one after the other whenever nothing else is asked of the engine. */
export class LookTiles {
  all = $state.raw<Tile[]>([]);

  readonly #render: (settings: EditSettings, signal: AbortSignal) => Promise<LookPicture>;
  /** Whatever the user asks for comes first. */
  readonly #isBusy: () => boolean;
  #filling: AbortController | null = null;
  #isVisible = false;
  /** Looks whose tiles are in sight: no others are made. */
  readonly #seen = new Set<string>();

  constructor(render: (settings: EditSettings, signal: AbortSignal) => Promise<LookPicture>, isBusy: () => boolean) {
    this.#render = render;
    this.#isBusy = isBusy;
  }

  /** Other looks, another clip, or other words: a tile that shows the same already stays as it is. */
  set(wanted: Pick<Tile, 'look' | 'isOwn' | 'clipId' | 'settings'>[]): void {
    this.pause();
    this.all = wanted.map((tile) => {
      const before = this.all.find(({ look }) => look.id === tile.look.id);
      const isSame =
        before?.clipId === tile.clipId && JSON.stringify(before.settings) === JSON.stringify(tile.settings);
      return { ...tile, picture: isSame ? before.picture : null, error: null };
    });
    void this.fill();
  }

  /** Tiles that nobody sees are not made: the engine has other work. */
  show(isVisible: boolean): void {
    if (isVisible === this.#isVisible) return;
    this.#isVisible = isVisible;
    if (isVisible) void this.fill();
    else this.pause();
  }

  /** A tile came into sight, or left it. */
  see(lookId: string, isSeen: boolean): void {
    if (!isSeen) this.#seen.delete(lookId);
    else {
      this.#seen.add(lookId);
      // What is being filled comes to it.
      if (this.#filling === null) void this.fill();
    }
  }

  pause(): void {
    this.#filling?.abort();
    this.#filling = null;
  }

  async fill(): Promise<void> {
    this.pause();
    if (!this.#isVisible) return;
    const filling = new AbortController();
    this.#filling = filling;
    await this.#fillWith(filling.signal);
    if (this.#filling === filling) this.#filling = null;
  }

  async #fillWith(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#isBusy()) {
      const tile = this.all.find(
        ({ look, picture, error }) => this.#seen.has(look.id) && picture === null && error === null,
      );
      if (!tile) return;
      try {
        const picture = await this.#render(tile.settings, signal);
        if (signal.aborted) return;
        this.#change(tile.look.id, { picture });
      } catch (thrown) {
        if (signal.aborted) return;
        const error = toErrorShape(thrown);
        if (error.code === 'cancelled' || error.code === 'disconnected') return;
        this.#change(tile.look.id, { error });
      }
    }
  }

  #change(lookId: string, change: Partial<Tile>): void {
    this.all = this.all.map((tile) => (tile.look.id === lookId ? { ...tile, ...change } : tile));
  }
}
