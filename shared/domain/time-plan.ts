import type { Concept } from './concept.ts';
import type { DeviceReport } from './engine.ts';
import type { ModelInfo } from './model.ts';
import { plannedSteps, type Recipe } from './recipe.ts';
import { type EditSize, editWork, type LearningPhases, learningWork, measuringWork, type Work } from './work.ts';

/**
 * Which part of the rate of a float32 matrix product each kind of work reaches, what is element-wise in it included: between those of the
 * embedded model and of one of 4 layers x 1,536 on a processor (test/bench/history.md).
 */
const efficiency: Work = { learning: 0.65, sampling: 0.8, coding: 0.45 };

/** Operations of a matrix product that would take as long. */
function effort({ learning, sampling, coding }: Work): number {
  return learning / efficiency.learning + sampling / efficiency.sampling + coding / efficiency.coding;
}

/** A learning that was timed, and the model that it was done on. */
export interface TimedLearning {
  concept: Pick<Concept, 'name' | 'createdAt' | 'recipe' | 'metrics'>;
  model: ModelInfo;
}

/** Those of some concepts that were timed, with their models where these are still here. */
export function timedOn<C extends TimedLearning['concept']>(
  concepts: readonly C[],
  modelOf: (concept: C) => ModelInfo | null | undefined,
): TimedLearning[] {
  return concepts.flatMap((concept) => {
    const model = concept.metrics.timing && modelOf(concept);
    return model ? [{ concept, model }] : [];
  });
}

/** What computes. */
type Device = Pick<DeviceReport, 'machine' | 'matMulGflops'>;

export interface LearningTime {
  timing: LearningPhases<number>;
  /** All of it. */
  seconds: number;
  /** The name of what was learned before, if that is what it goes by; else by the rate of the device's matrix products. */
  by: string | null;
}

/** The newest learning on this machine: on the same model where there is one. */
function timedHere(model: ModelInfo, device: Device, timed: readonly TimedLearning[]): TimedLearning | undefined {
  const here = timed
    .filter(({ concept }) => concept.metrics.timing?.machine === device.machine)
    .sort((a, b) => b.concept.createdAt.localeCompare(a.concept.createdAt));
  return here.find((each) => each.model.directory === model.directory) ?? here[0];
}

/**
 * How long a learning will take in so much memory: by how long another one took on the same device, and how much more or less this one
 * has to compute; else by the device's rate. Null where neither is known.
 */
export function planLearningTime(
  model: ModelInfo,
  recipe: Recipe,
  { device, memoryBytes, timed }: { device: Device; memoryBytes: number; timed: readonly TimedLearning[] },
): LearningTime | null {
  const work = learningWork(model, recipe, memoryBytes);
  const before = timedHere(model, device, timed);
  const rate = paceByRate(device);
  const pace = before
    ? paceOf(before, memoryBytes)
    : rate && { prepare: rate, identity: rate, motion: rate, measure: rate };
  if (!pace) return null;
  const timing = {
    prepare: pace.prepare * effort(work.prepare),
    identity: pace.identity * effort(work.identity),
    motion: pace.motion * effort(work.motion),
    measure: pace.measure * effort(work.measure),
  };
  const seconds = plannedSteps(recipe).reduce(
    (sum, { label, steps }) => sum + steps * timing[label === 'motion' ? 'motion' : 'identity'],
    timing.prepare + timing.measure,
  );
  return { timing, seconds, by: before?.concept.name ?? null };
}

/** Seconds for each operation of `effort`. */
const paceByRate = ({ matMulGflops }: Device) => (matMulGflops ? 1e-9 / matMulGflops : null);

/** The same, as sampling and decoding went at the end of a learning. */
const measuringPace = ({ concept: { metrics, recipe }, model }: TimedLearning) =>
  metrics.timing!.measure / effort(measuringWork(model, recipe.rank));

/** The same of each phase, as a learning went; what it did not have goes as what it had. */
function paceOf(learning: TimedLearning, memoryBytes: number): LearningPhases<number> {
  const { recipe, metrics } = learning.concept;
  const work = learningWork(learning.model, recipe, memoryBytes);
  const pace = (phase: keyof typeof work) => {
    const [seconds, needed] = [metrics.timing![phase], effort(work[phase])];
    return seconds !== undefined && needed > 0 ? seconds / needed : undefined;
  };
  const measure = measuringPace(learning);
  const [identity, motion] = [pace('identity'), pace('motion')];
  return {
    prepare: pace('prepare') ?? measure,
    identity: identity ?? motion ?? measure,
    motion: motion ?? identity ?? measure,
    measure,
  };
}

/** An edit that was made, on the model that is asked for again. */
export interface TimedEdit extends EditSize {
  seconds: number;
}

/**
 * How many seconds an edit will take: by how long the last one took, else by what a learning took on the same device to give its clip
 * back, else by the device's rate. Null where nothing of that is known.
 */
export function planEditSeconds(
  model: ModelInfo,
  asked: EditSize,
  { device, timed, last }: { device: Device | null; timed: readonly TimedLearning[]; last: TimedEdit | null },
): number | null {
  const needed = effort(editWork(model, asked));
  if (last) return (last.seconds * needed) / effort(editWork(model, last));
  if (!device) return null;
  const before = timedHere(model, device, timed);
  const pace = before ? measuringPace(before) : paceByRate(device);
  return pace && needed * pace;
}
