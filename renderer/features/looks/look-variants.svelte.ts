import type { EditSettings } from '../../../shared/domain/edit.ts';
import { strengthSettings } from '../../../shared/domain/strength.ts';
import type { LookPicture } from './look-tiles.svelte.ts';

/** Strengths around the chosen one, and seeds. */
const plan = [
  { offset: -0.25, seed: 0 },
  { offset: 0, seed: 1 },
  { offset: 0, seed: 2 },
  { offset: 0.25, seed: 0 },
  { offset: 0.25, seed: 1 },
  { offset: 0.5, seed: 0 },
] as const;

/** The strip of variants of the look on the stage, made one after the other when it is asked for. */
export class LookVariants {
  /** Null: not made yet. */
  all = $state.raw<(LookPicture | null)[]>([]);

  readonly #render: (settings: EditSettings, signal: AbortSignal) => Promise<LookPicture>;
  #making: AbortController | null = null;

  constructor(render: (settings: EditSettings, signal: AbortSignal) => Promise<LookPicture>) {
    this.#render = render;
  }

  /** Throws what stopped it; answers whether it came to its end. */
  async make({ settings, strength }: { settings: EditSettings; strength: number }): Promise<boolean> {
    this.stop();
    const making = new AbortController();
    this.#making = making;
    this.all = plan.map(() => null);
    try {
      for (const [index, { offset, seed }] of plan.entries()) {
        const moved = Math.min(1, Math.max(0, strength + offset));
        const varied = { ...settings, seed: settings.seed + seed, ...(offset !== 0 && strengthSettings(moved)) };
        const picture = await this.#render(varied, making.signal);
        if (making.signal.aborted) return false;
        this.all = this.all.with(index, picture);
      }
      return true;
    } catch (thrown) {
      if (making.signal.aborted) return false;
      throw thrown;
    } finally {
      if (this.#making === making) this.#making = null;
    }
  }

  stop(): void {
    this.#making?.abort();
    this.#making = null;
  }

  clear(): void {
    this.stop();
    this.all = [];
  }
}
