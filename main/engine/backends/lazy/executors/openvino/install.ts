import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import AdmZip from 'adm-zip';
import { AppError } from '../../../../../../shared/ipc/result.ts';
import { placeWhole } from '../../../../../files/place.ts';
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
  const kind = await stat(source).catch(() => {
    throw unusable(source, 'It does not exist.');
  });
  return placeWhole(target, async (staging) => {
    await mkdir(staging);
    if (kind.isDirectory()) await copyFolder(source, staging);
    else if (/\.(whl|zip)$/i.test(source)) await unzip(source, staging);
    else if (/\.(tgz|tar\.gz)$/i.test(source)) await untar(source, staging);
    else throw unusable(source, 'It is neither a folder nor a .whl, .zip or .tgz file.');
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

/** Links are copied as links: those of libraries lead to a file beside them. */
async function copyFolder(source: string, target: string): Promise<void> {
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    // The folder named may be the folder of libraries itself.
    const place =
      placeOf(join('openvino', 'libs', path.slice(source.length + 1))) ?? placeOf(path.slice(source.length + 1));
    if (place === undefined) continue;
    await mkdir(dirname(join(target, place)), { recursive: true });
    await cp(path, join(target, place), { verbatimSymlinks: true });
  }
  // The licences of a Python package lie beside it.
  for (const sibling of await readdir(dirname(source)).catch(() => [])) {
    if (/^openvino-[\d.]+\.dist-info$/.test(sibling) && basename(source) === 'openvino')
      await copyFolder(join(dirname(source), sibling), target);
  }
}

async function unzip(source: string, target: string): Promise<void> {
  let zip: AdmZip;
  try {
    zip = new AdmZip(source);
  } catch (error) {
    throw unusable(source, `It is damaged: ${error instanceof Error ? error.message : String(error)}`);
  }
  for (const entry of zip.getEntries()) {
    const place = entry.isDirectory ? undefined : placeOf(entry.entryName.replaceAll('/', sep));
    if (place === undefined) continue;
    await mkdir(dirname(join(target, place)), { recursive: true });
    await writeFile(join(target, place), entry.getData());
  }
}

/** Every system that has such archives has `tar`. */
async function untar(source: string, target: string): Promise<void> {
  const unpacked = await mkdtemp(`${target}-unpacked-`);
  try {
    await promisify(execFile)('tar', ['-xzf', source, '-C', unpacked], { windowsHide: true }).catch((error: Error) => {
      throw unusable(source, `It is damaged: ${error.message}`);
    });
    await copyFolder(unpacked, target);
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}
