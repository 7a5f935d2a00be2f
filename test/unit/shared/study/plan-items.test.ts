import { describe, expect, it } from 'vitest';
import { type Candidate, planItems } from '../../../../shared/study/plan-items.ts';

const methods = ['ours', 'lora', 'dreammix', 'words'];
const candidates: Candidate[] = Array.from({ length: 6 }, (_, scene) =>
  [0, 1].map((edit) => ({ scene, edit, methods })),
).flat();
const plan = (items: number, seed = 1) => planItems(candidates, methods, { items, seed, first: 'ours' });
const pairsOf = (items: number, seed?: number) => plan(items, seed).filter(({ kind }) => kind === 'pair');

function counts(keys: readonly string[]): number[] {
  const found = new Map<string, number>();
  for (const key of keys) found.set(key, (found.get(key) ?? 0) + 1);
  return [...found.values()];
}

describe('the items of a study', () => {
  it.each([7, 20, 40])('compare any two methods as often as any other two, of %i pairs', (items) => {
    const pairs = pairsOf(items);
    expect(pairs).toHaveLength(items);
    const couples = counts(pairs.map(({ a, b }) => [a, b].toSorted().join(' ')));
    expect(couples).toHaveLength(6);
    expect(Math.max(...couples) - Math.min(...couples)).toBeLessThanOrEqual(1);
  });

  it('use every edit about as often, and no pair of clips twice', () => {
    const pairs = pairsOf(40);
    const edits = counts(pairs.map(({ scene, edit }) => `${scene} ${edit}`));
    expect(edits).toHaveLength(12);
    expect(Math.max(...edits) - Math.min(...edits)).toBeLessThanOrEqual(2);
    expect(new Set(pairs.map(({ scene, edit, a, b }) => [scene, edit, ...[a, b].toSorted()].join())).size).toBe(40);
  });

  it('are with the first method where there are fewer than pairs of methods', () => {
    for (const { a, b } of pairsOf(3)) expect([a, b]).toContain('ours');
  });

  it('end where there are no more different pairs', () => {
    expect(pairsOf(500)).toHaveLength(6 * 12);
  });

  it('follow from the seed', () => {
    expect(plan(20, 3)).toEqual(plan(20, 3));
    expect(plan(20, 3)).not.toEqual(plan(20, 4));
  });

  it('have mirrors of other pairs, and broken clips, a few at least', () => {
    for (const [items, mirrors, broken] of [
      [10, 2, 3],
      [72, 6, 3],
    ] as const) {
      const found = plan(items);
      const mirrored = found.filter(({ kind }) => kind === 'mirror');
      expect(mirrored).toHaveLength(mirrors);
      expect(new Set(mirrored.map(({ of }) => of)).size).toBe(mirrors);
      for (const { of, kind: _, ...mirror } of mirrored) expect(found[of!]).toMatchObject({ ...mirror, kind: 'pair' });
      expect(found.filter(({ kind }) => kind === 'attention')).toHaveLength(broken);
    }
  });

  it('are none where no edit has clips of two of the methods', () => {
    const apart = methods.map((method, edit): Candidate => ({ scene: 0, edit, methods: [method] }));
    expect(planItems(apart, methods, { items: 10, seed: 1, first: 'ours' })).toEqual([]);
  });
});
