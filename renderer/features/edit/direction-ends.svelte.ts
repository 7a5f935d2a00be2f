import type { RawFrames } from '../../../shared/domain/clip.ts';
import type { Concept } from '../../../shared/domain/concept.ts';
import { type EditSettings, editSettings } from '../../../shared/domain/edit.ts';
import type { Services } from '../../app/connection.svelte.ts';

/** The ends are made when nothing happened for so long. */
const pauseMilliseconds = 3000;
/** Where one end takes longer, as large models do on a processor, the engine is kept free for what is asked for. */
const limitMilliseconds = 15_000;
/** Of a concept's directions, the strongest are on screen at first. */
const shownAtFirst = 4;

/** The ends of a direction's slider; 1 is as learned. */
export const directionRange = { low: -1, neutral: 1, high: 3 } as const;

interface Given {
  /** The chosen one, as it is now. */
  concept(): Concept | null;
  /** What a new edit begins with. */
  startOf(concept: Concept): EditSettings;
  /** Whether the engine does something else. */
  isBusy(): boolean;
}

/** What a new edit of a concept becomes at both ends of its directions, the strongest first, while nothing else is to be computed. */
export class DirectionEnds {
  /** Previews of both ends, by the number of their direction. */
  pictures = $state.raw<Record<number, { low: RawFrames; high: RawFrames }>>({});
  /** How many directions are on screen: only their ends are made. */
  shown = $state(shownAtFirst);

  readonly #connection: Services;
  readonly #given: Given;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | null = null;
  #tooSlow = false;

  constructor(connection: Services, given: Given) {
    this.#connection = connection;
    this.#given = given;
  }

  /** Another concept was chosen: its pictures are yet to be made. */
  clear(): void {
    this.stop();
    this.pictures = {};
    this.shown = shownAtFirst;
    this.#tooSlow = false;
  }

  /** Those that are not on screen at first. */
  showAll(): void {
    this.shown = this.#given.concept()?.directionStrengths.length ?? 0;
    this.makeSoon();
  }

  makeSoon(): void {
    this.stop();
    this.#timer = setTimeout(() => void this.#make(), pauseMilliseconds);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }

  async #make(): Promise<void> {
    const concept = this.#given.concept();
    if (!concept || this.#tooSlow) return;
    const asking = new AbortController();
    this.#asking = asking;
    const end = async (index: number, gain: number) => {
      const limit = AbortSignal.timeout(limitMilliseconds);
      const settings = editSettings.parse({
        ...this.#given.startOf(concept),
        sliders: { directions: { [index]: gain } },
      });
      const signal = AbortSignal.any([asking.signal, limit]);
      try {
        return (await this.#connection.call['edits.preview']({ conceptId: concept.id, settings }, { signal })).frames;
      } catch (thrown) {
        this.#tooSlow = limit.aborted;
        throw thrown;
      }
    };
    try {
      for (let index = 0; index < Math.min(this.shown, concept.directionStrengths.length); index++) {
        if (asking.signal.aborted || this.#given.isBusy()) return;
        if (this.pictures[index]) continue;
        const ends = { low: await end(index, directionRange.low), high: await end(index, directionRange.high) };
        if (asking.signal.aborted) return;
        this.pictures = { ...this.pictures, [index]: ends };
      }
    } catch {
      // Pictures beside a slider are worth no message; they are tried again after the next pause.
    }
  }
}
