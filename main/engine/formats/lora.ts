import { z } from 'zod';
import type { LoraDialect } from '../../../shared/domain/export.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { type LoraKey, loraKeys, parseLoraKey } from './lora-keys.ts';
import { openSafetensors, type TensorSource } from './safetensors.ts';
import { type TensorToWrite, writeSafetensors } from './safetensors-write.ts';

/**
 * The low-rank change of one linear layer as LoRA files hold it, row-major in PyTorch's order: W' = W + up down with
 * down [rank, in], up [out, rank]. The scale (alpha / rank) is folded into `up`.
 */
export type LoraLayer = {
  /** The layer's diffusers path, `blocks.0.attn1.to_q`. */
  path: string;
  rank: number;
  inSize: number;
  outSize: number;
  down: Float32Array;
  up: Float32Array;
};

/** What a LoRA file was read as. `rank` is the largest of its layers. */
export type LoraFile = { dialect: LoraDialect; rank: number; layers: LoraLayer[] };

/**
 * Writes a LoRA file for Wan. Layers in `alsoEmpty` that are not in `layers` are written as zeros: readers of kohya's dialect (diffusers
 * among them) expect every attention and feed-forward layer.
 */
export async function writeLora(
  file: string,
  layers: readonly LoraLayer[],
  dialect: LoraDialect,
  alsoEmpty: readonly Pick<LoraLayer, 'path' | 'inSize' | 'outSize'>[] = [],
): Promise<void> {
  const present = new Set(layers.map(({ path }) => path));
  const rank = Math.max(1, ...layers.map((layer) => layer.rank));
  const empty = dialect === 'kohya' ? alsoEmpty.filter(({ path }) => !present.has(path)).map(zeroLayer) : [];
  const tensors = [...layers, ...empty].flatMap((layer): TensorToWrite[] => {
    const keys = loraKeys(layer.path, dialect);
    return [
      { name: keys.down, shape: [layer.rank, layer.inSize], values: layer.down },
      { name: keys.up, shape: [layer.outSize, layer.rank], values: layer.up },
      ...(keys.alpha ? [{ name: keys.alpha, shape: [], values: Float32Array.of(layer.rank) }] : []),
    ];
  });
  await writeSafetensors(file, tensors, dialect === 'diffusers' ? diffusersMetadata(layers, rank) : { format: 'pt' });
}

function zeroLayer({ path, inSize, outSize }: Pick<LoraLayer, 'path' | 'inSize' | 'outSize'>): LoraLayer {
  return { path, rank: 1, inSize, outSize, down: new Float32Array(inSize), up: new Float32Array(outSize) };
}

/** diffusers writes the PEFT configuration beside the weights, each key behind the module's name; it reads r and lora_alpha from there. */
function diffusersMetadata(layers: readonly LoraLayer[], rank: number): Record<string, string> {
  const pattern = Object.fromEntries(
    layers.filter((layer) => layer.rank !== rank).map((layer) => [layer.path, layer.rank]),
  );
  const config = {
    'transformer.r': rank,
    'transformer.lora_alpha': rank,
    'transformer.rank_pattern': pattern,
    'transformer.alpha_pattern': pattern,
    'transformer.target_modules': layers.map(({ path }) => path),
    'transformer.lora_bias': false,
    'transformer.use_dora': false,
  };
  return { format: 'pt', lora_adapter_metadata: JSON.stringify(config) };
}

/**
 * Reads a LoRA file in any of the three dialects (also PEFT's own `adapter_model.safetensors`).
 * Throws `invalid-input` for a file that is no LoRA for Wan or holds more than low-rank changes, `damaged-file` for incomplete layers.
 */
export async function readLora(file: string): Promise<LoraFile> {
  const source = await openSafetensors(file);
  try {
    const found = new Map<string, Partial<Record<LoraKey['part'], string>>>();
    let dialect: LoraDialect | undefined;
    for (const name of source.names()) {
      const key = parseLoraKey(name);
      if (!key) throw foreignKey(file, name);
      dialect ??= key.dialect;
      const layer = found.get(key.path) ?? {};
      layer[key.part] = name;
      found.set(key.path, layer);
    }
    if (!dialect) throw new AppError('invalid-input', `${file} holds no LoRA layers`);
    const scaleOf = dialect === 'diffusers' ? metadataScale(source) : () => 1;
    const layers: LoraLayer[] = [];
    for (const [path, names] of found) layers.push(await readLayer(source, path, names, scaleOf));
    return { dialect, rank: Math.max(...layers.map((layer) => layer.rank)), layers };
  } finally {
    await source.close();
  }
}

async function readLayer(
  source: TensorSource,
  path: string,
  names: Partial<Record<LoraKey['part'], string>>,
  scaleOf: (path: string, rank: number) => number,
): Promise<LoraLayer> {
  if (!names.down || !names.up)
    throw new AppError('damaged-file', `${source.path}: the layer "${path}" has only one of its two matrices`);
  const [rank, inSize, ...more] = source.info(names.down).shape;
  const [outSize, upRank, ...evenMore] = source.info(names.up).shape;
  if (!rank || !inSize || !outSize || more.length > 0 || evenMore.length > 0 || rank !== upRank)
    throw new AppError(
      'damaged-file',
      `${source.path}: the matrices of "${path}" do not fit: [${source.info(names.down).shape}] and [${source.info(names.up).shape}]`,
    );
  const alpha = names.alpha ? (await source.readFloats(names.alpha))[0]! : undefined;
  const scale = alpha === undefined ? scaleOf(path, rank) : alpha / rank;
  const up = await source.readFloats(names.up);
  return {
    path,
    rank,
    inSize,
    outSize,
    down: await source.readFloats(names.down),
    up: scale === 1 ? up : up.map((value) => value * scale),
  };
}

const adapterMetadata = z.record(z.string(), z.unknown());
const pattern = z.record(z.string(), z.number()).catch({});

/** The scale that the metadata of diffusers' dialect states; without metadata alpha equals the rank. */
function metadataScale(source: TensorSource): (path: string, rank: number) => number {
  const text = source.metadata.lora_adapter_metadata;
  if (!text) return () => 1;
  const parsed = adapterMetadata.safeParse(safeJson(text));
  if (!parsed.success) throw new AppError('damaged-file', `${source.path}: its LoRA metadata cannot be read`);
  const values = new Map(Object.entries(parsed.data).map(([key, value]) => [key.replace(/^transformer\./, ''), value]));
  const common = z.number().optional().catch(undefined).parse(values.get('lora_alpha'));
  const alphas = Object.entries(pattern.parse(values.get('alpha_pattern') ?? {}));
  const squareRoot = values.get('use_rslora') === true;
  return (path, rank) => {
    // PEFT matches a pattern's key against the end of a layer's name.
    const own = alphas.find(([key]) => path === key || path.endsWith(`.${key}`))?.[1];
    const alpha = own ?? common ?? rank;
    return alpha / (squareRoot ? Math.sqrt(rank) : rank);
  };
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function foreignKey(file: string, name: string): AppError {
  if (/dora_scale|magnitude_vector/.test(name))
    return new AppError('invalid-input', `${file} is a DoRA file ("${name}"), which is more than a low-rank change`);
  if (/hada_|lokr_|\.diff(_b)?$|lora_B\.bias$/.test(name))
    return new AppError('invalid-input', `${file} changes more than low-rank weights can say ("${name}")`, {
      hint: 'Only LoRA files with down and up matrices can be imported.',
    });
  return new AppError('invalid-input', `${file} is not a LoRA file for a Wan model: "${name}" is no layer of one`, {
    hint: 'Three dialects are understood: diffusers or PEFT, ComfyUI (diffusion-pipe), and kohya (musubi-tuner).',
  });
}
