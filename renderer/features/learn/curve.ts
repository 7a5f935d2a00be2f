import type { LossPoint } from '../../../shared/domain/engine.ts';

/** At most this many points of a curve are drawn; more cannot be told apart. */
const drawnPoints = 300;

/** [step, loss of the looks, loss of the motion], the motion's steps after those of the looks; averaged where there are many. */
export function curveData(points: readonly LossPoint[]): [number[], (number | null)[], (number | null)[]] {
  const byStage = (stage: LossPoint['stage']) => thin(points.filter((point) => point.stage === stage));
  const identity = byStage('identity');
  const motion = byStage('motion');
  const offset = identity.at(-1)?.step ?? 0;
  return [
    [...identity.map(({ step }) => step), ...motion.map(({ step }) => offset + step)],
    [...identity.map(({ loss }) => loss), ...motion.map(() => null)],
    [...identity.map(() => null), ...motion.map(({ loss }) => loss)],
  ];
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
