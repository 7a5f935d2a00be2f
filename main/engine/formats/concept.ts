import { z } from 'zod';
import { conceptCaption } from '../../../shared/domain/concept.ts';
import { maximumRank, recipe } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { fitsHalf, requireFinite } from './finite.ts';
import { openSafetensors } from './safetensors.ts';
import { type TensorToWrite, writeSafetensors } from './safetensors-write.ts';
import type { TensorSource } from './tensor-file.ts';

/**
 * A concept file: safetensors with the embeddings of its special tokens as `token.v`, `token.u` (`token.v2` ... for joint concepts)
 * [width], what was learned in float16 (float32 is read too), and the metadata below as JSON under the key `motif_concept`.
 *
 * Version 1, a basis alone: per changed layer of the transformer `basis.<path>` A1 [m, r], `coefficients.<path>` B1 [r, n] and
 * `residual.<path>` B2 [r, n]. Version 2, any parts: `<part>/<tensor>`, with what they are in the metadata. Version 1 is written wherever
 * it can hold the concept, and read for ever.
 */
const currentVersion = 2;

const metadataKey = 'motif_concept';

const modelIdentity = z.object({
  name: z.string(),
  /** Of the transformer's configuration and small tensors: enough to tell checkpoints apart without reading gigabytes. */
  fingerprint: z.string(),
});

const described = {
  /** Importance of each direction of the identity basis, largest first. */
  directionStrengths: z.array(z.number().nonnegative()),
  captions: z.array(conceptCaption).min(1),
  recipe,
  model: modelIdentity,
};

const firstMetadata = z.object({
  version: z.literal(1),
  rank: z.int().min(1).max(maximumRank),
  basisSide: z.enum(['output', 'input']),
  ...described,
});

const partName = /^[a-z][a-z-]{0,30}$/;

const secondMetadata = z.object({
  version: z.literal(2),
  /** The largest of a part; 0 where none is of low rank. */
  rank: z.int().min(0).max(maximumRank),
  ...described,
  /** How its pictures look, which some kinds of parts are told; the mean over the pictures. */
  appearance: z.array(z.number()).max(4096),
  /** The stages of learning as they were planned, whatever their defaults have become since; for readers. */
  stages: z.array(z.record(z.string(), z.unknown())).max(64),
  parts: z.record(
    z.string().regex(partName),
    z.object({ kind: z.string(), shape: z.unknown(), slider: z.string().optional() }),
  ),
});

const conceptMetadata = z.discriminatedUnion('version', [firstMetadata, secondMetadata]);
type ConceptMetadata = z.infer<typeof conceptMetadata>;

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

/** A tensor of a part, row-major. */
type StoredTensor = { shape: number[]; values: Float32Array };

type Embeddings = {
  /** Embedding of each special token by its name without brackets: `v`, `u`. */
  tokens: Record<string, Float32Array>;
};
type FirstConcept = z.infer<typeof firstMetadata> & { layers: ConceptLayer[] } & Embeddings;
type StoredPart = z.infer<typeof secondMetadata>['parts'][string] & { tensors: Record<string, StoredTensor> };
type SecondConcept = Omit<z.infer<typeof secondMetadata>, 'parts'> & { parts: Record<string, StoredPart> } & Embeddings;
export type ConceptFile = FirstConcept | SecondConcept;

/** Writes a concept file: beside, then renamed. Throws `invalid-input` for values that the file cannot hold. */
export async function writeConcept(file: string, { tokens, ...concept }: ConceptFile): Promise<void> {
  const embeddings = Object.entries(tokens).map(
    ([name, values]): TensorToWrite => ({ name: `token.${name}`, shape: [values.length], values }),
  );
  const { metadata, tensors } = concept.version === 1 ? firstContent(concept) : secondContent(concept);
  await writeSafetensors(file, [...tensors, ...embeddings], { [metadataKey]: JSON.stringify(metadata) });
}

function firstContent({ layers, ...metadata }: Omit<FirstConcept, 'tokens'>) {
  const { rank } = metadata;
  const tensors = layers.flatMap(({ path, basis, coefficients, residual }): TensorToWrite[] => {
    requireHalf(`layer "${path}"`, basis, coefficients, residual);
    return [
      { name: `basis.${path}`, shape: [basis.length / rank, rank], type: 'F16', values: basis },
      { name: `coefficients.${path}`, shape: [rank, coefficients.length / rank], type: 'F16', values: coefficients },
      { name: `residual.${path}`, shape: [rank, residual.length / rank], type: 'F16', values: residual },
    ];
  });
  return { metadata, tensors };
}

function secondContent({ parts, ...metadata }: Omit<SecondConcept, 'tokens'>) {
  const tensors = Object.entries(parts).flatMap(([part, { tensors }]) =>
    Object.entries(tensors).map(([name, { shape, values }]): TensorToWrite => {
      requireHalf(`part "${part}"`, values);
      return { name: `${part}/${name}`, shape, type: 'F16', values };
    }),
  );
  const shapes = Object.entries(parts).map(([name, { tensors: _, ...description }]) => [name, description]);
  return { metadata: { ...metadata, parts: Object.fromEntries(shapes) }, tensors };
}

function requireHalf(what: string, ...values: Float32Array[]): void {
  if (values.every(fitsHalf)) return;
  throw new AppError('invalid-input', `The change of the ${what} is too large to be kept.`, {
    hint: 'A learning gets there when its learning rate is too high, a LoRA file when its alpha is wrong.',
  });
}

/**
 * Reads a concept file. Throws `not-found`, `invalid-input` for a file that is no concept or newer than this program, and `damaged-file`
 * when its contents contradict each other or are no finite numbers.
 */
export async function readConcept(file: string): Promise<ConceptFile> {
  const source = await openSafetensors(file);
  try {
    const metadata = readMetadata(source);
    const tokens: Record<string, Float32Array> = {};
    for (const name of source.names()) {
      const [, token] = tokenTensor.exec(name) ?? [];
      if (token !== undefined) tokens[token] = await readTensor(source, name, 1);
    }
    if (metadata.version === 1) return { ...metadata, layers: await readLayers(source, metadata.rank), tokens };
    return { ...metadata, parts: await readParts(source, metadata), tokens };
  } finally {
    await source.close();
  }
}

const tokenTensor = /^token\.([vu]\d{0,4})$/;
const layerTensor = /^(basis|coefficients|residual)\.(.+)$/s;
const partTensor = /^([^/]+)\/([A-Za-z.]{1,60})$/;

async function readLayers(source: TensorSource, rank: number): Promise<ConceptLayer[]> {
  const paths: string[] = [];
  for (const name of source.names()) {
    if (tokenTensor.test(name)) continue;
    const [, matrix, path] = layerTensor.exec(name) ?? [];
    if (matrix === 'basis') paths.push(path!);
    else if (matrix === undefined || !source.has(`basis.${path}`)) throw stray(source, name);
  }
  if (paths.length === 0) throw damaged(source, 'it changes no layer');
  const layers: ConceptLayer[] = [];
  for (const path of paths) layers.push(await readLayer(source, path, rank));
  return layers;
}

async function readParts(source: TensorSource, metadata: z.infer<typeof secondMetadata>) {
  const parts: Record<string, StoredPart> = Object.fromEntries(
    Object.entries(metadata.parts).map(([name, description]) => [name, { ...description, tensors: {} }]),
  );
  for (const name of source.names()) {
    if (tokenTensor.test(name)) continue;
    const [, part, tensor] = partTensor.exec(name) ?? [];
    if (part === undefined || !Object.hasOwn(parts, part)) throw stray(source, name);
    const { shape } = source.info(name);
    const values = await readTensor(source, name, shape.length);
    parts[part]!.tensors[tensor!] = { shape, values };
  }
  return parts;
}

const stray = (source: TensorSource, name: string) => damaged(source, `tensor "${name}" belongs to no concept`);

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
export function checkConceptModel(
  file: string,
  concept: Pick<ConceptMetadata, 'model'>,
  model: ConceptMetadata['model'],
): void {
  if (concept.model.fingerprint === model.fingerprint) return;
  throw new AppError(
    'invalid-input',
    concept.model.name === model.name
      ? `the concept ${file} was learned on other weights of "${model.name}" than these`
      : `the concept ${file} belongs to the model "${concept.model.name}", not to "${model.name}"`,
    { hint: 'Choose the model that it was learned on, or learn it again on this one.' },
  );
}
