import { expect, test } from 'vitest';
import { planOf } from '../../../../main/engine/evaluation/table-plan.ts';
import { tableScenes } from '../../../../main/engine/evaluation/table-scenes.ts';
import { attributes } from '../../../../main/world/caption.ts';
import { editScene } from '../../../../main/world/edit.ts';
import { mixScenes } from '../../../../main/world/mix.ts';
import { splitOf } from '../../../../main/world/split.ts';
import { tableName } from '../../../../shared/domain/evaluation-table.ts';
import { methodName, recipe } from '../../../../shared/domain/recipe.ts';

const whole = { fast: false, rows: null, scenes: null, learningSeeds: null, noiseSeeds: null, effort: null };
const sets = ['people', 'wide', 'mixes', 'subjects', 'motions'] as const;

test('every scene is of a test seed, has a name of its own, and edits that fit it', () => {
  for (const set of sets) {
    const scenes = tableScenes(set, 1);
    expect(new Set(scenes.map(({ name }) => name)).size).toBe(scenes.length);
    for (const { scene, edits, motion } of scenes) {
      for (const each of motion ? [scene, motion] : [scene]) expect(splitOf(each.seed)).toBe('test');
      for (const changes of edits) editScene(scene, changes);
      if (motion) mixScenes(scene, motion);
      else expect(edits.length).toBeGreaterThan(0);
      const told = edits.map((changes) => JSON.stringify(changes));
      expect(new Set(told).size).toBe(told.length);
    }
  }
  expect(sets.map((set) => tableScenes(set, 1).length)).toEqual([6, 30, 24, 12, 10]);
});

test('people have empty hands and no hat, and change shirt and background together', () => {
  for (const { scene, edits } of tableScenes('people', 1)) {
    expect(attributes(scene)).toMatchObject({ heldObject: 'none', hat: 'none', style: 'photo' });
    expect(edits.map((changes) => changes.map(({ kind }) => kind))).toEqual([
      ['shirt', 'background'],
      ['held'],
      ['light'],
    ]);
  }
});

test('half of the mixes have the same kind of subject, and every motion is new', () => {
  const kinds = tableScenes('mixes', 1).map(({ scene, motion }) => {
    const [own, other] = [scene.subjects[0]!, motion!.subjects[0]!];
    expect(own.motion.kind).not.toBe(other.motion.kind);
    return own.kind === other.kind;
  });
  expect(kinds.filter(Boolean)).toHaveLength(12);
});

test('every row of every table is a recipe that can be learned, and fast tables have some of its rows', () => {
  for (const table of tableName.options) {
    const { methods, first, effort } = planOf(table, whole);
    expect(new Set(methods.map(({ row }) => row)).size).toBe(methods.length);
    for (const { recipe: given } of methods) if (given) recipe.parse(given);
    const fast = planOf(table, { ...whole, fast: true });
    expect(fast.methods.length).toBeGreaterThan(2);
    expect([first, fast.first, effort, fast.effort]).toEqual([first, first, 1, 1 / 16]);
  }
  const learned = planOf('table2', whole).methods.flatMap(({ recipe: given }) =>
    given ? [recipe.parse(given).method] : [],
  );
  expect(methodName.options.filter((name) => !learned.includes(name))).toEqual(['lora', 'lora-1']);
});

test('what is asked for takes the place of what is planned', () => {
  const plan = planOf('table2', { ...whole, rows: ['base', 'lora-1'], learningSeeds: 2, noiseSeeds: 1, effort: 0.5 });
  expect(plan).toMatchObject({ first: 'lora-1', learningSeeds: [1, 2], noiseSeeds: [1], effort: 0.5, scenes: null });
  expect(() => planOf('table1', { ...whole, rows: ['newmove'] })).toThrow('table1 has no row "newmove".');
});
