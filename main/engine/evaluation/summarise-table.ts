import type {
  Comparison,
  EvaluateTableResult,
  KindCount,
  TableCell,
  TableClip,
  TablePart,
  TableRow,
  Way,
} from '../../../shared/domain/evaluation-table.ts';
import { wilsonInterval } from '../../../shared/statistics/wilson.ts';
import { frechetDistance } from '../metrics/frechet.ts';
import { bootstrapInterval, differencesOf, type Grid, holm, sceneMeans, signFlipTest } from './paired.ts';
import { featuresOfText } from './table-clip.ts';
import { type Column, columns } from './table-columns.ts';

/** What a table is summed up over. */
export interface SummaryPlan {
  ways: readonly Way[];
  first: string;
  /** In their order; `truth` and the model itself are among them where they were measured. */
  rows: readonly { row: string; label: string }[];
  scenes: readonly string[];
  learningSeeds: readonly number[];
  noiseSeeds: readonly number[];
}

type Summary = Pick<EvaluateTableResult, 'rows' | 'comparisons' | 'kinds' | 'leftOut'>;

export const truthRow = 'truth';
const baseRow = 'base';

/**
 * The judge must name the truth, and the model itself must make it, this often, else a kind's success says
 * nothing of methods.
 */
const judgeAtLeast = 0.8;
const baseAtLeast = 0.5;
/** Kinds of which that is in doubt: small things in hands. */
const uncertainKinds = ['held'];

/** Of fewer scenes no sign-flip test falls below 0.05 (2 / 2^n), and percentile intervals are too narrow. */
const minimumScenes = 6;

/** Cells with intervals, paired differences of the first method to the others, and successes by kind. */
export function summariseTable(parts: readonly TablePart[], plan: SummaryPlan): Summary {
  const leftOut = leftOutKinds(parts);
  const without = new Set(leftOut.map(({ kind }) => kind));
  const rows: TableRow[] = [];
  const comparisons: Comparison[] = [];
  for (const way of plan.ways) {
    const grids = new Map<string, Map<string, Grid>>();
    for (const { row, label } of plan.rows) {
      const own = parts.filter((part) => part.row === row);
      if (own.length === 0) continue;
      const clips = own.flatMap((part) => part.clips.filter((clip) => isOf(clip, way)));
      const byColumn = new Map(columns.map((column) => [column.name, gridOf(own, way, column, plan, without)]));
      grids.set(row, byColumn);
      const cells = Object.fromEntries(
        columns.map((column) => [column.name, cellOf(column, byColumn.get(column.name)!, clips, own, without)]),
      );
      const distance = videoDistance(own, parts, way, plan);
      if (distance) cells.frechetVideo = distance;
      const refused = own.filter((part) => part.refused !== null).length;
      if (clips.length > 0 || refused > 0)
        rows.push({
          row,
          label,
          way,
          clips: clips.filter(({ noiseSeed }) => noiseSeed !== null).length,
          refused,
          cells,
        });
    }
    comparisons.push(...compare(way, grids, plan.first));
  }
  return { rows, comparisons, kinds: countKinds(parts, plan), leftOut };
}

/**
 * How far a row's clips are from the true edits as a whole, by the vectors of a user's network: of the first learning and noise seed, so
 * that both are as many. There is no interval.
 */
function videoDistance(
  own: readonly TablePart[],
  all: readonly TablePart[],
  way: Way,
  { learningSeeds, noiseSeeds }: SummaryPlan,
): TableCell | null {
  const pairs = own
    .filter(({ row, learningSeed }) => row !== truthRow && (learningSeed === 0 || learningSeed === learningSeeds[0]))
    .flatMap(({ scene, clips }) => {
      const truth = all.find((part) => part.row === truthRow && part.scene === scene);
      return clips.flatMap((clip) => {
        if (clip.way !== way || clip.noiseSeed !== noiseSeeds[0] || clip.videoFeatures === undefined) return [];
        const target = truth?.clips.find(({ kind, to }) => kind === clip.kind && to === clip.to);
        return target?.videoFeatures !== undefined ? [[clip.videoFeatures, target.videoFeatures] as const] : [];
      });
    });
  if (pairs.length < 2) return null;
  const distance = frechetDistance(
    pairs.map(([made]) => featuresOfText(made)),
    pairs.map(([, truth]) => featuresOfText(truth)),
  );
  return {
    interval: { mean: distance, low: distance, high: distance, scenes: new Set(own.map(({ scene }) => scene)).size },
    missing: 0,
  };
}

/** What was not sampled is the same in every way. */
const isOf = (clip: TableClip, way: Way) => clip.noiseSeed === null || clip.way === way;

/**
 * Means over the edits of each sample; what has no learning or noise seeds is repeated, so that it can stand
 * beside what has.
 */
function gridOf(
  parts: readonly TablePart[],
  way: Way,
  column: Column,
  { scenes, learningSeeds, noiseSeeds }: SummaryPlan,
  without: ReadonlySet<string>,
): Grid {
  return scenes.map((scene) => {
    const own = parts.filter((part) => part.scene === scene);
    return learningSeeds.map((learningSeed) => {
      const part =
        own.find((each) => each.learningSeed === learningSeed) ?? own.find((each) => each.learningSeed === 0);
      return noiseSeeds.map((noiseSeed) => {
        if (!part) return null;
        const clips = part.clips.filter(
          (clip) =>
            isOf(clip, way) &&
            (clip.noiseSeed === null || clip.noiseSeed === noiseSeed) &&
            !(column.bySuccess && without.has(clip.kind)),
        );
        const values = clips.map((clip) => column.of(clip, part)).filter((value) => value !== null);
        return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
      });
    });
  });
}

function cellOf(
  { name, of, bySuccess, ofLearning }: Column,
  grid: Grid,
  clips: readonly TableClip[],
  parts: readonly TablePart[],
  without: ReadonlySet<string>,
): TableCell {
  const counted = clips.filter(({ kind }) => !(bySuccess && without.has(kind)));
  const partOf = (clip: TableClip) => parts.find((part) => part.clips.includes(clip))!;
  const values = ofLearning ? [] : counted.map((clip) => of(clip, partOf(clip)));
  const missing = values.filter((value) => value === null).length;
  const cell: TableCell = { interval: bootstrapInterval(grid), missing };
  if (name !== 'success') return cell;
  const known = values.filter((value) => value !== null);
  return { ...cell, hits: known.filter((value) => value === 1).length, of: known.length };
}

function compare(way: Way, grids: ReadonlyMap<string, ReadonlyMap<string, Grid>>, first: string): Comparison[] {
  const own = grids.get(first);
  if (!own) return [];
  const others = [...grids].filter(([row]) => row !== first && row !== truthRow);
  return columns
    .filter(({ better }) => better !== null)
    .flatMap((column) => {
      const found = others.map(([other, theirs]) => {
        const differences = differencesOf(own.get(column.name)!, theirs.get(column.name)!);
        const means = sceneMeans(differences);
        const difference = bootstrapInterval(differences);
        return { other, difference, p: means.length > 0 && means.length <= 40 ? signFlipTest(means) : null };
      });
      const corrected = holm(found.flatMap(({ p }) => (p === null ? [] : [p])));
      let next = 0;
      return found.map(({ other, difference, p }) => ({
        way,
        column: column.name,
        row: first,
        other,
        difference,
        p,
        corrected: p === null ? null : corrected[next++]!,
        better: tells(difference, column.better === 'lower'),
      }));
    });
}

/** Whether the first is better, or null where the interval holds 0 or there are too few scenes. */
function tells(difference: Comparison['difference'], lowerIsBetter: boolean): boolean | null {
  if (!difference || difference.scenes < minimumScenes) return null;
  if (difference.low > 0) return !lowerIsBetter;
  if (difference.high < 0) return lowerIsBetter;
  return null;
}

function countKinds(parts: readonly TablePart[], { ways, rows }: SummaryPlan): KindCount[] {
  const kinds = [...new Set(parts.flatMap(({ clips }) => clips.map(({ kind }) => kind)))];
  return ways.flatMap((way) =>
    rows.flatMap(({ row }) =>
      kinds.flatMap((kind): KindCount[] => {
        const { hits, of } = successes(parts, row, kind, way);
        if (of === 0) return [];
        const { low = null, high = null } = wilsonInterval(hits, of) ?? {};
        return [{ row, way, kind, hits, of, low, high }];
      }),
    ),
  );
}

function successes(parts: readonly TablePart[], row: string, kind: string, way: Way): { hits: number; of: number } {
  const known = parts
    .filter((part) => part.row === row)
    .flatMap(({ clips }) => clips.filter((clip) => clip.kind === kind && isOf(clip, way) && clip.success !== null));
  return { hits: known.filter(({ success }) => success).length, of: known.length };
}

function leftOutKinds(parts: readonly TablePart[]): Summary['leftOut'] {
  return uncertainKinds.flatMap((kind) => {
    const [truth, base] = [successes(parts, truthRow, kind, 'noise'), successes(parts, baseRow, kind, 'noise')];
    if (truth.of === 0) return [];
    const ratioText = ({ hits, of }: { hits: number; of: number }) => `${hits} of ${of}`;
    const judged = truth.hits >= judgeAtLeast * truth.of;
    const made = base.of > 0 && base.hits >= baseAtLeast * base.of;
    if (judged && made) return [];
    const byBase =
      base.of > 0 ? `the model itself makes it in ${ratioText(base)}` : 'the model itself was not measured';
    return [{ kind, reason: `the judge names it in ${ratioText(truth)} true clips, and ${byBase}` }];
  });
}
