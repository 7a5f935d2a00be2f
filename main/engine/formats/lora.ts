import type { LoraDialect } from '../../../shared/domain/export.ts';
import { maximumRank } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { requireFinite } from './finite.ts';
import { type LoraKey, loraKeys, parseLoraKey } from './lora-keys.ts';
import { findPeftConfig, isPeftFile, peftScale } from './peft-config.ts';
import { openSafetensors } from './safetensors.ts';
import { type TensorToWrite, writeSafetensors } from './safetensors-write.ts';
import type { TensorSource } from './tensor-file.ts';

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
export type LoraFile = {
  dialect: LoraDialect;
  rank: number;
  layers: LoraLayer[];
  /** PEFT keeps alpha in a second file, which was not there: it was taken to be the rank. */
  alphaMissing: boolean;
};

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
 * Reads a LoRA file in any of the three dialects, also PEFT's own `adapter_model.safetensors` with the `adapter_config.json` beside it.
 * Throws `invalid-input` for a file that is no LoRA for Wan or holds more than low-rank changes, `damaged-file` for layers that are
 * incomplete, contradict each other or hold values that are no finite numbers.
 */
export async function readLora(file: string): Promise<LoraFile> {
  const source = await openSafetensors(file);
  try {
    const found = new Map<string, LayerNames>();
    let dialect: LoraDialect | undefined;
    for (const name of source.names()) {
      const key = parseLoraKey(name);
      if (!key) throw foreignKey(file, name);
      dialect ??= key.dialect;
      const layer = found.get(key.path) ?? {};
      if (layer[key.part]) throw twice(file, key.path, layer[key.part]!, name);
      layer[key.part] = name;
      found.set(key.path, layer);
    }
    if (!dialect) throw new AppError('invalid-input', `${file} holds no LoRA layers`);
    const config = dialect === 'diffusers' ? await findPeftConfig(source) : undefined;
    const scaleOf = config ? peftScale(config) : () => 1;
    const layers: LoraLayer[] = [];
    for (const [path, names] of found) layers.push(await readLayer(source, path, names, scaleOf));
    return {
      dialect,
      rank: Math.max(...layers.map((layer) => layer.rank)),
      layers,
      alphaMissing: !config && isPeftFile(source),
    };
  } finally {
    await source.close();
  }
}

/** The tensor of each part of a layer. */
type LayerNames = Partial<Record<LoraKey['part'], string>>;

async function readLayer(
  source: TensorSource,
  path: string,
  names: LayerNames,
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
  if (rank > maximumRank)
    throw new AppError('invalid-input', `${source.path}: the layer "${path}" is of rank ${rank}, which is too high`, {
      hint: `LoRA files of a rank up to ${maximumRank} can be imported. Resize it to a lower rank first.`,
    });
  const scale = names.alpha ? (await readAlpha(source, names.alpha)) / rank : scaleOf(path, rank);
  const down = await readMatrix(source, names.down);
  const up = await readMatrix(source, names.up);
  if (scale !== 1) {
    for (const [index, value] of up.entries()) up[index] = value * scale;
    requireFinite(source.path, names.up, up);
  }
  return { path, rank, inSize, outSize, down, up };
}

async function readMatrix(source: TensorSource, name: string): Promise<Float32Array> {
  const values = await source.readFloats(name);
  requireFinite(source.path, name, values);
  return values;
}

async function readAlpha(source: TensorSource, name: string): Promise<number> {
  const { shape } = source.info(name);
  if (shape.some((length) => length !== 1))
    throw new AppError('damaged-file', `${source.path}: "${name}" should be one number, and is [${shape}]`);
  const [alpha] = await readMatrix(source, name);
  return alpha!;
}

const twice = (file: string, path: string, one: string, other: string) =>
  new AppError('damaged-file', `${file} describes the layer "${path}" twice: as "${one}" and as "${other}"`, {
    hint: 'It seems to hold two LoRAs at once. Import the file of one.',
  });

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
