import type { ConceptMetrics } from '../../shared/domain/concept.ts';
import type { Progress } from '../../shared/domain/job.ts';
import type { Recipe } from '../../shared/domain/recipe.ts';

type Timing = NonNullable<ConceptMetrics['timing']>;
type Stage = 'identity' | 'motion';

/**
 * How long a learning will still take, over all of its phases: the engine knows the rate of the one at hand only. What the others take is
 * known from the last learning on the same model; without one, a step of the second stage is taken to be as long as one of the first.
 */
export class LearningClock {
  readonly #steps: Record<Stage, number>;
  readonly #known: Timing | null;
  readonly #startedAt: number;
  /** When a stage's first and last steps of this run were told, and how many lay between. */
  readonly #stages: Partial<Record<Stage, { from: number; at: number; first: number; done: number }>> = {};

  constructor(recipe: Pick<Recipe, 'method' | 'stepsIdentity' | 'stepsMotion'>, known: Timing | null, now: number) {
    const isStaged = recipe.method === 'set-and-sequence';
    this.#steps = { identity: recipe.stepsIdentity, motion: isStaged ? recipe.stepsMotion : 0 };
    this.#known = known;
    this.#startedAt = now;
  }

  /** The same progress with the time that all of it will take; `now` in milliseconds. */
  tell(progress: Progress, now: number): Progress {
    const { phase, done, total } = progress;
    if (phase === 'measure') return progress;
    if (phase !== 'identity' && phase !== 'motion') return { ...progress, etaSeconds: this.#before(now) };
    const stage = this.#stages[phase] ?? { from: now, at: now, first: done, done };
    this.#stages[phase] = { ...stage, at: now, done };
    const left = progress.etaSeconds ?? this.#seconds(phase, total - done);
    const next = phase === 'identity' ? this.#seconds('motion', this.#steps.motion) : 0;
    if (left === null || next === null) return { ...progress, etaSeconds: null };
    return { ...progress, etaSeconds: left + next + (this.#known?.measure ?? 0) };
  }

  /** What the phases of this run took, where it did all of them. */
  timing(now: number): Timing | undefined {
    const { identity, motion } = this.#stages;
    const first = identity ?? motion;
    const last = motion ?? identity;
    const isWhole = first !== undefined && [identity, motion].every((stage) => (stage?.first ?? 1) <= 1);
    if (!isWhole || !last) return undefined;
    const perStep = {
      identity: this.#measured('identity') ?? undefined,
      motion: this.#measured('motion') ?? undefined,
    };
    return { ...perStep, prepare: (first.from - this.#startedAt) / 1000, measure: (now - last.at) / 1000 };
  }

  /** While nothing has been learned yet: clips are read and made. */
  #before(now: number): number | null {
    if (this.#known === null) return null;
    const { prepare, measure } = this.#known;
    const seconds = [this.#seconds('identity', this.#steps.identity), this.#seconds('motion', this.#steps.motion)];
    if (seconds.some((part) => part === null)) return null;
    const preparing = Math.max(0, prepare - (now - this.#startedAt) / 1000);
    return preparing + seconds[0]! + seconds[1]! + measure;
  }

  #seconds(stage: Stage, steps: number): number | null {
    if (steps === 0) return 0;
    const perStep = this.#measured(stage) ?? this.#known?.[stage] ?? this.#measured('identity');
    return perStep === null || perStep === undefined ? null : perStep * steps;
  }

  #measured(stage: Stage): number | null {
    const { from, at, first, done } = this.#stages[stage] ?? { from: 0, at: 0, first: 0, done: 0 };
    return done > first ? (at - from) / 1000 / (done - first) : null;
  }
}
