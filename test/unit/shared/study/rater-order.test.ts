import { describe, expect, it } from 'vitest';
import { studyQuestion } from '../../../../shared/domain/study.ts';
import { raterOrder } from '../../../../shared/study/rater-order.ts';
import { raterStateOf } from '../../../../shared/study/rater-state.ts';
import { attention, makeItem, mirrorOf } from '../../../fixtures/studies.ts';

const pairs = Array.from({ length: 40 }, (_, index) => makeItem(`p${index}`, 'ours', 'lora'));
const mirrors = pairs.slice(0, 4).map((pair, index) => mirrorOf(pair, `m${index}`));
const items = [...pairs, ...mirrors, attention('x'), attention('y')];
const raters = Array.from({ length: 50 }, (_, index) => `rater ${index}`);

describe('what a rater is asked', () => {
  it('is everything once, in an order of its own that stays', () => {
    const order = raterOrder(items, 1, 'ann');
    expect(order.items.map(({ id }) => id).toSorted()).toEqual(items.map(({ id }) => id).toSorted());
    expect(raterOrder(items, 1, 'ann')).toEqual(order);
    expect(raterOrder(items, 1, 'bob').items).not.toEqual(order.items);
    expect(raterOrder(items, 2, 'ann').items).not.toEqual(order.items);
    expect(order.questions.toSorted()).toEqual(studyQuestion.options.toSorted());
  });

  it('has sides by a fair coin for each rater and item', () => {
    const coins = raters.flatMap((rater) => raterOrder(pairs, 1, rater).items.map(({ aIsLeft }) => aIsLeft));
    // Of 2,000 fair coins the share is within .45 and .55 but for once in a hundred thousand.
    const share = coins.filter(Boolean).length / coins.length;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.05);
    const first = raters.map((rater) => raterOrder(pairs, 1, rater).items.find(({ id }) => id === 'p0')!.aIsLeft);
    expect(new Set(first).size).toBe(2);
  });

  it('has the sides of a pair changed in its mirror, which is never next to it', () => {
    for (const rater of raters) {
      const order = raterOrder(items, 1, rater).items;
      const at = (id: string) => order.findIndex((each) => each.id === id);
      for (const mirror of mirrors) {
        expect(order[at(mirror.id)]!.aIsLeft).toBe(!order[at(mirror.of!)]!.aIsLeft);
        expect(Math.abs(at(mirror.id) - at(mirror.of!))).toBeGreaterThanOrEqual(4);
      }
    }
  });

  it('begins with other questions for other raters', () => {
    expect(new Set(raters.map((rater) => raterOrder(items, 1, rater).questions[0])).size).toBe(4);
  });
});

describe('what a rater is told', () => {
  const order = raterOrder(items, 1, 'ann');
  const state = (answered: number) =>
    raterStateOf(
      { study: 'Study', rater: 'ann' },
      items,
      order,
      order.items.flatMap(({ id }) => order.questions.map((question) => ({ item: id, question }))).slice(0, answered),
    );

  it('is one question after the other of one item after the other, to the end', () => {
    expect(state(0)).toMatchObject({
      ...{ done: 0, total: 46 * 4, canUndo: false },
      current: { item: { id: order.items[0]!.id }, question: order.questions[0], place: 1, places: 46, asked: 1 },
    });
    expect(state(6).current).toMatchObject({ place: 2, asked: 3, question: order.questions[2] });
    expect(state(46 * 4)).toMatchObject({ current: null, next: [], canUndo: true });
  });

  it('names no method and no kind of item', () => {
    for (let answered = 0; answered < 46 * 4; answered++)
      expect(JSON.stringify(state(answered))).not.toMatch(/ours|lora|broken|mirror|attention|pair|top: red/);
  });

  it('has the sides that the coin says', () => {
    for (const [index, { id, aIsLeft }] of order.items.entries()) {
      const { a, b } = items.find((item) => item.id === id)!;
      const { left, right } = state(4 * index).current!.item;
      expect([left, right]).toEqual(aIsLeft ? [a.clip, b.clip] : [b.clip, a.clip]);
    }
  });
});
