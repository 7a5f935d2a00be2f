import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '../../../../../../shared/ipc/result.ts';
import { placeWhole } from '../../../../../files/place.ts';
import { runtimeVersion } from '../onnxruntime/native-session.ts';
import { takeFiles } from '../take-files.ts';
import { findProvider, providerFiles } from './locate.ts';

const licence = /^(LICENSE|ThirdPartyNotices)[^\\/]*$/i;

/**
 * Copies ONNX Runtime with its CUDA provider out of `source` (the Python wheel `onnxruntime-gpu`, an archive of ONNX Runtime's releases, or
 * a folder where either was unpacked) into `target`, which it replaces only when all of it is there, and of the version that computes on the
 * processor, so that both read the same graphs. Throws `invalid-input` for a source that does not fit.
 */
export async function installCuda(
  source: string,
  target: string,
  version = runtimeVersion(),
): Promise<{ version: string; folder: string }> {
  const unusable = (reason: string) =>
    new AppError('invalid-input', `CUDA cannot be installed from ${source}. ${reason}`, {
      hint: `Name the Python wheel (pip download --no-deps onnxruntime-gpu==${version}), or a folder where one was unpacked.`,
    });
  return placeWhole(target, async (staging) => {
    await takeFiles(source, staging, { placeOf, unusable });
    const found = await findProvider({ MOTIF_CUDA: staging });
    if (!found) throw unusable("ONNX Runtime's CUDA provider for this system is not in it.");
    for (const name of (await readdir(staging)).filter(isLibrary).filter((name) => !/_shared\./.test(name)))
      if (!(await holdsVersion(join(staging, name), version)))
        throw unusable(`Its ${name} is not of version ${version}, which Motif computes with.`);
    return { version, folder: target };
  });
}

const isLibrary = (name: string) => providerFiles.some((file) => file.test(name));

function placeOf(path: string): string | undefined {
  const name = basename(path);
  if (isLibrary(name)) return name;
  return licence.test(name) ? join('licences', name) : undefined;
}

/** Whether a library names a version: a text of its own among its constants. Loading it would say so too, but keep its file open. */
async function holdsVersion(file: string, version: string): Promise<boolean> {
  return (await readFile(file)).includes(`\0${version}\0`);
}
