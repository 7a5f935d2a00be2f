import { z } from 'zod';
import { conceptCaption } from '../../../shared/domain/concept.ts';
import { maximumRank, recipe } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { fitsHalf, requireFinite } from './finite.ts';
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
  rank: z.int().min(1).max(maximumRank),
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

/** Writes a concept file: beside, then renamed. Throws `invalid-input` for values that the file cannot hold. */
export async function writeConcept(file: string, { layers, tokens, ...metadata }: ConceptFile): Promise<void> {
  const { rank } = metadata;
  const tooLarge = layers.find((layer) => ![layer.basis, layer.coefficients, layer.residual].every(fitsHalf));
  if (tooLarge)
    throw new AppError('invalid-input', `The change of the layer "${tooLarge.path}" is too large to be kept.`, {
      hint: 'A learning gets there when its learning rate is too high, a LoRA file when its alpha is wrong.',
    });
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
 * when its contents contradict each other or are no finite numbers.
 */
export async function readConcept(file: string): Promise<ConceptFile> {
  const source = await openSafetensors(file);
  try {
    const metadata = readMetadata(source);
    const paths: string[] = [];
    const tokenNames: string[] = [];
    for (const name of source.names()) {
      const [, part, rest] = tensorName.exec(name) ?? [];
      if (part === 'basis') paths.push(rest!);
      else if (part === 'token' && tokenName.test(rest!)) tokenNames.push(rest!);
      else if (part === undefined || part === 'token' || !source.has(`basis.${rest}`))
        throw damaged(source, `tensor "${name}" belongs to no concept`);
    }
    if (paths.length === 0) throw damaged(source, 'it changes no layer');
    const layers: ConceptLayer[] = [];
    for (const path of paths) layers.push(await readLayer(source, path, metadata.rank));
    const tokens: Record<string, Float32Array> = {};
    for (const name of tokenNames) tokens[name] = await readTensor(source, `token.${name}`, 1);
    return { ...metadata, layers, tokens };
  } finally {
    await source.close();
  }
}

const tensorName = /^(basis|coefficients|residual|token)\.(.+)$/s;
const tokenName = /^[vu]\d{0,4}$/;

async function readLayer(source: TensorSource, path: string, rank: number): Promise<ConceptLayer> {
  const [, basisRank] = source.info(`basis.${path}`).shape;
  const coefficients = source.info(`coefficients.${path}`).shape;
  const residual = source.info(`residual.${path}`).shape;
  if (basisRank !== rank || coefficients[0] !== rank || `${residual}` !== `${coefficients}`)
    throw damaged(source, `the matrices of layer "${path}" are not of rank ${rank}`);
  return {
    path,
    basis: await readTensor(source, `basis.${path}`, 2),
    coefficients: await readTensor(source, `coefficients.${path}`, 2),
    residual: await readTensor(source, `residual.${path}`, 2),
  };
}

async function readTensor(source: TensorSource, name: string, axes: number): Promise<Float32Array> {
  const { shape } = source.info(name);
  if (shape.length !== axes || shape.includes(0)) throw damaged(source, `tensor "${name}" is of shape [${shape}]`);
  const values = await source.readFloats(name);
  requireFinite(source.path, name, values);
  return values;
}

const damaged = (source: TensorSource, message: string) =>
  new AppError('damaged-file', `${source.path}: ${message}`, {
    hint: 'Fetch the concept again, or learn it again.',
  });

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
  const { rank, directionStrengths } = parsed.data;
  if (directionStrengths.length > rank)
    throw damaged(source, `it names ${directionStrengths.length} directions, and is of rank ${rank}`);
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
