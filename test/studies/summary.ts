import type { MethodMeasures } from '../../shared/domain/evaluation.ts';

/** The measures of one scene in a line: means over its edits, and each kind as [success, error inside its mask, outside]. */
export function summary({ reconstruction, edits }: Omit<MethodMeasures, 'learnSeconds'>) {
  const mean = (values: (number | null)[]) => {
    const known = values.filter((value) => value !== null);
    return Number((known.reduce((sum, value) => sum + value, 0) / known.length).toPrecision(3));
  };
  return {
    reconstruction: Number(reconstruction?.mse.toPrecision(3)),
    success: mean(edits.map(({ success }) => (success === null ? null : Number(success)))),
    preservation: mean(edits.map(({ preservation }) => preservation)),
    identity: mean(edits.map(({ identity }) => identity)),
    inside: mean(edits.map(({ mseInside }) => mseInside)),
    outside: mean(edits.map(({ mseOutside }) => mseOutside)),
    seconds: mean(edits.map(({ seconds }) => seconds)),
    kinds: Object.fromEntries(
      edits.map(({ kind, success, mseInside, mseOutside }) => [
        kind,
        [success, Number(mseInside?.toPrecision(3)), Number(mseOutside?.toPrecision(3))],
      ]),
    ),
  };
}
