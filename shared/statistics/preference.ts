import { Random } from './random.ts';
import { wilsonInterval } from './wilson.ts';

/** One answer to one question about a pair of clips. */
export interface Answer {
  rater: string;
  /** The pair of clips that was shown. */
  item: string;
  left: string;
  right: string;
  /** Which was preferred: -1 the left, 1 the right, 0 neither. */
  answer: -1 | 0 | 1;
}

export interface Preference {
  /** Share of the answers that prefer the method, ties half; null for none. */
  share: number | null;
  answers: number;
  /** Wilson's interval, as if answers were independent. */
  wilson: { low: number; high: number } | null;
  /** Percentiles of the bootstrap over raters, then over their answers. */
  bootstrap: { low: number; high: number } | null;
}

export interface Strength {
  method: string;
  /** The logarithm of its Bradley-Terry strength; those of all methods have the mean 0. */
  log: number;
  low: number;
  high: number;
}

interface BootstrapOptions {
  draws?: number;
  seed?: number;
}

/** How often a method is preferred to another, over the answers that compare the two. */
export function preferenceOf(
  answers: readonly Answer[],
  method: string,
  other: string,
  options: BootstrapOptions = {},
): Preference {
  const own = answers.filter(({ left, right }) => sameNames([left, right], [method, other]));
  if (own.length === 0) return { share: null, answers: 0, wilson: null, bootstrap: null };
  const points = (of: readonly Answer[]) => of.reduce((sum, each) => sum + pointsOf(each, method), 0);
  const shares = resampled(own, options, (drawn) => points(drawn) / drawn.length);
  return {
    share: points(own) / own.length,
    answers: own.length,
    wilson: wilsonInterval(points(own), own.length),
    bootstrap: percentiles(shares),
  };
}

/**
 * Strengths of the methods by the model of Bradley and Terry (1952), P(i over j) = p_i / (p_i + p_j), with a tie as half a
 * win for each, and intervals of 95 % by the bootstrap over raters, then over their answers. Strongest first.
 */
export function rankMethods(answers: readonly Answer[], options: BootstrapOptions = {}): Strength[] {
  const methods = [...new Set(answers.flatMap(({ left, right }) => [left, right]))].sort();
  const found = bradleyTerry(winsOf(answers, methods));
  const draws = resampled(answers, options, (drawn) => bradleyTerry(winsOf(drawn, methods)));
  return methods
    .map((method, index) => ({
      method,
      log: found[index]!,
      ...percentiles(draws.map((logs) => logs[index]!)),
    }))
    .sort((a, b) => b.log - a.log);
}

const tolerance = 1e-10;
const mostIterations = 10_000;

/**
 * Log strengths of mean 0 from `wins[i][j]`, how often i won against j, by minorise-maximise steps
 * p_i <- W_i / sum_j n_ij / (p_i + p_j) (Hunter, The Annals of Statistics 32, 2004). Every pair has `virtual` wins more on
 * both sides, so that whoever always wins stays finite.
 */
export function bradleyTerry(wins: readonly (readonly number[])[], virtual = 0.5): number[] {
  const count = wins.length;
  const others = (i: number) => Array.from({ length: count }, (_, j) => j).filter((j) => j !== i);
  const won = (i: number, j: number) => wins[i]![j]! + virtual;
  let strengths = new Array<number>(count).fill(1);
  for (let iteration = 0; iteration < mostIterations; iteration++) {
    const next = strengths.map((own, i) => {
      const total = others(i).reduce((sum, j) => sum + won(i, j), 0);
      const games = others(i).reduce((sum, j) => sum + (won(i, j) + won(j, i)) / (own + strengths[j]!), 0);
      return games === 0 ? own : total / games;
    });
    const logs = centred(next.map(Math.log));
    const moved = Math.max(...logs.map((log, i) => Math.abs(log - Math.log(strengths[i]!))));
    strengths = logs.map(Math.exp);
    if (moved < tolerance) break;
  }
  return centred(strengths.map(Math.log));
}

function winsOf(answers: readonly Answer[], methods: readonly string[]): number[][] {
  const wins = methods.map(() => methods.map(() => 0));
  for (const answer of answers) {
    const [i, j] = [methods.indexOf(answer.left), methods.indexOf(answer.right)];
    wins[i]![j]! += pointsOf(answer, answer.left);
    wins[j]![i]! += pointsOf(answer, answer.right);
  }
  return wins;
}

function pointsOf({ left, answer }: Answer, method: string): number {
  if (answer === 0) return 0.5;
  return (answer === -1) === (left === method) ? 1 : 0;
}

/** What is found in answers of raters drawn with replacement, of each of whom as many answers are drawn as were given. */
function resampled<T>(
  answers: readonly Answer[],
  { draws = 2000, seed = 1 }: BootstrapOptions,
  find: (drawn: readonly Answer[]) => T,
): T[] {
  const random = new Random(`raters ${seed}`);
  const draw = <U>(items: readonly U[]): U[] => items.map(() => items[random.integer(items.length)]!);
  const raters = [...new Set(answers.map(({ rater }) => rater))];
  const byRater = raters.map((rater) => answers.filter((answer) => answer.rater === rater));
  return Array.from({ length: draws }, () => find(draw(byRater).flatMap(draw)));
}

function percentiles(values: readonly number[]): { low: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return { low: at(0.025), high: at(0.975) };
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

const sameNames = (a: readonly string[], b: readonly string[]) => a.every((name) => b.includes(name)) && a[0] !== a[1];
