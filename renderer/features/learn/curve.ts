import type { LossPoint } from '../../../shared/domain/engine.ts';

/** At most this many points of a curve are drawn; more cannot be told apart. */
const drawnPoints = 300;

/** Stages that have a line of their own; any after them go on with the last. */
export const curveStages = 3;

/** The stages of a curve in the order in which they are learned. */
export function stagesOf(points: readonly LossPoint[]): string[] {
  return [...new Set(points.map(({ stage }) => stage))];
}

/** [step, loss of the first stage, of the second, of the third], the steps of each after those before; averaged where there are many. */
export function curveData(points: readonly LossPoint[]): [number[], ...(number | null)[][]] {
  const steps: number[] = [];
  const series = Array.from({ length: curveStages }, (): (number | null)[] => []);
  for (const [index, stage] of stagesOf(points).entries()) {
    const before = steps.at(-1) ?? 0;
    for (const { step, loss } of thin(points.filter((point) => point.stage === stage))) {
      steps.push(before + step);
      for (const [at, losses] of series.entries()) losses.push(at === Math.min(index, curveStages - 1) ? loss : null);
    }
  }
  return [steps, ...series];
}

function thin(points: readonly LossPoint[]): { step: number; loss: number }[] {
  const size = Math.max(1, Math.ceil(points.length / drawnPoints));
  const groups = Array.from({ length: Math.ceil(points.length / size) }, (_, index) =>
    points.slice(index * size, (index + 1) * size),
  );
  return groups.map((group) => ({
    step: group.at(-1)!.step,
    loss: group.reduce((sum, { loss }) => sum + loss, 0) / group.length,
  }));
}
