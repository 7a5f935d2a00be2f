import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loadImage } from '@napi-rs/canvas';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWorkplace, type Workplace } from './command.ts';

const judge = resolve(import.meta.dirname, '../../golden/judge');
/** In a number of steps that a test can wait for. */
const small = ['--judge', judge, '--steps', '1', '--guidance', '1'];

let place: Workplace;
beforeAll(async () => {
  place = await createWorkplace('small');
});
afterAll(() => place.close());

test('evaluate model measures rendered scenes, real clips and prompts, and writes table, JSON and contact sheet', async () => {
  const clips = join(place.folder, 'clips');
  await mkdir(clips);
  await rename(await place.makeClip(), join(clips, 'moving.mp4'));
  const output = join(place.folder, 'model');
  const words = ['evaluate', 'model', ...small, '--seeds', '0..10', '--prompts', '2', '--world-clips', '1'];
  const { result, contactSheets } = await place.answer('evaluation', [...words, '--clips', clips, '-o', output]);
  const sets = result.autoencoder.map(({ set, psnr }: { set: string; psnr: { mean: number } }) => [set, psnr.mean > 5]);
  expect(sets).toEqual([
    ['world', true],
    ['real', true],
  ]);
  expect(result.textToVideo).toMatchObject({ prompts: 2, frechet: expect.any(Number) });
  expect(contactSheets).toEqual(['contact-sheet.png']);
  const sheet = await loadImage(join(output, 'contact-sheet.png'));
  expect(sheet.height).toBeGreaterThan(6 * 96);
  expect(JSON.parse(await readFile(join(output, 'evaluation.json'), 'utf8')).result).toEqual(result);

  const again = await place.motif([...words, '--clips', clips, '-o', output]);
  expect(again.code).toBe(0);
  expect(again.out).toMatch(/2 prompts, 1 test scenes, 1 real clips; sampled in 1 steps/);
  expect(again.out).toMatch(/with 4 parts of earlier runs/);
  expect(again.out).toMatch(/moving\.mp4 +1 +\d/);
}, 240_000);

test('evaluate finish finishes true edits of a test scene, and writes table, JSON and contact sheets', async () => {
  const output = join(place.folder, 'finish');
  const words = ['evaluate', 'finish', ...small, '--seeds', '0..9', '--details', '1,0.5', '-o', output];
  const { result, contactSheets } = await place.answer('evaluation', words);
  expect(
    result.rows.map(({ edit, keepDetail }: { edit: string; keepDetail: number }) => `${edit} ${keepDetail}`),
  ).toEqual(expect.arrayContaining(['perfect null', 'perfect 1', 'perfect 0.5', 'words null', 'words 1', 'words 0.5']));
  expect(contactSheets).toEqual(['contact-sheet.png']);
  const again = await place.motif(words);
  expect(again.out).toMatch(/1 test seeds \(0 to 0\), finished at 128 x 128/);
  expect(again.out).toMatch(/finished, detail 0\.5 +\d/);
  expect((await place.motif([...words, '--details', '2'])).err).toMatch(/Expected numbers from 0 to 1/);
}, 240_000);

test('evaluate concept learns, edits and moves the sliders of a test scene, and Ctrl-C loses nothing', async () => {
  const output = join(place.folder, 'concept');
  const recipe = ['--steps-identity', '1', '--steps-motion', '1', '--rank', '2', '--without', 'prior'];
  const range = ['--seeds', '10..19', '--gains', '0', '--no-lora', '-o', output];
  const words = ['evaluate', 'concept', ...small, ...recipe, ...range];
  let pressed = false;
  const stopped = await place.motif([...words, '--json'], (line, child) => {
    // Once: a second Ctrl-C ends the program on the spot.
    if (line.type === 'progress' && line.progress.phase.includes('concept: learning') && !pressed) {
      pressed = true;
      child.kill('SIGINT');
    }
  });
  expect(stopped.code).not.toBe(0);
  expect(stopped.lines.at(-1)).toMatchObject({ type: 'error', error: { code: 'cancelled' } });
  for (const method of ['base', 'words']) expect(existsSync(join(output, `seed-000010/${method}.json`))).toBe(true);
  const phases = stopped.lines.filter(({ type }) => type === 'progress').map(({ progress }) => progress.phase);
  expect(phases).toEqual(expect.arrayContaining([expect.stringMatching(/^seed 10, words: edit \w+, sample$/)]));
  expect(existsSync(join(output, 'evaluation.json'))).toBe(false);

  const { result } = await place.answer('evaluation', words);
  const row = ({ method, finished }: { method: string; finished: boolean }) =>
    finished ? `${method}, finished` : method;
  const makers = ['base', 'words', 'words, finished', 'concept', 'concept, finished'];
  expect(result.methods.map(row)).toEqual(['truth', 'autoencoder', ...makers]);
  expect(result.kinds.filter(({ kind }: { kind: string }) => kind === 'light').map(row)).toEqual(['truth', ...makers]);
  expect(result.sheet.map(({ label }: { label: string }) => label)).toContain('edit light: words, finished');
  expect(result.sliders).toHaveLength(2);
  expect(existsSync(join(output, 'seed-000010.json'))).toBe(true);
  expect(existsSync(join(output, 'contact-sheet.png'))).toBe(true);
  const table = await readFile(join(output, 'evaluation.txt'), 'utf8');
  expect(table).toMatch(/1 test seeds \(10 to 10\), learned in 1 \+ 1 steps/);
  expect(table).toMatch(/set-and-sequence, rank 2 +\d+ ?/);
  expect(table).toMatch(/words alone, finished +\d+ /);
}, 240_000);

test('evaluate table2 learns rows at equal processor time and writes report, CSV and JSON; Ctrl-C loses nothing', async () => {
  const output = join(place.folder, 'tables');
  const few = ['--fast', '--rows', 'base,dreammix', '--scenes', '1', '--noise-seeds', '1', '--effort', '0.002'];
  const tiny = ['--judge', judge, '--size', '32x32', '--frames', '5', '--steps', '1'];
  const words = ['evaluate', 'table2', ...few, ...tiny, '-o', output];
  let pressed = false;
  const stopped = await place.motif([...words, '--json'], (line, child) => {
    if (line.type === 'progress' && line.progress.phase.includes('dreammix: learning') && !pressed) {
      pressed = true;
      child.kill('SIGINT');
    }
  });
  expect(stopped.lines.at(-1)).toMatchObject({ type: 'error', error: { code: 'cancelled' } });
  expect(existsSync(join(output, 'table2'))).toBe(false);

  const { result, folder, files } = await place.answer('table', words);
  // Two timings, the truth and the model itself.
  expect(result).toMatchObject({ takenOver: 4, unfinished: 0, first: 'dreammix' });
  expect(files).toEqual(['report.html', 'table.csv', 'table.md', 'table.json']);
  const report = await readFile(join(folder, 'report.html'), 'utf8');
  expect(report).toMatch(/<img src="data:image\/webp;base64,/);
  expect(report).not.toMatch(/<script|https?:\/\//);
  expect(JSON.parse(await readFile(join(folder, 'table.json'), 'utf8')).result).toEqual(result);
  expect(await readFile(join(folder, 'table.csv'), 'utf8')).toMatch(/\r\nnoise,dreammix,Dreamix,trueError,0\.\d/);
}, 240_000);

test('wrong use is told before anything is computed', async () => {
  for (const [words, said] of [
    [['model', '--seeds', '1..9'], /no test seed/],
    [['concept', '--seeds', '9..1'], /FIRST\.\.LAST/],
    [['concept', '--gains', 'a'], /Expected numbers/],
    [['table3'], /unknown command 'table3'/],
    [['table2', '--hours', '0'], /Expected hours above 0/],
    [['table2', '--rows', ' '], /Expected names of rows/],
  ] as const) {
    const { code, err } = await place.motif(['evaluate', ...words]);
    expect(code).toBe(2);
    expect(err).toMatch(said);
  }
  const output = join(place.folder, 'no-judge');
  const { code, err } = await place.motif(['evaluate', 'model', '--judge', place.folder, '-o', output]);
  expect(code).toBe(1);
  expect(err).toMatch(/There is no judge in .*config\.json and model\.safetensors missing/);
}, 60_000);
