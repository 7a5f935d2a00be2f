import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { exists } from '../../../../files/file-names.ts';

/** The folders of ComfyUI's `models` that hold parts of video models, under their older names too. */
const comfyFolders = ['diffusion_models', 'unet', 'unet_gguf', 'vae', 'text_encoders', 'clip'];

const transformerFolders = /^(diffusion_models|unet|unet_gguf)$/;

const isCheckpoint = (name: string) => /\.(safetensors|pth|pt|gguf|safetensors\.index\.json)$/i.test(name);
const isShard = (name: string) => /-\d{5}-of-\d{5}\.safetensors$/i.test(name);

const maximumDepth = 4;
const maximumFiles = 5000;

/** Where the parts of a model may be. */
export interface Surroundings {
  /** Every file of weights there. */
  files: string[];
  /** Those that whoever pointed there may have meant as transformers. */
  transformers: string[];
  /** Folders that may hold a tokenizer. */
  folders: string[];
}

/**
 * The files around what was pointed at: of a file, those of the ComfyUI `models` folder above it or else of its own folder; of a folder,
 * those within it.
 */
export async function lookAround(path: string): Promise<Surroundings> {
  const isFile = (await stat(path)).isFile();
  const start = isFile ? dirname(path) : path;
  const comfy = await comfyAbove(start);
  const root = comfy ?? start;
  const found = { files: [] as string[], folders: [root] };
  if (comfy) for (const name of comfyFolders) await collect(join(comfy, name), found, 0);
  else await collect(root, found, 0);
  const within = found.files.filter((file) => file.startsWith(join(path, '/')));
  const transformers = isFile
    ? [path]
    : comfy && comfy !== path && within.length > 0
      ? within
      : found.files.filter((file) => !comfy || transformerFolders.test(folderBelow(comfy, file)));
  return { ...found, transformers };
}

const folderBelow = (root: string, file: string) => file.slice(root.length + 1).split(/[/\\]/)[0] ?? '';

/** ComfyUI's `models` folder: this one, one within it, or one of the next three above. */
async function comfyAbove(folder: string): Promise<string | undefined> {
  const candidates = [folder, join(folder, 'models')];
  for (let above = dirname(folder), steps = 0; steps < 3 && above !== dirname(above); above = dirname(above), steps++)
    candidates.push(above);
  for (const candidate of candidates) {
    const names: string[] = await readdir(candidate).catch(() => []);
    const known = comfyFolders.filter((name) => names.includes(name));
    if (known.some((name) => transformerFolders.test(name)) && known.length > 1) return candidate;
  }
  return undefined;
}

async function collect(folder: string, found: Pick<Surroundings, 'files' | 'folders'>, depth: number): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || found.files.length >= maximumFiles) continue;
    const path = join(folder, entry.name);
    const info = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry; // large files are often linked from elsewhere
    if (info?.isDirectory() && depth < maximumDepth) {
      found.folders.push(path);
      await collect(path, found, depth + 1);
    } else if (info?.isFile() && isCheckpoint(entry.name) && !isShard(entry.name)) found.files.push(path);
  }
}

/** A folder with a UMT5's tokenizer as transformers writes it, as Wan's own repositories have it in `google/umt5-xxl`. */
export async function findTokenizer(folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders)
    if (await exists(join(folder, 'tokenizer.json'))) {
      if (/umt5|tokenizer/i.test(basename(folder))) return folder;
    }
  return undefined;
}
