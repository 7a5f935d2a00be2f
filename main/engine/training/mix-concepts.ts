import type { ConceptFacts, MixRequest } from '../../../shared/domain/engine.ts';
import { conceptFileOf } from '../adapters/concept-parts.ts';
import { partsFollowing } from '../adapters/mix.ts';
import type { TokenEmbeddings } from '../adapters/tokens.ts';
import { writeConcept } from '../formats/concept.ts';
import { openConcept } from '../sampling/open-concept.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { mixedCaption } from './captions.ts';
import { tokensByName } from './concept-state.ts';
import { makeFolderOf } from './work-folder.ts';

/**
 * Puts who or what one concept is together with how another moves, without learning anything: a concept file
 * of its own that holds both by value. The tokens `[v]` and the appearance are the first one's, `[u]` is the
 * second one's; of joint concepts, those of their first clips. Throws `invalid-input` when a concept belongs
 * to another model, or has learned no such thing.
 */
export async function mixConcepts(
  model: Omit<OpenModel, 'sampler' | 'memoryBytes'>,
  request: MixRequest,
): Promise<ConceptFacts> {
  const [identity, motion] = [
    await openConcept(model, request.identity.file),
    await openConcept(model, request.motion.file),
  ];
  const parts = {
    ...partsFollowing('identity', request.identity.name, identity.parts),
    ...partsFollowing('motion', request.motion.name, motion.parts),
  };
  const stages = [identity, motion].flatMap(({ file }) => (file.version === 2 ? file.stages : []));
  const isMotionAlone = motion.file.version === 2 && motion.file.stages.some(({ clipText }) => clipText === 'motion');
  const captions = [mixedCaption(identity.file.captions[0]!, motion.file.captions[0]!, isMotionAlone)];
  const { recipe } = identity.file;
  const tokens = { ...only('v', identity.tokens), ...only('u', motion.tokens) };
  const described = {
    directionStrengths: [],
    captions,
    recipe,
    model: { name: model.name, fingerprint: model.fingerprint },
  };
  const file = conceptFileOf(parts, { ...described, stages, tokens, appearance: identity.appearance });
  await makeFolderOf(request.conceptFile);
  await writeConcept(request.conceptFile, file);
  return { rank: file.rank, directionStrengths: [], captions, recipe, model: model.name };
}

function only(name: string, tokens: TokenEmbeddings): Record<string, Float32Array> {
  const { [name]: row } = tokens.names.length > 0 ? tokensByName(tokens) : {};
  return row ? { [name]: row } : {};
}
