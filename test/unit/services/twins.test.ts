import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Services } from '../../../main/services/services.ts';
import { makeTempFolder } from '../../fixtures/library.ts';
import { addClips, makeResources, openTestServices } from '../../fixtures/services.ts';

let folder: string;
let services: Services;

beforeEach(async () => {
  folder = makeTempFolder('twins');
  addClips(folder, 'river-1a2b', 'hawk-3c4d');
  const resources = makeResources(folder);
  mkdirSync(join(resources, 'models/motif-twin'));
  writeFileSync(join(resources, 'models/motif-twin/config.json'), '{}');
  services = await openTestServices(folder, { resources });
});
afterEach(async () => {
  await services.close();
  rmSync(folder, { recursive: true });
});

const both = { structureClipId: 'river', dynamicsClipId: 'hawk' };
const pixels = async (request: object) => {
  const { frames } = await services.call['twins.reenact']({ ...both, ...request });
  const [left, , , ...rest] = readFileSync(services.library.absolutePath(frames.file));
  return [left, rest.at(-1)];
};

it('says which network takes clips apart, or that there is none', async () => {
  expect(await services.call['twins.describe']({})).toMatchObject({ twin: { name: 'fake', disentangled: true } });
  rmSync(join(folder, 'resources/models/motif-twin'), { recursive: true });
  expect(await services.call['twins.describe']({})).toEqual({ twin: null });
  await expect(services.call['twins.reenact'](both)).rejects.toMatchObject({ code: 'not-found' });
});

it('asks the engine with the strengths of the view, and keeps what came among the previews', async () => {
  const first = await services.call['twins.reenact'](both);
  expect(first).toMatchObject({
    cached: false,
    frames: { file: expect.stringMatching(/^previews\/\w+\/frames\.rgb$/) },
  });
  expect(await services.call['twins.reenact'](both)).toMatchObject({ cached: true, frames: first.frames });
  // The fake engine draws the strength of the structure on the left, of the dynamics on the right, 1.5 as white.
  expect(await pixels({ strengths: { structure: 1.5, dynamics: 0.75 } })).toEqual([255, 127]);
  expect(await pixels({ strengths: { structure: 1.5, dynamics: 0.75 }, view: 'structure' })).toEqual([255, 0]);
  expect(await pixels({ strengths: { structure: 0, dynamics: 1.5 }, view: 'structure' })).toEqual([170, 0]);
  expect(await pixels({ strengths: { structure: 1, dynamics: 1.5 }, view: 'dynamics' })).toEqual([0, 255]);
});

it('refuses clips that are not there, and strengths that make nothing', async () => {
  const missing = services.call['twins.reenact']({ ...both, dynamicsClipId: 'nobody' });
  await expect(missing).rejects.toMatchObject({ code: 'not-found' });
  const nothing = services.call['twins.reenact']({ ...both, strengths: { structure: 0, dynamics: 0 } });
  await expect(nothing).rejects.toMatchObject({ code: 'invalid-input' });
});
