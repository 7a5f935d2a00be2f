import type { Rational } from '../../../shared/domain/time.ts';
import { toNumber } from '../../../shared/domain/time.ts';

export type CompareMode = 'source' | 'wipe' | 'side' | 'difference';

/** What is on screen, as integer frames: every surface (video or frames) shows `frame`, and nothing else keeps time. */
export class PlayerState {
  frameCount = $state(1);
  rate = $state.raw<Rational>({ numerator: 8, denominator: 1 });
  frame = $state(0);
  /** 0 stands still, negative runs backwards. */
  speed = $state(0);
  loop = $state(true);
  /** The range, both ends included; null: from the beginning, to the end. */
  inFrame = $state<number | null>(null);
  outFrame = $state<number | null>(null);
  compare = $state<CompareMode>('wipe');
  /** Edits as changes to the clip itself, at its own rate; otherwise the model's own pictures. */
  finished = $state(true);
  /** Finished over all of the clip's file, its light and colour carried on, instead of what the model saw. */
  wholeLength = $state(false);
  /** Whether there is more of the file than the model saw. */
  offersWhole = $state(false);
  /** What is locked is covered in red. */
  showsMask = $state(false);
  /** Painting where an edit acts or the clip stays; null: not painting. */
  brush = $state.raw<{ acts: boolean; size: number } | null>(null);
  /** Several results at once instead of two. */
  grid = $state(false);
  /** What a result is compared with: another result, by its id; null: the clip. */
  against = $state<string | null>(null);
  /** Where the wipe is, from 0 (left) to 1. */
  wipe = $state(0.5);
  /** 0 fits the picture into its place; otherwise screen pixels per picture pixel. */
  zoom = $state(0);

  readonly first = $derived(this.inFrame ?? 0);
  readonly last = $derived(this.outFrame ?? this.frameCount - 1);
  readonly isPlaying = $derived(this.speed !== 0);

  #timer: number | undefined;
  #clock = 0;

  /** Another clip: the frame and the range start anew. */
  show(frameCount: number, rate: Rational): void {
    this.stop();
    this.frameCount = frameCount;
    this.rate = rate;
    this.frame = 0;
    this.inFrame = null;
    this.outFrame = null;
  }

  /** One of the two-picture modes. */
  compareIn(mode: CompareMode): void {
    this.compare = mode;
    this.grid = false;
  }

  seek(frame: number): void {
    this.frame = Math.min(this.frameCount - 1, Math.max(0, Math.round(frame)));
  }

  /** Stops, and goes so many frames on. */
  step(frames: number): void {
    this.stop();
    this.seek(this.frame + frames);
  }

  toggle(): void {
    if (this.isPlaying) this.stop();
    else this.play(1);
  }

  /** J and L: each press in the same direction doubles the speed, up to 8. */
  shuttle(direction: 1 | -1): void {
    const faster = Math.sign(this.speed) === direction ? Math.min(8, Math.abs(this.speed) * 2) : 1;
    this.play(direction * faster);
  }

  play(speed: number): void {
    if (speed > 0 && this.frame >= this.last) this.frame = this.first;
    this.speed = speed;
    cancelAnimationFrame(this.#timer ?? 0);
    this.#clock = performance.now();
    this.#timer = requestAnimationFrame((now) => this.#tick(now));
  }

  stop(): void {
    this.speed = 0;
    cancelAnimationFrame(this.#timer ?? 0);
  }

  setIn(): void {
    this.inFrame = this.frame;
    if (this.outFrame !== null && this.outFrame < this.frame) this.outFrame = null;
  }

  setOut(): void {
    this.outFrame = this.frame;
    if (this.inFrame !== null && this.inFrame > this.frame) this.inFrame = null;
  }

  clearRange(): void {
    this.inFrame = null;
    this.outFrame = null;
  }

  #tick(now: number): void {
    const perFrame = 1000 / (toNumber(this.rate) * Math.abs(this.speed));
    const due = Math.floor((now - this.#clock) / perFrame);
    if (due > 0) {
      this.#clock += due * perFrame;
      this.#advance(Math.sign(this.speed) * due);
    }
    if (this.isPlaying) this.#timer = requestAnimationFrame((next) => this.#tick(next));
  }

  #advance(frames: number): void {
    const next = this.frame + frames;
    const { first, last } = this;
    if (next >= first && next <= last) this.frame = next;
    else if (this.loop) {
      const length = last - first + 1;
      this.frame = first + ((((next - first) % length) + length) % length);
    } else {
      this.frame = next > last ? last : first;
      this.stop();
    }
  }
}
