import type {
  QuestionResult,
  RaterResult,
  SideAnswer,
  Study,
  StudyItem,
  StudyQuestion,
  StudyResults,
} from '../domain/study.ts';
import { studyQuestion } from '../domain/study.ts';
import { type Answer, preferenceOf, rankMethods } from '../statistics/preference.ts';
import { wilsonInterval } from '../statistics/wilson.ts';

/** An answer that was not taken back. */
export interface GivenAnswer {
  rater: string;
  item: string;
  question: StudyQuestion;
  answer: SideAnswer;
  aIsLeft: boolean;
}

/** Below this share of attention items a rater's answers do not count. */
const attentive = 0.8;
/** A measure's clips closer than this are not told apart. */
const tie = 1e-9;

/**
 * What people prefer, by question. Raters who did not prefer the source to a broken clip often enough are left
 * out, and said; mirrors count for how far raters agree with themselves, and in no preference. With `standIn`
 * the measures of the clips answer in place of people.
 */
export function studyResults(
  study: Study,
  items: readonly StudyItem[],
  given: readonly GivenAnswer[],
  raters: readonly string[],
  { standIn = false, draws = 1000 } = {},
): StudyResults {
  const { code: _, ...told } = study;
  const people = standIn ? [] : raters.map((name) => raterResult(name, items, given));
  const leftOut = new Set(people.filter((rater) => rater.leftOut).map(({ name }) => name));
  const counting = standIn ? measured(items) : given.filter(({ rater }) => !leftOut.has(rater));
  const byId = new Map(items.map((item) => [item.id, item]));
  const questions = studyQuestion.options.map((question): QuestionResult => {
    const answers = counting.flatMap((each): Answer[] => {
      const item = byId.get(each.item);
      if (each.question !== question || item?.kind !== 'pair') return [];
      const [left, right] = each.aIsLeft ? [item.a.method, item.b.method] : [item.b.method, item.a.method];
      return [{ rater: each.rater, item: each.item, left, right, answer: each.answer }];
    });
    const { first, methods } = study.settings;
    const others = methods.filter(({ name }) => name !== first);
    return {
      question,
      preferences: others.map(({ name: other }) => ({ other, ...preferenceOf(answers, first, other, { draws }) })),
      strengths: answers.length > 0 ? rankMethods(answers, { draws }) : [],
    };
  });
  const mirrored = sum(people.filter((rater) => !rater.leftOut).map((rater) => rater.mirrored));
  return {
    study: told,
    standIn,
    raters: people,
    counted: people.filter((rater) => !rater.leftOut && rater.answers > 0).length,
    leftOut: leftOut.size,
    mirrored: { ...mirrored, interval: wilsonInterval(mirrored.hits, mirrored.of) },
    questions,
  };
}

function raterResult(name: string, items: readonly StudyItem[], given: readonly GivenAnswer[]): RaterResult {
  const own = given.filter(({ rater }) => rater === name);
  const answerTo = new Map(own.map((each) => [`${each.item} ${each.question}`, each]));
  const attention = { hits: 0, of: 0 };
  const mirrored = { hits: 0, of: 0 };
  for (const item of items) {
    for (const question of studyQuestion.options) {
      const answer = answerTo.get(`${item.id} ${question}`);
      if (!answer) continue;
      if (item.kind === 'attention') {
        attention.of++;
        if (towardsA(answer) === 1) attention.hits++;
      } else if (item.kind === 'mirror') {
        const first = answerTo.get(`${item.of} ${question}`);
        if (!first) continue;
        mirrored.of++;
        if (towardsA(first) === towardsA(answer)) mirrored.hits++;
      }
    }
  }
  return {
    name,
    answers: own.length,
    finished: own.length === items.length * studyQuestion.options.length,
    attention,
    mirrored,
    leftOut: attention.of > 0 && attention.hits / attention.of < attentive,
  };
}

/** 1 where a clip `a` was preferred, -1 where `b` was, on whichever side they were. */
const towardsA = ({ answer, aIsLeft }: GivenAnswer) => (answer === 0 ? 0 : (answer === -1) === aIsLeft ? 1 : -1);

/** What the measures of the clips say, as the answers of one rater. */
function measured(items: readonly StudyItem[]): GivenAnswer[] {
  return items.flatMap((item) =>
    studyQuestion.options.flatMap((question): GivenAnswer[] => {
      const [a, b] = [item.a.measures?.[question] ?? null, item.b.measures?.[question] ?? null];
      if (a === null || b === null) return [];
      const answer = Math.abs(a - b) <= tie ? 0 : a > b ? -1 : 1;
      return [{ rater: 'measures', item: item.id, question, answer, aIsLeft: true }];
    }),
  );
}

const sum = (counts: readonly { hits: number; of: number }[]) =>
  counts.reduce((total, { hits, of }) => ({ hits: total.hits + hits, of: total.of + of }), { hits: 0, of: 0 });
