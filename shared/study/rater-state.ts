import type { RaterState, ShownItem, StudyItem, StudyQuestion } from '../domain/study.ts';
import type { RaterOrder } from './rater-order.ts';

/** What of a question is told, and which clip is on which side. */
interface Asked {
  item: StudyItem;
  question: StudyQuestion;
  aIsLeft: boolean;
}

/** The first question of a rater that has no answer; undefined when all have one. */
export function currentOf(
  items: readonly StudyItem[],
  order: RaterOrder,
  hasAnswer: (item: string, question: StudyQuestion) => boolean,
): Asked | undefined {
  for (const { id, aIsLeft } of order.items) {
    const question = order.questions.find((question) => !hasAnswer(id, question));
    if (question !== undefined) return { item: items.find((item) => item.id === id)!, question, aIsLeft };
  }
  return undefined;
}

/** Where a rater is: what is shown of the item, without anything that tells a method. */
export function raterStateOf(
  names: { study: string; rater: string },
  items: readonly StudyItem[],
  order: RaterOrder,
  answered: readonly { item: string; question: StudyQuestion }[],
): RaterState {
  const keys = new Set(answered.map(({ item, question }) => `${item} ${question}`));
  const current = currentOf(items, order, (item, question) => keys.has(`${item} ${question}`));
  const place = current ? order.items.findIndex(({ id }) => id === current.item.id) : -1;
  const next = current && items.find(({ id }) => id === order.items[place + 1]?.id);
  return {
    ...names,
    done: keys.size,
    total: items.length * order.questions.length,
    current: current
      ? {
          item: shown(current),
          question: current.question,
          place: place + 1,
          places: order.items.length,
          asked: order.questions.indexOf(current.question) + 1,
        }
      : null,
    next: next ? [next.source.file, next.a.clip.file, next.b.clip.file].toSorted() : [],
    canUndo: keys.size > 0,
  };
}

function shown({ item, aIsLeft }: Asked): ShownItem {
  const { id, words, source, a, b } = item;
  const [left, right] = aIsLeft ? [a.clip, b.clip] : [b.clip, a.clip];
  return { id, words, source, left, right };
}
