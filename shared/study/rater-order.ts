import { type StudyItem, type StudyQuestion, studyQuestion } from '../domain/study.ts';
import { Random } from '../statistics/random.ts';

/** What one rater is asked, in its order, and which clip is on which side. */
export interface RaterOrder {
  items: { id: string; aIsLeft: boolean }[];
  /** The order of the questions of every item. */
  questions: StudyQuestion[];
}

/** Between a pair and its mirror there are at least so many other items, where there are enough. */
const apart = 4;

/**
 * Follows from the study's seed and the rater alone, so that whoever comes back finds everything where it
 * was. A coin says who is on the left; a mirror has its pair's sides changed.
 */
export function raterOrder(items: readonly Pick<StudyItem, 'id' | 'of'>[], seed: number, rater: string): RaterOrder {
  const random = new Random(`rater ${seed} ${rater}`);
  const coins = new Map(items.map(({ id }) => [id, random.uniform() < 0.5]));
  const sideOf = ({ id, of }: Pick<StudyItem, 'id' | 'of'>) => (of === null ? coins.get(id)! : !coins.get(of)!);
  const order = random.shuffle(items.filter(({ of }) => of === null));
  const gap = Math.min(apart, Math.floor(order.length / 2));
  for (const mirror of items.filter(({ of }) => of !== null)) {
    const pair = order.findIndex(({ id }) => id === mirror.of);
    const places = Array.from({ length: order.length + 1 }, (_, place) => place).filter(
      (place) => place <= pair - gap || place > pair + gap,
    );
    order.splice(places.length > 0 ? places[random.integer(places.length)]! : order.length, 0, mirror);
  }
  return {
    items: order.map((item) => ({ id: item.id, aIsLeft: sideOf(item) })),
    questions: random.shuffle(studyQuestion.options),
  };
}
