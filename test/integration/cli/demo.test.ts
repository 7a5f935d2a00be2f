import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadImage } from '@napi-rs/canvas';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { locateMediaTools } from '../../../main/media/locate.ts';
import { run } from '../../../main/media/run.ts';
import { createWorkplace, quickRecipe, type Workplace } from './command.ts';

let place: Workplace;
beforeAll(async () => {
  place = await createWorkplace('small');
});
afterAll(() => place.close());

test('the demo writes everything it promises, and run again takes over what is done', async () => {
  const output = join(place.folder, 'demo');
  const words = ['demo', await place.makeClip(), ...quickRecipe(), '--steps', '2', '-o', output];
  const prompt = 'a [v] test picture at night is moving in [u] motion';
  const { report } = await place.answer('demo', [...words, '--edit', prompt]);
  const videos = ['source', 'reconstruction', 'edit-1'];
  for (const slider of ['identity', 'motion'])
    for (const gain of ['0.00', '0.50', '1.00', '1.25', '1.50']) videos.push(`${slider}-${gain}`);
  for (const name of videos) expect(existsSync(join(output, `${name}.mp4`)), name).toBe(true);
  for (const name of ['concept.safetensors', 'report.json', 'report.md'])
    expect(existsSync(join(output, name)), name).toBe(true);
  expect(await readFile(join(output, 'loss.svg'), 'utf8')).toContain('stage II');
  const looks = ['sunset', 'night', 'snow', 'fog', 'neon'].map((name) => `looks/${name}.mp4`);
  expect(report.looks.map(({ file }: { file: string }) => file)).toEqual(looks);
  const { ffprobe } = await locateMediaTools();
  for (const file of [...looks, 'edit-1.mp4']) {
    const words = ['-v', 'error', '-show_entries', 'stream=width,height,r_frame_rate', '-of', 'csv=p=0'];
    expect((await run(ffprobe.path, [...words, join(output, file)])).output, file).toMatch(/^160,160,24\/1/);
  }
  const finishedAfter = report.looks.map((look: { finishedAfterSeconds: number }) => look.finishedAfterSeconds);
  expect(finishedAfter).toEqual(finishedAfter.toSorted((a: number, b: number) => a - b));
  expect(report.firstLookSeconds).toBe(finishedAfter[0]);
  expect(report.firstLookSeconds).toBeLessThan(report.seconds);
  expect(await readFile(join(output, 'report.md'), 'utf8')).toMatch(/First finished look: [\d.]+ s after the start/);
  const looksSheet = await loadImage(join(output, 'looks.png'));
  expect(looksSheet.height).toBeGreaterThan(6 * 200);
  const sheet = await loadImage(join(output, 'contact-sheet.png'));
  expect(sheet.height).toBeGreaterThan(13 * 100);
  expect(report.videos).toHaveLength(12);
  // As learned, a slider is the reconstruction.
  const errors = new Map(
    report.videos.map((video: { file: string; meanSquaredError: number }) => [video.file, video.meanSquaredError]),
  );
  expect(errors.get('identity-1.00.mp4')).toBe(errors.get('reconstruction.mp4'));

  const again = await place.answer('demo', [...words, '--edit', prompt]);
  expect(again.report.takenOver).toEqual(expect.arrayContaining(['the looks', 'the concept']));
  expect(again.report.concept.id).toBe(report.concept.id);
}, 600_000);
