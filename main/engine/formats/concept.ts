import { z } from 'zod';
import { conceptCaption } from '../../../shared/domain/concept.ts';
import { recipe } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { openSafetensors, type TensorSource } from './safetensors.ts';
import { type TensorToWrite, writeSafetensors } from './safetensors-write.ts';

/**
 * A concept file: safetensors with, per changed layer of the transformer, `basis.<path>` A1 [m, r], `coefficients.<path>` B1 [r, n] and
 * `residual.<path>` B2 [r, n] in float16 (float32 is read too); the embeddings of its special tokens as `token.v`, `token.u` (`token.v2` ...
 * for joint concepts) [width];
 * and the metadata below as JSON under the key `motif_concept`.
 */
const currentVersion = 1;

const metadataKey = 'motif_concept';

const modelIdentity = z.object({
  name: z.string(),
  /** Of the transformer's configuration and small tensors: enough to tell checkpoints apart without reading gigabytes. */
  fingerprint: z.string(),
});

const conceptMetadata = z.object({
  version: z.literal(currentVersion),
  rank: z.int().positive(),
  basisSide: z.enum(['output', 'input']),
  /** Importance of each direction of the identity basis, largest first. */
  directionStrengths: z.array(z.number().nonnegative()),
  captions: z.array(conceptCaption).min(1),
  recipe,
  model: modelIdentity,
});
export type ConceptMetadata = z.infer<typeof conceptMetadata>;

/** One layer's change: W' = W + A1 B1 + A1 B2, row-major, read the way round that `basisSide` says. */
export type ConceptLayer = {
  path: string;
  /** A1 [m, r] */
  basis: Float32Array;
  /** B1 [r, n] */
  coefficients: Float32Array;
  /** B2 [r, n] */
  residual: Float32Array;
};

export type ConceptFile = ConceptMetadata & {
  layers: ConceptLayer[];
  /** Embedding of each special token by its name without brackets: `v`, `u`. */
  tokens: Record<string, Float32Array>;
};

/** Writes a concept file: beside, then renamed. */
export async function writeConcept(file: string, { layers, tokens, ...metadata }: ConceptFile): Promise<void> {
  const { rank } = metadata;
  const tensors = layers.flatMap(({ path, basis, coefficients, residual }): TensorToWrite[] => [
    { name: `basis.${path}`, shape: [basis.length / rank, rank], type: 'F16', values: basis },
    { name: `coefficients.${path}`, shape: [rank, coefficients.length / rank], type: 'F16', values: coefficients },
    { name: `residual.${path}`, shape: [rank, residual.length / rank], type: 'F16', values: residual },
  ]);
  const embeddings = Object.entries(tokens).map(
    ([name, values]): TensorToWrite => ({ name: `token.${name}`, shape: [values.length], values }),
  );
  await writeSafetensors(file, [...tensors, ...embeddings], { [metadataKey]: JSON.stringify(metadata) });
}

/**
 * Reads a concept file. Throws `not-found`, `invalid-input` for a file that is no concept or newer than this program, and `damaged-file`
 * when its contents contradict each other.
 */
export async function readConcept(file: string): Promise<ConceptFile> {
  const source = await openSafetensors(file);
  try {
    const metadata = readMetadata(source);
    const paths = source.names().flatMap((name) => (name.startsWith('basis.') ? [name.slice('basis.'.length)] : []));
    const layers: ConceptLayer[] = [];
    for (const path of paths) layers.push(await readLayer(source, path, metadata.rank));
    const tokens: Record<string, Float32Array> = {};
    for (const name of source.names())
      if (name.startsWith('token.')) tokens[name.slice('token.'.length)] = await source.readFloats(name);
    return { ...metadata, layers, tokens };
  } finally {
    await source.close();
  }
}

async function readLayer(source: TensorSource, path: string, rank: number): Promise<ConceptLayer> {
  const [, basisRank] = source.info(`basis.${path}`).shape;
  const coefficients = source.info(`coefficients.${path}`).shape;
  const residual = source.info(`residual.${path}`).shape;
  if (basisRank !== rank || coefficients[0] !== rank || `${residual}` !== `${coefficients}`)
    throw new AppError('damaged-file', `${source.path}: the matrices of layer "${path}" are not of rank ${rank}`);
  return {
    path,
    basis: await source.readFloats(`basis.${path}`),
    coefficients: await source.readFloats(`coefficients.${path}`),
    residual: await source.readFloats(`residual.${path}`),
  };
}

function readMetadata(source: TensorSource): ConceptMetadata {
  const text = source.metadata[metadataKey];
  if (text === undefined)
    throw new AppError('invalid-input', `${source.path} is not a Motif concept`, {
      hint: 'A LoRA file of another program can be imported as a concept.',
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AppError('damaged-file', `${source.path}: the concept's description is not JSON`, { cause });
  }
  const version = z.object({ version: z.number() }).safeParse(json);
  if (version.success && version.data.version > currentVersion)
    throw new AppError('invalid-input', `${source.path} was written by a newer version of Motif`, {
      hint: 'Update Motif to open it.',
    });
  const parsed = conceptMetadata.safeParse(json);
  if (!parsed.success)
    throw new AppError('damaged-file', `${source.path}: the concept's description is damaged`, {
      details: { problems: z.prettifyError(parsed.error) },
    });
  return parsed.data;
}

/** Throws `invalid-input` when the concept was learned on another model than the one at hand. */
export function checkConceptModel(file: string, concept: ConceptMetadata, model: ConceptMetadata['model']): void {
  if (concept.model.fingerprint === model.fingerprint) return;
  throw new AppError(
    'invalid-input',
    concept.model.name === model.name
      ? `the concept ${file} was learned on other weights of "${model.name}" than these`
      : `the concept ${file} belongs to the model "${concept.model.name}", not to "${model.name}"`,
    { hint: 'Choose the model that it was learned on, or learn it again on this one.' },
  );
}
