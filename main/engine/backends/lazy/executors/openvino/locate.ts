import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { pythonPackage } from '../python-package.ts';

export interface FoundLibrary {
  /** Full path of libopenvino_c. */
  path: string;
  /** For people: where the search found it. */
  where: string;
}

const libraryName = /^(lib)?openvino_c(\.so(\.\d+)*|(\.\d+)*\.dylib|\.dll)$/;
const systemFolders: Partial<Record<NodeJS.Platform, string[]>> = {
  linux: [
    '/usr/lib/x86_64-linux-gnu',
    '/usr/lib/aarch64-linux-gnu',
    '/usr/lib64',
    '/usr/lib',
    '/usr/local/lib',
    '/opt/intel/openvino/runtime/lib/intel64',
  ],
  darwin: ['/opt/homebrew/opt/openvino/lib', '/usr/local/opt/openvino/lib'],
  win32: [
    'C:/Program Files (x86)/Intel/openvino/runtime/bin/intel64/Release',
    'C:/Program Files/Intel/openvino/runtime/bin/intel64/Release',
  ],
};

/**
 * OpenVINO's C library, in the order: MOTIF_OPENVINO (a folder), `installed` (Motif's own copy), system and Homebrew folders, the
 * `openvino` package of the Python on the path. One that its name tells to be too old is only answered where there is no other, and that
 * in MOTIF_OPENVINO whatever it is. Undefined when there is none.
 */
export async function findOpenVino(
  environment: NodeJS.ProcessEnv = process.env,
  installed?: string,
): Promise<FoundLibrary | undefined> {
  const named = environment.MOTIF_OPENVINO;
  if (named) return inFolder(named, 'MOTIF_OPENVINO');
  const candidates: [folder: string, where: string][] = [
    ...(installed ? [[installed, "Motif's own copy"] as [string, string]] : []),
    ...(systemFolders[process.platform] ?? []).map((folder): [string, string] => [folder, 'the system']),
    ...(environment.LD_LIBRARY_PATH ?? '')
      .split(delimiter)
      .filter(Boolean)
      .map((folder): [string, string] => [folder, 'LD_LIBRARY_PATH']),
  ];
  let old: FoundLibrary | undefined;
  for (const [folder, where] of candidates) {
    const found = await inFolder(folder, where);
    if (found && !isOldByName(found.path)) return found;
    old ??= found;
  }
  return (await inPython()) ?? old;
}

/** libopenvino_c.so.2460 is version 2024.6.0. */
function isOldByName(path: string): boolean {
  const [, year] = /libopenvino_c\.(?:so\.)?(\d\d)\d\d+(?:\.dylib)?$/.exec(path) ?? [];
  return year !== undefined && !isSupportedVersion(`20${year}`);
}

/** The library directly in `folder`, or where the official archive and the Python package keep it below it. */
async function inFolder(folder: string, where: string): Promise<FoundLibrary | undefined> {
  for (const below of [
    '',
    'libs',
    'openvino/libs',
    'runtime/lib/intel64',
    'runtime/lib/aarch64',
    'runtime/bin/intel64/Release',
  ]) {
    const names = await readdir(join(folder, below)).catch(() => []);
    // The longest name carries the whole version; the shorter ones are links to it, where they exist.
    const name = names.filter((candidate) => libraryName.test(candidate)).sort((a, b) => b.length - a.length)[0];
    if (name) return { path: join(folder, below, name), where };
  }
  return undefined;
}

async function inPython(): Promise<FoundLibrary | undefined> {
  for (const { folder, python } of await pythonPackage('openvino')) {
    const found = await inFolder(folder, `the openvino package of ${python}`);
    if (found) return found;
  }
  return undefined;
}

/** "2026.4.1-22982-..." -> whether it is 2025.0 or newer. */
export function isSupportedVersion(version: string): boolean {
  return Number(version.split('.')[0]) >= 2025;
}
