import { tokensAfter } from '../../../shared/domain/concept.ts';
import type { EditSettings } from '../../../shared/domain/edit.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import type { Gains } from '../adapters/part-kind.ts';
import { kindOf } from '../adapters/parts.ts';
import { specialTokens, type TokenEmbeddings } from '../adapters/tokens.ts';
import { type ActingConcept, nameOfConcept, type SampledConcept } from './acting-concept.ts';
import type { LearnedParts } from './adapter-tensors.ts';
import type { OpenedConcept } from './open-concept.ts';

/**
 * Concepts as they act together: what each adds is summed. Where a clip is started from, the first is the one
 * that knows it. Tokens are numbered on in the order given; apart from that, the order makes no difference,
 * to the bit. Of several, what adds nothing at its gains is left out, as if it were not there. Throws
 * `invalid-input` for a direction that a concept does not have.
 */
export function actTogether(
  concepts: readonly { concept: OpenedConcept; gains: Gains }[],
  { part, fidelity }: Pick<EditSettings, 'part' | 'fidelity'>,
): SampledConcept {
  const acting: ActingConcept[] = [];
  const tokens: TokenEmbeddings[] = [];
  let clipsBefore = 0;
  for (const [index, { concept, gains }] of concepts.entries()) {
    const { parts, appearance, file } = concept;
    requireDirections(file.rank, gains);
    const isOwn = index === 0 && fidelity > 0;
    const isWhole = isOwn || concepts.length === 1;
    acting.push({ parts: isWhole ? parts : addingParts(parts, gains), appearance, gains, isOwn });
    tokens.push(numberedOn(concept.tokens, clipsBefore));
    clipsBefore += file.captions.length;
  }
  return { acting: concepts.length === 1 ? acting : inOneOrder(acting), tokens: joined(tokens), part };
}

/** Those of which anything acts, in the same order however they were asked for: sums round by their order. */
function inOneOrder(acting: readonly ActingConcept[]): ActingConcept[] {
  return acting
    .filter(({ parts }) => Object.keys(parts).length > 0)
    .map((each) => ({ each, name: nameOfConcept(each) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ each }) => each);
}

/** The same object again for the same setting of what is left out, so that its hash is known. */
const kept = new WeakMap<LearnedParts, Map<string, LearnedParts>>();

/** Those parts of which something acts at these gains. */
function addingParts(parts: LearnedParts, gains: Gains): LearnedParts {
  const adding = Object.entries(parts).filter(([, { part, values }]) => {
    const kind = kindOf(part);
    const mixed = kind.mix(values, gains);
    return kind.linearIn.some((tensor) => mixed[tensor]!.some((value) => value !== 0));
  });
  const byNames = kept.get(parts) ?? new Map<string, LearnedParts>();
  kept.set(parts, byNames);
  const names = adding.map(([name]) => name).join();
  const found = byNames.get(names) ?? Object.fromEntries(adding);
  byNames.set(names, found);
  return found;
}

function numberedOn({ names, values }: TokenEmbeddings, clipsBefore: number): TokenEmbeddings {
  return { names: names.flatMap((name) => specialTokens(tokensAfter(`[${name}]`, clipsBefore))), values };
}

function joined(all: readonly TokenEmbeddings[]): TokenEmbeddings {
  const values = new Float32Array(all.reduce((size, { values }) => size + values.length, 0));
  let offset = 0;
  for (const each of all) {
    values.set(each.values, offset);
    offset += each.values.length;
  }
  return { names: all.flatMap(({ names }) => names), values };
}

function requireDirections(rank: number, { directions = {} }: Gains): void {
  const missing = Object.keys(directions).find((index) => Number(index) >= rank);
  if (missing === undefined) return;
  throw new AppError('invalid-input', `direction ${missing} does not exist: the concept has 0 to ${rank - 1}`);
}
