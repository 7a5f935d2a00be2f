import type { CheckConceptRequest, ConceptFacts } from '../../../shared/domain/engine.ts';
import { readConcept } from '../formats/concept.ts';
import { openVideoModel } from '../models/registry.ts';
import { fitConcept } from './open-concept.ts';

/**
 * Reads a concept file from elsewhere to its last value, and holds it against the sizes of a model where one
 * is given: what passes can be sampled. No weights of the model are read.
 */
export async function checkConcept({ file, model }: CheckConceptRequest): Promise<ConceptFacts> {
  const concept = await readConcept(file);
  if (model !== null) fitConcept(file, concept, await openVideoModel(model));
  const { rank, directionStrengths, captions, recipe } = concept;
  return { rank, directionStrengths, captions, recipe, model: concept.model.name };
}
