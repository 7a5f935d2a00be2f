import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { GatherRequest, GatherResult } from '../../../../../shared/domain/engine.ts';
import { AppError, toErrorShape } from '../../../../../shared/ipc/result.ts';
import { exists } from '../../../../files/file-names.ts';
import { readJson, readWeightsLink, writeModelDirectory } from '../../../formats/diffusers.ts';
import { findTokenizer, lookAround, type Surroundings } from './find-files.ts';
import { inspectPart, type ModelPart } from './inspect.ts';
import { presetOf } from './presets.ts';
import { tokenizerFiles } from './tokenizer.ts';

type Found = ModelPart & { file: string };

/**
 * Puts models together from single files, as ComfyUI and Wan's own repositories keep them: for each transformer the autoencoder and the
 * text encoder that fit it. What is written is a folder in diffusers' layout of configurations, a tokenizer, and links to the files
 * (`formats/linked-weights.ts`). Throws `not-found` or `invalid-input` where no model could be put together.
 */
export async function gatherWanModels(request: GatherRequest): Promise<GatherResult> {
  const source = resolve(request.source);
  if (!(await exists(source))) throw new AppError('not-found', `There is no ${source}.`);
  const around = await lookAround(source);
  const parts = await inspectAll(around, request);
  const wanted = parts.found.filter(({ kind, file }) => kind === 'transformer' && around.transformers.includes(file));
  const result: GatherResult = { models: [], refused: parts.refused };
  let lastError: unknown;
  for (const [main, second] of pairs(wanted, parts.found, result.refused)) {
    try {
      result.models.push(await writeModel(main, second, parts.found, around, request));
    } catch (thrown) {
      lastError = thrown;
      result.refused.push({ file: main.file, reason: toErrorShape(thrown).message });
    }
  }
  if (result.models.length === 0) throw lastError ?? nothingFound(source, parts, result.refused);
  return result;
}

/** Every file that can be a part. Those that may have been meant as transformers are refused with the reason. */
async function inspectAll(around: Surroundings, { vae, textEncoder }: GatherRequest) {
  const given = [vae, textEncoder].flatMap((file) => (file ? [resolve(file)] : []));
  const found: Found[] = [];
  const refused: (GatherResult['refused'][number] & { error: unknown })[] = [];
  for (const file of new Set([...around.transformers, ...around.files, ...given])) {
    try {
      found.push({ file, ...(await inspectPart(file, await headsBeside(file))) });
    } catch (error) {
      if (around.transformers.includes(file) || given.includes(file))
        refused.push({ file, reason: toErrorShape(error).message, error });
    }
  }
  return {
    found,
    refused: refused.map(({ file, reason }) => ({ file, reason })),
    errors: refused.map(({ error }) => error),
  };
}

/** Wan's own repositories have a `config.json` beside their transformers, which says what no shape tells. */
async function headsBeside(file: string): Promise<{ heads?: number }> {
  const path = join(dirname(file), 'config.json');
  if (!(await exists(path))) return {};
  const config = await readJson(path, z.looseObject({ num_heads: z.int().positive().optional() })).catch(
    () => undefined,
  );
  return config?.num_heads ? { heads: config.num_heads } : {};
}

const noiseNames = /(high|low)(?=[-_ ]?noise)|(?<=[-_])(high|low)(?=[-_.])/i;

/** Which range of noise a file's name says it is for. */
function noiseOf(file: string): { range?: 'high' | 'low'; rest: string } {
  const match = noiseNames.exec(file);
  if (!match) return { rest: file };
  return {
    range: match[0].toLowerCase() as 'high' | 'low',
    rest: file.slice(0, match.index) + file.slice(match.index + match[0].length),
  };
}

/** Wan 2.2's pairs, the one for high noise first, and transformers that stand alone. */
function pairs(
  wanted: readonly Found[],
  found: readonly Found[],
  refused: GatherResult['refused'],
): [Found, Found | undefined][] {
  const result: [Found, Found | undefined][] = [];
  const taken = new Set<Found>();
  for (const part of wanted) {
    if (taken.has(part)) continue;
    const { range, rest } = noiseOf(part.file);
    const other =
      range &&
      found.find((candidate) => {
        const noise = noiseOf(candidate.file);
        return candidate.kind === 'transformer' && noise.range && noise.range !== range && noise.rest === rest;
      });
    if (range && !other) {
      const missing = range === 'high' ? 'low' : 'high';
      refused.push({
        file: part.file,
        reason: `Its partner for ${missing} noise is missing: a file of the same name with "${missing}" in it.`,
      });
      continue;
    }
    if (other) taken.add(other);
    result.push(other ? (range === 'high' ? [part, other] : [other, part]) : [part, undefined]);
  }
  return result;
}

function nothingFound(
  source: string,
  { found, errors }: { found: readonly Found[]; errors: readonly unknown[] },
  refused: GatherResult['refused'],
): unknown {
  if (errors.length === 1) return errors[0];
  const part = found.find(({ file }) => file === source);
  const hint = 'Point at the file of a transformer of Wan 2.1 or 2.2, or at a ComfyUI models folder that holds one.';
  if (part && part.kind !== 'transformer')
    return new AppError('invalid-input', `${source} is ${partNames[part.kind]}, not a transformer.`, { hint });
  const reasons = refused.slice(0, 5).map(({ file, reason }) => `\n${basename(file)}: ${reason}`);
  return new AppError('invalid-input', `${source} holds no transformer of Wan that can be used.${reasons.join('')}`, {
    hint,
  });
}

const partNames = { transformer: 'a transformer', vae: 'an autoencoder', text_encoder: 'a text encoder' };

async function writeModel(
  main: Found,
  second: Found | undefined,
  found: readonly Found[],
  around: Surroundings,
  request: GatherRequest,
): Promise<string> {
  if (second && JSON.stringify(second.config) !== JSON.stringify(main.config))
    throw new AppError('invalid-input', `${main.file} and ${second.file} are of different models.`);
  const vae = choose(found, request.vae, 'vae', 'an autoencoder', 'z_dim', main.config.out_channels, 'the folder vae');
  const text = choose(
    found,
    request.textEncoder,
    'text_encoder',
    'a text encoder',
    'd_model',
    main.config.text_dim,
    'the folder text_encoders',
  );
  const name = nameOf(main.file, second !== undefined);
  const directory = join(request.folder, name);
  await checkFree(directory, main.file);
  const preset = presetOf(main.config, second !== undefined);
  const linked = (part: Found) => [{ name: 'weights.json', content: JSON.stringify(part.link) }];
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const component = (folder: string, part: Found) => ({ name: folder, config: json(part.config), files: linked(part) });
  await writeModelDirectory(directory, {
    index: json({
      _class_name: preset.takesPicture ? 'WanImageToVideoPipeline' : 'WanPipeline',
      boundary_ratio: preset.boundaryRatio ?? null,
      expand_timesteps: preset.expandTimesteps,
      scheduler: ['diffusers', 'UniPCMultistepScheduler'],
      text_encoder: ['transformers', 'UMT5EncoderModel'],
      tokenizer: ['transformers', 'T5TokenizerFast'],
      transformer: ['diffusers', 'WanTransformer3DModel'],
      transformer_2: second ? ['diffusers', 'WanTransformer3DModel'] : [null, null],
      vae: ['diffusers', 'AutoencoderKLWan'],
    }),
    components: [
      component('transformer', main),
      ...(second ? [component('transformer_2', second)] : []),
      component('vae', vae),
      component('text_encoder', text),
      await tokenizerComponent(text, found, around, request),
      { name: 'scheduler', configName: 'scheduler_config.json', config: json(scheduler(preset.flowShift)) },
    ],
    files: preset.extras ? [{ name: 'motif.json', content: json(preset.extras) }] : [],
  });
  return directory;
}

/** The part that fits; of several the largest, which was rounded least. */
function choose(
  found: readonly Found[],
  given: string | undefined,
  kind: ModelPart['kind'],
  what: string,
  size: string,
  expected: unknown,
  place: string,
): Found {
  const candidates = found
    .filter((part) => part.kind === kind && (!given || part.file === resolve(given)))
    .toSorted((a, b) => b.link.bytes - a.link.bytes);
  const fitting = candidates.find((part) => part.config[size] === expected);
  if (fitting) return fitting;
  const others = candidates.map((part) => `${basename(part.file)} has ${part.config[size]}`);
  throw new AppError(
    'not-found',
    `${what[0]!.toUpperCase()}${what.slice(1)} of ${expected} channels is missing${others.length ? `: ${others.join(', ')}` : ''}.`,
    {
      hint: `Put its file into ${place} of ComfyUI's models, or beside the transformer, or name it (--${kind === 'vae' ? 'vae' : 'text-encoder'} FILE).`,
    },
  );
}

/** The tokenizer that the text encoder brings along, or another file of the same vocabulary, or that lies in a folder of its own. */
async function tokenizerComponent(
  text: Found,
  found: readonly Found[],
  around: Surroundings,
  { tokenizer }: GatherRequest,
) {
  const folder = tokenizer ?? (text.tokenizer ? undefined : await findTokenizer(around.folders));
  const configName = 'tokenizer_config.json';
  if (folder) {
    const read = (name: string) => readFile(join(folder, name), 'utf8');
    const content = await read('tokenizer.json').catch((cause: unknown) => {
      throw new AppError('not-found', `${folder} holds no tokenizer.json.`, { cause });
    });
    const config = await read(configName).catch(() => '{}');
    return { name: 'tokenizer', configName, config, files: [{ name: 'tokenizer.json', content }] };
  }
  const pieces =
    text.tokenizer ??
    found.find((part) => part.tokenizer && part.config.vocab_size === text.config.vocab_size)?.tokenizer;
  if (!pieces)
    throw new AppError('not-found', `${text.file} brings no tokenizer along, and none lies beside it.`, {
      hint: "Name the folder of UMT5-XXL's tokenizer.json (--tokenizer FOLDER; google/umt5-xxl in Wan's own repositories), or take ComfyUI's edition of the text encoder.",
    });
  if (pieces.pieces.length > Number(text.config.vocab_size))
    throw new AppError('damaged-file', `${text.file}: its tokenizer has more words than it has embeddings.`);
  const [words, config] = tokenizerFiles(pieces);
  return { name: 'tokenizer', configName, config: config!.content, files: [words!] };
}

/** A model goes by the name of its file; one called as all are by that of its folder. */
function nameOf(file: string, isPair: boolean): string {
  const stem = basename(file).replace(/\.(safetensors\.index\.json|safetensors|pth|pt|gguf)$/i, '');
  const folder = basename(dirname(file));
  const generic = /^(diffusion_pytorch_model|model)$/.test(stem);
  const name = generic ? (isPair ? basename(dirname(dirname(file))) : folder) : stem;
  const plain = isPair ? name.replace(/[-_ ]?(high|low)[-_ ]?(noise)?/i, '') : name;
  return plain.replace(/[^\w.-]+/g, '-') || 'wan';
}

async function checkFree(directory: string, file: string): Promise<void> {
  if (!(await exists(directory))) return;
  const link = await readWeightsLink(join(directory, 'transformer')).catch(() => undefined);
  throw new AppError(
    'conflict',
    link?.file === resolve(file)
      ? `${file} was added already, as ${basename(directory)}.`
      : `There is a model ${basename(directory)} already.`,
    { hint: `Remove it first (motif models remove ${basename(directory)}), or rename the file.` },
  );
}

/** UniPC as the published pipelines have it. */
function scheduler(flowShift: number) {
  return {
    _class_name: 'UniPCMultistepScheduler',
    final_sigmas_type: 'zero',
    flow_shift: flowShift,
    lower_order_final: true,
    num_train_timesteps: 1000,
    predict_x0: true,
    prediction_type: 'flow_prediction',
    solver_order: 2,
    solver_type: 'bh2',
    timestep_spacing: 'linspace',
    use_flow_sigmas: true,
  };
}
