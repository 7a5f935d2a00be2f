import type { MethodMeasures } from '../../shared/domain/evaluation.ts';

/**
 * The measures of one scene in a line: means over its edits, and each kind as [success, error inside its mask, outside]; `finished` says the
 * same of the edits as finished.
 */
export function summary({ reconstruction, edits }: Omit<MethodMeasures, 'learnSeconds'>) {
  const finished = edits.filter((edit) => edit.finished);
  return {
    ...(reconstruction && { reconstruction: Number(reconstruction.mse.toPrecision(3)) }),
    ...summaryOfEdits(edits.filter((edit) => !edit.finished)),
    ...(finished.length > 0 && { finished: summaryOfEdits(finished) }),
  };
}

function summaryOfEdits(edits: MethodMeasures['edits']) {
  const mean = (values: (number | null)[]) => {
    const known = values.filter((value) => value !== null);
    return Number((known.reduce((sum, value) => sum + value, 0) / known.length).toPrecision(3));
  };
  return {
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
