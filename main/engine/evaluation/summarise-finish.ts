import type { FinishMeasures, FinishScene, FinishSummary } from '../../../shared/domain/evaluation-finish.ts';
import { meanOf, statisticOf } from './statistics.ts';

/** A row for each way of finishing each sort of edit, of all kinds and then of each kind; scenes are what a spread is over. */
export function summariseFinish(scenes: readonly FinishScene[]): FinishSummary[] {
  const all = scenes.flatMap(({ edits }) => edits);
  const ways = unique(all.map(({ edit, keepDetail }) => JSON.stringify({ edit, keepDetail }))).map(
    (way) => JSON.parse(way) as Pick<FinishMeasures, 'edit' | 'keepDetail'>,
  );
  const kinds = [null, ...unique(all.map(({ kind }) => kind)).toSorted()];
  return kinds.flatMap((kind) =>
    ways.map((way) => {
      const isOfRow = (each: FinishMeasures) =>
        each.edit === way.edit && each.keepDetail === way.keepDetail && (kind === null || each.kind === kind);
      const over = (value: (each: FinishMeasures) => number | null) =>
        statisticOf(scenes.map(({ edits }) => meanOf(edits.filter(isOfRow).map(value))));
      return {
        ...way,
        kind,
        edits: all.filter(isOfRow).length,
        mseInside: over((each) => each.mseInside),
        mseOutside: over((each) => each.mseOutside),
        sharpnessInside: over((each) => each.sharpnessInside),
        sharpnessOutside: over((each) => each.sharpnessOutside),
        between: over((each) => each.between),
        flicker: over((each) => each.flicker),
        success: over(({ success }) => (success === null ? null : Number(success))),
        preservation: over((each) => each.preservation),
        secondsPerPicture: over((each) => each.secondsPerPicture),
      };
    }),
  );
}

const unique = <T>(values: readonly T[]) => [...new Set(values)];
