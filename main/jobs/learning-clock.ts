import type { Progress } from '../../shared/domain/job.ts';
import { type PlannedRecipe, plannedSteps } from '../../shared/domain/recipe.ts';
import type { LearningPhases } from '../../shared/domain/work.ts';

type Phases = LearningPhases<number>;
/** A run may lack a stage. */
type Timing = Pick<Phases, 'prepare' | 'measure'> & Partial<Phases>;

/**
 * How long a learning will still take, over all of its phases: the engine knows the rate of the one at hand only. What the others take was
 * planned; without a plan, a step of a later stage is taken to be as long as one of the first.
 */
export class LearningClock {
  readonly #plan: readonly { label: string; steps: number }[];
  readonly #planned: Phases | null;
  readonly #startedAt: number;
  /** When a stage's first and last steps of this run were told, and how many lay between. */
  readonly #stages: Record<string, { from: number; at: number; first: number; done: number }> = {};

  constructor(recipe: PlannedRecipe, planned: Phases | null, now: number) {
    this.#plan = plannedSteps(recipe);
    this.#planned = planned;
    this.#startedAt = now;
  }

  /** The same progress with the time that all of it will take; `now` in milliseconds. */
  tell(progress: Progress, now: number): Progress {
    const { phase, done, total } = progress;
    if (phase === 'measure') return progress;
    const index = this.#plan.findIndex(({ label }) => label === phase);
    if (index < 0) return { ...progress, etaSeconds: this.#before(now) };
    const stage = this.#stages[phase] ?? { from: now, at: now, first: done, done };
    this.#stages[phase] = { ...stage, at: now, done };
    const left = progress.etaSeconds ?? this.#seconds(phase, total - done);
    const next = this.#secondsOf(this.#plan.slice(index + 1));
    if (left === null || next === null) return { ...progress, etaSeconds: null };
    return { ...progress, etaSeconds: left + next + (this.#planned?.measure ?? 0) };
  }

  /** What the phases of this run took, where it did all of them. */
  timing(now: number): Timing | undefined {
    const told = this.#plan.flatMap(({ label }) => this.#stages[label] ?? []);
    const [first, last] = [told[0], told.at(-1)];
    if (!first || !last || told.some((stage) => stage.first > 1)) return undefined;
    const perStep = {
      identity: this.#measured('identity') ?? undefined,
      motion: this.#measured('motion') ?? undefined,
    };
    return { ...perStep, prepare: (first.from - this.#startedAt) / 1000, measure: (now - last.at) / 1000 };
  }

  /** While nothing has been learned yet: clips are read and made. */
  #before(now: number): number | null {
    if (this.#planned === null) return null;
    const { prepare, measure } = this.#planned;
    const stages = this.#secondsOf(this.#plan);
    if (stages === null) return null;
    const preparing = Math.max(0, prepare - (now - this.#startedAt) / 1000);
    return preparing + stages + measure;
  }

  /** Of several stages together; null where one is not known. */
  #secondsOf(stages: readonly { label: string; steps: number }[]): number | null {
    const seconds = stages.map(({ label, steps }) => this.#seconds(label, steps));
    return seconds.reduce((sum, part) => (sum === null || part === null ? null : sum + part), 0);
  }

  #seconds(stage: string, steps: number): number | null {
    if (steps === 0) return 0;
    const planned = stage === 'motion' ? this.#planned?.motion : this.#planned?.identity;
    const perStep = this.#measured(stage) ?? planned ?? this.#measured(this.#plan[0]!.label);
    return perStep === null || perStep === undefined ? null : perStep * steps;
  }

  #measured(stage: string): number | null {
    const { from, at, first, done } = this.#stages[stage] ?? { from: 0, at: 0, first: 0, done: 0 };
    return done > first ? (at - from) / 1000 / (done - first) : null;
  }
}
