import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWorkplace, type Workplace } from './command.ts';

let place: Workplace;
beforeAll(async () => {
  place = await createWorkplace();
});
afterAll(() => place.close());

const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
const names =
  process.platform === 'win32'
    ? ['onnxruntime.dll', 'onnxruntime_providers_cuda.dll', 'onnxruntime_providers_shared.dll']
    : [`libonnxruntime.so.${version}`, 'libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_shared.so'];

/** A stand-in for the wheel: its libraries are none, but name a version. */
function writeWheel(name: string, named: string): string {
  const zip = new AdmZip();
  for (const file of names) zip.addFile(`onnxruntime/capi/${file}`, Buffer.from(`stand-in\0${named}\0`));
  zip.writeZip(join(place.folder, name));
  return join(place.folder, name);
}

test('CUDA is installed from a wheel although the device that is asked for cannot be used yet', async () => {
  const wrong = await place.motif(['doctor', '--install', 'cuda', writeWheel('old.whl', '1.2.3'), '--device', 'cuda']);
  expect(wrong.code).toBe(1);
  expect(wrong.err).toMatch(new RegExp(`cannot be installed from .*not of version ${version.replaceAll('.', '\\.')}`));
  const { code, out } = await place.motif([
    'doctor',
    '--install',
    'cuda',
    writeWheel('new.whl', version),
    '--device',
    'cuda',
  ]);
  expect(out).toContain(`ONNX Runtime with CUDA ${version} is installed in ${join(place.home, 'cuda')}`);
  expect(readdirSync(join(place.home, 'cuda')).sort()).toEqual([...names].sort());
  // Stand-ins do not load, wherever the driver is; doctor goes on to say what is wrong.
  expect(code).toBe(1);
  expect(out).toMatch(/^BROKEN .*"cuda" cannot be used/m);
});
