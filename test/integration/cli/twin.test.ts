import { existsSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { locateMediaTools } from '../../../main/media/locate.ts';
import { probe } from '../../../main/media/probe.ts';
import { createWorkplace, hashOf, type Workplace } from './command.ts';

/** A random network of six frames a chunk. */
const network = ['--twin', resolve(import.meta.dirname, '../../golden/vidtwin/full')];

/** 11 frames: two chunks, which overlap by one. */
const seconds = 1.3;

let place: Workplace;
let clip: string;
const at = (name: string) => join(place.folder, name);

beforeAll(async () => {
  place = await createWorkplace();
  clip = await place.makeClip('moving.mp4', 'testsrc2', seconds);
});
afterAll(() => place.close());

const size = async (file: string) => {
  const { width, height } = await probe(await locateMediaTools(), file);
  return [width, height];
};

test('writes a clip as a file, tells rate and PSNR, and makes a video of it again', async () => {
  const small = ['--size', '48x32', ...network];
  const told = await place.answer('twin', ['twin', 'encode', clip, '-o', at('clip.twin'), ...small]);
  expect(told).toMatchObject({ frameCount: 11, width: 48, height: 32, file: at('clip.twin') });
  expect(told.rate).toBeGreaterThan(0);
  expect(told.psnr).toBeGreaterThan(0);
  const { out } = await place.motif(['twin', 'encode', clip, '-o', at('again.twin'), ...small]);
  expect(out).toMatch(/rate [\d.]+ % of the pixels' numbers, PSNR [\d.]+ dB/);
  expect(await hashOf(at('again.twin'))).toBe(await hashOf(at('clip.twin')));
  await place.answer('decoded', ['twin', 'decode', at('clip.twin'), '-o', at('clip-again.mp4'), ...network]);
  expect(await size(at('clip-again.mp4'))).toEqual([48, 32]);
});

test('refuses to write over a file, a text for a video, and a folder without a network', async () => {
  const taken = await place.motif(['twin', 'encode', clip, '-o', at('clip.twin'), ...network]);
  expect(taken).toMatchObject({ code: 1, err: expect.stringContaining('--overwrite') });
  const text = await place.motif(['twin', 'encode', resolve('package.json'), '-o', at('text.twin'), ...network]);
  expect(text).toMatchObject({ code: 1, err: expect.stringContaining('not a video') });
  const nowhere = ['--twin', at('nowhere')];
  const none = await place.motif(['twin', 'encode', clip, '-o', at('none.twin'), ...nowhere]);
  expect(none).toMatchObject({ code: 1, err: expect.stringContaining('holds no twin autoencoder') });
  expect(existsSync(at('none.twin'))).toBe(false);
});

test('makes a video of the structure of one clip and the dynamics of another, in the size of the first', async () => {
  const other = await place.makeClip('bars.mp4', 'smptebars', seconds);
  const files = [clip, other, '-o', at('both.mp4')];
  await place.answer('reenacted', ['twin', 'reenact', ...files, '--size', '48x32', '--dynamics', '1.2', ...network]);
  expect(await size(at('both.mp4'))).toEqual([48, 32]);
  const wrong = await place.motif(['twin', 'reenact', ...files, '--dynamics', '1.7', ...network]);
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('from 0 to 1.5') });
});

test('trains on the clips of a folder, and says what came out', { timeout: 180_000 }, async () => {
  await mkdir(at('clips'));
  await cp(clip, at('clips/moving.mp4'));
  const from = ['--from', network[1]!, '--steps', '2', '--batch', '1', '--adversarial', '0'];
  const told = await place.answer('twin', ['twin', 'train', at('clips'), '-o', at('trained'), ...from]);
  expect(told).toMatchObject({ folder: at('trained'), steps: 2, measured: null });
  const config = JSON.parse(await readFile(at('trained/config.json'), 'utf8'));
  expect(config).toMatchObject({ method: 'VidTwin', name: 'micro', training: { steps: 2, clips: 1 } });
  expect(existsSync(at('trained.work'))).toBe(false);
  const nothing = await place.motif(['twin', 'train', '-o', at('empty')]);
  expect(nothing).toMatchObject({ code: 2, err: expect.stringContaining('--world') });
});

test('makes a video of words, in the latents of a network', async () => {
  const words = ['twin', 'generate', 'a dog on a beach', '--steps', '2', ...network];
  const own = ['--model', resolve(import.meta.dirname, '../../golden/model')];
  const generator = ['--generator', resolve(import.meta.dirname, '../../golden/twin-generator')];
  await place.answer('generated', [...words, '-o', at('words.mp4'), '--size', '48x32', ...own, ...generator]);
  expect(await size(at('words.mp4'))).toEqual([48, 32]);
  const none = await place.motif([...words, '-o', at('none.mp4'), ...own]);
  expect(none).toMatchObject({ code: 1, err: expect.stringContaining('--generator') });
  const other = await place.motif([...words, '-o', at('none.mp4'), ...generator]);
  expect(other).toMatchObject({ code: 1, err: expect.stringContaining('text encoder') });
  expect(existsSync(at('none.mp4'))).toBe(false);
});
