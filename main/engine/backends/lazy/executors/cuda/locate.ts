import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pythonPackage } from '../python-package.ts';

export interface FoundProvider {
  /** Full path of ONNX Runtime's library, beside which its CUDA provider lies. */
  path: string;
  /** For people: where the search found it. */
  where: string;
}

/** ONNX Runtime, its CUDA provider, and what stands between them: three libraries of one build. */
export const providerFiles =
  process.platform === 'win32'
    ? [/^onnxruntime\.dll$/, /^onnxruntime_providers_cuda\.dll$/, /^onnxruntime_providers_shared\.dll$/]
    : [/^libonnxruntime\.so(\.\d+)*$/, /^libonnxruntime_providers_cuda\.so$/, /^libonnxruntime_providers_shared\.so$/];

/**
 * ONNX Runtime with its CUDA provider, in the order: MOTIF_CUDA (a folder), `installed` (Motif's own copy), the `onnxruntime-gpu` package
 * of the Python on the path. Undefined when there is none.
 */
export async function findProvider(
  environment: NodeJS.ProcessEnv = process.env,
  installed?: string,
): Promise<FoundProvider | undefined> {
  const named = environment.MOTIF_CUDA;
  if (named) return inFolder(named, 'MOTIF_CUDA');
  const own = installed && (await inFolder(installed, "Motif's own copy"));
  if (own) return own;
  for (const { folder, python } of await pythonPackage('onnxruntime')) {
    const found = await inFolder(join(folder, 'capi'), `the onnxruntime-gpu package of ${python}`);
    if (found) return found;
  }
  return undefined;
}

async function inFolder(folder: string, where: string): Promise<FoundProvider | undefined> {
  const names = await readdir(folder).catch(() => []);
  // The longest name carries the whole version; the shorter ones are links to it, where they exist.
  const found = providerFiles.map((file) =>
    names.filter((name) => file.test(name)).sort((a, b) => b.length - a.length),
  );
  const [runtime] = found[0]!;
  return runtime !== undefined && found.every(({ length }) => length > 0)
    ? { path: join(folder, runtime), where }
    : undefined;
}
