import type { StudyItemKind } from '../domain/study.ts';
import { Random } from '../statistics/random.ts';

/** An edit of a scene, and the methods of which there is a clip of it. */
export interface Candidate {
  scene: number;
  edit: number;
  methods: readonly string[];
}

/** `a` and `b` are methods; in an attention item both are the one whose clip is broken. */
export interface PlannedItem {
  kind: StudyItemKind;
  scene: number;
  edit: number;
  a: string;
  b: string;
  /** Of a mirror: the place of its pair in the plan. */
  of: number | null;
}

/** Shares of what checks a person, and the fewest that say anything. */
const mirrorShare = 0.08;
const attentionShare = 0.04;
const fewestMirrors = 2;
/** With four questions each, one in fifty who answer at random pass by luck. */
const fewestAttention = 3;

/**
 * At most so many different pairs, then mirrors and attention items. Two methods are compared as often as any
 * other two, within one while there are edits of both, those with the first method before others; of the edits
 * those come next that were shown least. Everything follows from the seed. Empty where no edit has clips of two
 * of the methods.
 */
export function planItems(
  candidates: readonly Candidate[],
  methods: readonly string[],
  { items, seed, first }: { items: number; seed: number; first: string },
): PlannedItem[] {
  const random = new Random(`study ${seed}`);
  const couples = random.shuffle(couplesOf(methods)).flatMap(([a, b]) => {
    const shared = random.shuffle(candidates.filter((each) => each.methods.includes(a) && each.methods.includes(b)));
    return shared.length > 0 ? [{ a, b, shared }] : [];
  });
  couples.sort((one, other) => Number(hasFirst(other)) - Number(hasFirst(one)));
  if (couples.length === 0) return [];
  const used = new Map<Candidate, number>();
  const pairs: PlannedItem[] = [];
  // Nothing comes twice but in a mirror: there may be fewer than were asked for.
  while (pairs.length < items && couples.some(({ shared }) => shared.length > 0)) {
    for (const { a, b, shared } of couples) {
      if (pairs.length === items || shared.length === 0) continue;
      shared.sort((one, other) => (used.get(one) ?? 0) - (used.get(other) ?? 0));
      const { scene, edit } = shared[0]!;
      used.set(shared[0]!, (used.get(shared[0]!) ?? 0) + 1);
      shared.shift();
      pairs.push({ kind: 'pair', scene, edit, a, b, of: null });
    }
  }
  const places = (count: number) => random.shuffle(pairs.map((_, place) => place)).slice(0, count);
  const mirrors = places(Math.max(fewestMirrors, Math.round(mirrorShare * pairs.length))).map(
    (of): PlannedItem => ({ ...pairs[of]!, kind: 'mirror', of }),
  );
  const attention = places(Math.max(fewestAttention, Math.round(attentionShare * pairs.length))).map(
    (place): PlannedItem => {
      const pair = pairs[place]!;
      return { ...pair, kind: 'attention', b: pair.a };
    },
  );
  return [...pairs, ...mirrors, ...attention];

  function hasFirst({ a, b }: { a: string; b: string }): boolean {
    return a === first || b === first;
  }
}

const couplesOf = (methods: readonly string[]) =>
  methods.flatMap((a, index) => methods.slice(index + 1).map((b) => [a, b] as const));
