import type { LoraDialect } from '../../../shared/domain/export.ts';

/**
 * Names of Wan's linear layers: as diffusers says them (`blocks.0.attn1.to_q`) and as the original code does (`blocks.0.self_attn.q`),
 * on which ComfyUI's and kohya's dialects of LoRA files are built (kohya's with underscores for dots).
 */
const attention = { q: 'to_q', k: 'to_k', v: 'to_v', o: 'to_out.0', k_img: 'add_k_proj', v_img: 'add_v_proj' };

/** Original name -> diffusers name, within a block. */
const blockNames = new Map<string, string>([
  ...Object.entries(attention).map(([o, d]) => [`self_attn.${o}`, `attn1.${d}`] as const),
  ...Object.entries(attention).map(([o, d]) => [`cross_attn.${o}`, `attn2.${d}`] as const),
  ['ffn.0', 'ffn.net.0.proj'],
  ['ffn.2', 'ffn.net.2'],
]);

/** Original name -> diffusers name, outside the blocks. */
const otherNames = new Map<string, string>([
  ['text_embedding.0', 'condition_embedder.text_embedder.linear_1'],
  ['text_embedding.2', 'condition_embedder.text_embedder.linear_2'],
  ['time_embedding.0', 'condition_embedder.time_embedder.linear_1'],
  ['time_embedding.2', 'condition_embedder.time_embedder.linear_2'],
  ['time_projection.1', 'condition_embedder.time_proj'],
  ['head.head', 'proj_out'],
]);

const invert = (names: Map<string, string>) => new Map([...names].map(([a, b]) => [b, a]));
const originalBlockNames = invert(blockNames);
const originalOtherNames = invert(otherNames);
const underscored = (name: string) => name.replaceAll('.', '_');
const byUnderscores = (names: Map<string, string>) => new Map([...names].map(([a, b]) => [underscored(a), b]));
const kohyaBlockNames = byUnderscores(blockNames);
const kohyaOtherNames = byUnderscores(otherNames);

/** What a key of a LoRA file is: one part of the change of the layer at `path` (a diffusers path). */
export type LoraKey = { dialect: LoraDialect; path: string; part: 'down' | 'up' | 'alpha' };

const parts: [ending: string, part: LoraKey['part']][] = [
  ['.lora_A.weight', 'down'],
  ['.lora_B.weight', 'up'],
  ['.lora_A.default.weight', 'down'],
  ['.lora_B.default.weight', 'up'],
  ['.lora_down.weight', 'down'],
  ['.lora_up.weight', 'up'],
  ['.lora.down.weight', 'down'],
  ['.lora.up.weight', 'up'],
  ['.alpha', 'alpha'],
];

/** Reads a key of any dialect; undefined when it is none of Wan's. */
export function parseLoraKey(key: string): LoraKey | undefined {
  const found = parts.find(([ending]) => key.endsWith(ending));
  if (!found) return undefined;
  const [ending, part] = found;
  const stem = key.slice(0, -ending.length);
  for (const [prefix, dialect, translate] of dialects) {
    if (!stem.startsWith(prefix)) continue;
    const path = translate(stem.slice(prefix.length));
    if (path) return { dialect, path, part };
  }
  return undefined;
}

const dialects: [prefix: string, LoraDialect, translate: (name: string) => string | undefined][] = [
  ['diffusion_model.', 'comfyui', (name) => fromOriginal(name) ?? fromDiffusers(name)],
  ['lora_unet_', 'kohya', fromKohya],
  ['base_model.model.', 'diffusers', fromDiffusers],
  ['transformer.', 'diffusers', (name) => fromDiffusers(name)],
  ['', 'diffusers', fromDiffusers],
];

function fromOriginal(name: string): string | undefined {
  const [, block, rest] = /^blocks\.(\d{1,4})\.(.+)$/.exec(name) ?? [];
  if (!rest) return otherNames.get(name);
  const inside = blockNames.get(rest);
  return inside && `blocks.${block}.${inside}`;
}

function fromKohya(name: string): string | undefined {
  const [, block, rest] = /^blocks_(\d{1,4})_(.+)$/.exec(name) ?? [];
  if (!rest) return kohyaOtherNames.get(name);
  const inside = kohyaBlockNames.get(rest);
  return inside && `blocks.${block}.${inside}`;
}

function fromDiffusers(name: string): string | undefined {
  const path = name.startsWith('transformer.') ? name.slice('transformer.'.length) : name;
  return toOriginal(path) && path;
}

function toOriginal(path: string): string | undefined {
  const [, block, rest] = /^blocks\.(\d{1,4})\.(.+)$/.exec(path) ?? [];
  if (!rest) return originalOtherNames.get(path);
  const original = originalBlockNames.get(rest);
  return original && `blocks.${block}.${original}`;
}

/** The keys of one layer in a dialect. Throws RangeError for a path that the dialect has no name for. */
export function loraKeys(path: string, dialect: LoraDialect): { down: string; up: string; alpha?: string } {
  if (dialect === 'diffusers')
    return { down: `transformer.${path}.lora_A.weight`, up: `transformer.${path}.lora_B.weight` };
  const original = toOriginal(path);
  if (!original) throw new RangeError(`the ${dialect} dialect has no name for the layer "${path}"`);
  if (dialect === 'comfyui')
    return { down: `diffusion_model.${original}.lora_A.weight`, up: `diffusion_model.${original}.lora_B.weight` };
  const stem = `lora_unet_${underscored(original)}`;
  return { down: `${stem}.lora_down.weight`, up: `${stem}.lora_up.weight`, alpha: `${stem}.alpha` };
}
