import { expect, test } from 'vitest';
import { lookScenes } from '../../../../main/engine/evaluation/look-scenes.ts';
import { attributes } from '../../../../main/world/caption.ts';
import { filmKinds, lightKinds, seasonKinds, styleKinds } from '../../../../main/world/vocabulary.ts';

const seeds = Array.from({ length: 40 }, (_, index) => 10 * index);

test('every look of the second edition comes as often as wanted, and each scene is plain but for it', () => {
  const found = lookScenes(2, seeds, 3);
  expect(new Set(found.map(({ attribute, value }) => `${attribute} ${value}`)).size).toBe(
    lightKinds.length + seasonKinds.length - 1 + styleKinds.length + filmKinds.length - 1,
  );
  for (const { attribute, value, scene } of found) {
    expect(found.filter((other) => other.attribute === attribute && other.value === value)).toHaveLength(3);
    expect(attributes(scene)).toMatchObject({
      ...{ light: 'day', season: 'none', style: 'photo', film: 'none' },
      [attribute]: value,
    });
  }
});

test('a look comes as often as there are scenes that can be in it, and the first edition has its own alone', () => {
  const found = lookScenes(1, [0, 10], 5);
  expect(found.every(({ attribute }) => attribute === 'light' || attribute === 'style')).toBe(true);
  expect(found.filter(({ value }) => value === 'pencil').map(({ scene }) => scene.seed)).toEqual([0, 10]);
});
