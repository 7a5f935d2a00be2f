import { expect, test } from 'vitest';
import { summariseTable, truthRow } from '../../../../main/engine/evaluation/summarise-table.ts';
import type { TableClip, TablePart } from '../../../../shared/domain/evaluation-table.ts';

const clip = (changes: Partial<TableClip>): TableClip => ({
  kind: 'light',
  to: 'night',
  success: true,
  mse: 0.02,
  mseInside: 0.02,
  mseOutside: null,
  identity: 0.9,
  textAgreement: 0.5,
  temporalCoherence: 0.99,
  preservation: 0.5,
  seconds: 2,
  way: 'noise',
  noiseSeed: 1,
  mseToSource: 0.03,
  subjectIdentity: 0.8,
  frameTextAgreement: 0.4,
  motionAmount: 1,
  motionAgreement: 0.7,
  likeOther: null,
  strip: null,
  frames: null,
  ...changes,
});

const part = (row: string, scene: string, clips: TableClip[], changes: Partial<TablePart> = {}): TablePart => ({
  scene,
  row,
  learningSeed: 1,
  learned: { seconds: 10, processorSeconds: 20, peakBytes: 1e9, steps: [], curves: [] },
  refused: null,
  clips,
  finished: true,
  ...changes,
});

const scenes = Array.from({ length: 6 }, (_, index) => `scene ${index}`);
const plan = {
  ways: ['noise'] as const,
  first: 'ours',
  rows: [truthRow, 'base', 'ours', 'theirs'].map((row) => ({ row, label: row })),
  scenes,
  learningSeeds: [1],
  noiseSeeds: [1],
};
const once = { learningSeed: 0, learned: null };

test('a method that is better on every scene is told apart, and its difference is the mean of the differences', () => {
  const parts = scenes.flatMap((scene, index) => [
    part('ours', scene, [clip({ mse: 0.01 + index / 1000 })]),
    part('theirs', scene, [clip({ mse: 0.02 + index / 1000 })]),
  ]);
  const { comparisons, rows } = summariseTable(parts, plan);
  const [error] = comparisons;
  expect(error).toMatchObject({ column: 'trueError', row: 'ours', other: 'theirs', better: true, p: 2 / 64 });
  expect(error!.difference!.mean).toBeCloseTo(-0.01, 12);
  // Equal in the other primary column.
  expect(comparisons.find(({ column }) => column === 'named')).toMatchObject({ better: null, p: 1 });
  expect(rows.find(({ row }) => row === 'ours')!.cells.trueError!.interval!.mean).toBeCloseTo(0.0125, 12);
});

test('of two scenes nothing is told apart', () => {
  const two = scenes.slice(0, 2);
  const parts = two.flatMap((scene) => [
    part('ours', scene, [clip({ mse: 0.01 })]),
    part('theirs', scene, [clip({ mse: 0.02 })]),
  ]);
  const { comparisons } = summariseTable(parts, { ...plan, scenes: two });
  expect(comparisons[0]).toMatchObject({ better: null, difference: { high: expect.any(Number) } });
  expect(comparisons[0]!.difference!.high).toBeLessThan(0);
});

test('a scene is the mean of its edits, and named counts as success times what was kept', () => {
  const parts = [
    part('ours', 'scene 0', [
      clip({ mse: 0.01, success: true, preservation: 0.5 }),
      clip({ kind: 'style', mse: 0.03, success: false, preservation: 1 }),
    ]),
  ];
  const { rows } = summariseTable(parts, plan);
  const { cells } = rows[0]!;
  expect(cells.trueError!.interval).toMatchObject({ mean: 0.02, scenes: 1 });
  expect(cells.named!.interval!.mean).toBe(0.25);
  expect(cells.success).toMatchObject({ hits: 1, of: 2, missing: 0 });
  expect(cells.learnSeconds!.interval!.mean).toBe(10);
});

test('things in hands count in no mean where the model cannot make them or the judge cannot name them', () => {
  const held = (success: boolean) => clip({ kind: 'held', success });
  const measured = (base: boolean) => [
    part(truthRow, 'scene 0', [clip({ kind: 'held', noiseSeed: null })], once),
    part('base', 'scene 0', [held(base)], once),
    part('ours', 'scene 0', [held(true), clip({ success: false })]),
  ];
  const without = summariseTable(measured(false), plan);
  expect(without.leftOut).toEqual([
    { kind: 'held', reason: 'the judge names it in 1 of 1 true clips, and the model itself makes it in 0 of 1' },
  ]);
  const ours = (summary: typeof without) => summary.rows.find(({ row }) => row === 'ours')!.cells.success!;
  expect(ours(without)).toMatchObject({ hits: 0, of: 1 });
  const counted = summariseTable(measured(true), plan);
  expect(counted.leftOut).toEqual([]);
  expect(ours(counted)).toMatchObject({ hits: 1, of: 2 });
  expect(counted.kinds).toContainEqual(expect.objectContaining({ row: 'ours', kind: 'held', hits: 1, of: 1 }));
});

test('what learns nothing stands beside every learning seed, and what a method refused is counted', () => {
  const twice = { ...plan, learningSeeds: [1, 2] };
  const parts = [
    part('base', 'scene 0', [clip({ mse: 0.05 })], once),
    part('ours', 'scene 0', [clip({ mse: 0.01 })]),
    part('ours', 'scene 0', [clip({ mse: 0.03 })], { learningSeed: 2 }),
    part('theirs', 'scene 0', [], { refused: 'It cannot.', learned: null }),
  ];
  const { comparisons, rows } = summariseTable(parts, twice);
  const error = comparisons.filter(({ column }) => column === 'trueError');
  expect(error.find(({ other }) => other === 'base')!.difference!.mean).toBeCloseTo(-0.03, 12);
  expect(error.find(({ other }) => other === 'theirs')).toMatchObject({ difference: null, p: null, better: null });
  expect(rows.find(({ row }) => row === 'theirs')).toMatchObject({ refused: 1, clips: 0 });
});

test('the video distance is of as many clips as true edits, of the first seeds, and has no interval', () => {
  const text = (values: number[]) => Buffer.from(Float32Array.from(values).buffer).toString('base64');
  const of = (values: number[], changes: Partial<TableClip> = {}) =>
    clip({ videoFeatures: text(values), supplied: { clipText: 0.25 }, ...changes });
  const parts = scenes.slice(0, 3).flatMap((scene, index) => [
    part(truthRow, scene, [of([index, 0], { noiseSeed: null })], once),
    // Further away by 2 and 1; what another seed has makes no difference.
    part('ours', scene, [of([index + 2, 1]), of([50, 50], { noiseSeed: 2 })]),
    part('ours', scene, [of([90, 90])], { learningSeed: 2 }),
    part('theirs', scene, [clip({})]),
  ]);
  const { rows, comparisons } = summariseTable(parts, { ...plan, learningSeeds: [1, 2], noiseSeeds: [1, 2] });
  const cells = (row: string) => rows.find((each) => each.row === row)!.cells;
  const { interval } = cells('ours').frechetVideo!;
  expect(interval!.mean).toBeCloseTo(5, 4);
  expect(interval).toMatchObject({ low: interval!.mean, high: interval!.mean, scenes: 3 });
  expect(cells('theirs')).not.toHaveProperty('frechetVideo');
  expect(cells(truthRow)).not.toHaveProperty('frechetVideo');
  expect(cells('ours').clipText!.interval!.mean).toBeCloseTo(0.25, 9);
  expect(comparisons.some(({ column }) => column === 'frechetVideo')).toBe(false);
});
