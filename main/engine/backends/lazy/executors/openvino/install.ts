import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../../../../../../shared/ipc/result.ts';
import { placeWhole } from '../../../../../files/place.ts';
import { copyFiles, takeFiles } from '../take-files.ts';
import { loadOpenVino } from './binding.ts';
import { findOpenVino, isSupportedVersion } from './locate.ts';

/**
 * What is needed of an archive: the libraries but for those of other devices and of formats that Motif does
 * not read, and the licences.
 */
const libraryFile =
  /^(lib)?(openvino|openvino_c|openvino_onnx_frontend|openvino_intel_cpu_plugin|tbb\w*|hwloc)(\.so[\d.]*|(\.[\d.]+)?\.dylib|\.dll)$|^plugins\.xml$/;
const libraryFolder = /(^|[\\/])(openvino[\\/]libs|libs|runtime[\\/](lib|bin|3rdparty)[\\/].*)$/;
const licence = /(^|[\\/])(licensing|licenses)([\\/]|$)|(^|[\\/])LICENSE[^\\/]*$/i;

/**
 * Copies OpenVINO out of `source` (its official archive, a Python wheel, or a folder where either was
 * unpacked) into `target`, which it replaces only when the copy loads. Answers the version. Throws
 * `invalid-input` for a source without a library that works here.
 */
export async function installOpenVino(source: string, target: string): Promise<{ version: string; folder: string }> {
  return placeWhole(target, async (staging) => {
    await takeFiles(source, staging, {
      // A folder that is named may be the folder of libraries itself.
      placeOf: (path) => placeOf(path) ?? placeOf(join('openvino', 'libs', path)),
      unusable: (reason) => unusable(source, reason),
    });
    await takeLicencesBeside(source, staging);
    const found = await findOpenVino({ MOTIF_OPENVINO: staging });
    if (!found) throw unusable(source, 'There is no OpenVINO library for this system in it.');
    return { version: versionOf(found.path, source), folder: target };
  });
}

function versionOf(library: string, source: string): string {
  let version: string;
  try {
    ({ version } = loadOpenVino(library));
  } catch (error) {
    throw unusable(source, `Its library does not load: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isSupportedVersion(version)) throw unusable(source, `It is version ${version}; 2025.0 or newer is needed.`);
  return version;
}

function unusable(source: string, reason: string): AppError {
  return new AppError('invalid-input', `OpenVINO cannot be installed from ${source}. ${reason}`, {
    hint: "Name the official archive of OpenVINO's runtime, a Python wheel (pip download openvino), or a folder where one was unpacked.",
  });
}

/** Where a file of an archive goes, libraries side by side; undefined for what is not needed. */
function placeOf(path: string): string | undefined {
  const name = basename(path);
  if (libraryFile.test(name) && libraryFolder.test(dirname(path))) return name;
  if (licence.test(path)) return join('licences', name);
  return undefined;
}

/** The licences of a Python package that is a folder lie beside it. */
async function takeLicencesBeside(source: string, target: string): Promise<void> {
  if (basename(source) !== 'openvino') return;
  for (const sibling of await readdir(dirname(source)).catch(() => []))
    if (/^openvino-[\d.]+\.dist-info$/.test(sibling)) await copyFiles(join(dirname(source), sibling), target, placeOf);
}
