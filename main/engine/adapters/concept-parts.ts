import { AppError } from '../../../shared/ipc/result.ts';
import type { ConceptFile } from '../formats/concept.ts';
import type { ModelShape } from '../models/video-model.ts';
import { conceptLayers, conceptValues } from './concept-values.ts';
import { kindOf, type LearnedPart, type Part, parsePart } from './parts.ts';
import type { ConceptValues } from './set-and-sequence.ts';

type LearnedParts = Readonly<Record<string, LearnedPart>>;

/** The name of the one part that concept files of version 1 hold. */
const onlyPart = 'concept';

type Described = Pick<ConceptFile, 'directionStrengths' | 'captions' | 'recipe' | 'model' | 'tokens'> & {
  /** The stages as they were planned. */
  stages: readonly object[];
  /** How its pictures look. */
  appearance: Float32Array;
};

/**
 * A concept as its file: version 1 where a basis is all that there is, so that older programs read it too.
 */
export function conceptFileOf(parts: LearnedParts, { stages, appearance, ...described }: Described): ConceptFile {
  const rank = rankOf(parts);
  const { [onlyPart]: only, ...others } = parts;
  if (only?.part.kind === 'basis' && Object.keys(others).length === 0) {
    const { shape } = only.part;
    const layers = conceptLayers(shape, only.values as ConceptValues);
    return { version: 1, rank, basisSide: shape.basisSide, ...described, layers };
  }
  const stored = Object.entries(parts).map(([name, { part, values }]) => {
    const shapes = Object.entries(kindOf(part).tensors());
    const tensors = shapes.map(([tensor, shape]) => [tensor, { shape, values: values[tensor]! }]);
    return [name, { ...part, tensors: Object.fromEntries(tensors) }];
  });
  const plain = stages.map((stage) => ({ ...stage }));
  const numbers = [...appearance];
  return { version: 2, rank, ...described, appearance: numbers, stages: plain, parts: Object.fromEntries(stored) };
}

/**
 * The parts of a concept file. Throws `invalid-input` when the model has no such places, `damaged-file` when
 * tensors are not what a part has.
 */
export function partsOfFile(file: ConceptFile, model: ModelShape): Record<string, LearnedPart> {
  if (file.version === 1) {
    const { shape, values } = conceptValues(file, model.layers);
    return { [onlyPart]: { part: { kind: 'basis', shape }, values } };
  }
  const parts: Record<string, LearnedPart> = {};
  for (const [name, { tensors, ...described }] of Object.entries(file.parts)) {
    const part = parsePart(name, described);
    const kind = kindOf(part);
    kind.requireFit(model);
    const values: LearnedPart['values'] = {};
    for (const [tensor, shape] of Object.entries(kind.tensors())) {
      const stored = tensors[tensor];
      if (`${stored?.shape}` !== `${shape}`)
        throw new AppError('damaged-file', `the concept's ${name}/${tensor} is [${stored?.shape}], not [${shape}]`, {
          hint: 'Fetch the concept again, or learn it again.',
        });
      values[tensor] = stored!.values;
    }
    parts[name] = { part, values };
  }
  return parts;
}

/** The largest rank of a part, 0 where none is of low rank. */
function rankOf(parts: LearnedParts): number {
  const ranks = Object.values(parts).map(({ part }: { part: Part }) => ('rank' in part.shape ? part.shape.rank : 0));
  return Math.max(0, ...ranks);
}
