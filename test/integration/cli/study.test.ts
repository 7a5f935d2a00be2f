import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeStudyFolder } from '../../fixtures/study-folder.ts';
import { createWorkplace, type Line, type Workplace } from './command.ts';

let place: Workplace;
let edits: string;
beforeAll(async () => {
  place = await createWorkplace();
  edits = join(place.folder, 'edits');
  const measures = (words: number) => ({ words });
  await writeStudyFolder(edits, {
    measures: { 'gold-standard': measures(3), 'silver-medal': measures(2), 'bronze-age': measures(1) },
  });
}, 120_000);
afterAll(() => place.close());

test('a study is made, served to a rater until Ctrl-C, and tells what came out, with the judge named as that', {
  timeout: 120_000,
}, async () => {
  const { study } = await place.answer('study', ['study', 'create', edits, '--name', 'Colours', '--items', '6']);
  expect(study).toMatchObject({ name: 'Colours', items: 11 });

  let answered: Promise<Response> | undefined;
  const served = await place.motif(['study', 'serve', 'colours', '--json'], (line: Line, child) => {
    if (line.type !== 'serving') return;
    answered = fetch(line.links[0]).finally(() => child.kill('SIGINT'));
  });
  expect(served.code).toBe(0);
  const page = await answered!;
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<div id="app">')]);

  const people = await place.motif(['study', 'results', 'Colours']);
  expect(people.out).toContain('0 raters count, 0 left out');
  expect(people.out).not.toContain('JUDGE');
  const judge = await place.motif(['study', 'results', 'Colours', '--stand-in']);
  expect(judge.out).toContain('JUDGE, NOT PEOPLE');
  expect(judge.out).toMatch(/follows the words +Label of silver-medal +100% \(\d+ to 100\)/);
  expect(judge.out).toMatch(/same motion as in the source +Label of silver-medal +- /);
  const { results } = await place.answer('study-results', ['study', 'results', 'Colours', '--stand-in']);
  expect(results).toMatchObject({ standIn: true, raters: [] });
  expect((await place.motif(['study', 'list'])).out).toMatch(/Colours +11 +0 \(0 finished\)/);
});

test('wrong use and folders without edits are refused with a reason', { timeout: 120_000 }, async () => {
  const one = await place.motif(['study', 'create', edits, '--methods', 'gold-standard']);
  expect([one.code, one.err]).toEqual([2, expect.stringContaining('names of two methods or more')]);
  const empty = await place.motif(['study', 'create', place.folder]);
  expect([empty.code, empty.err]).toEqual([1, expect.stringContaining('study.json')]);
  const none = await place.motif(['study', 'results', 'nothing']);
  expect([none.code, none.err]).toEqual([1, expect.stringContaining('There is no study "nothing"')]);
});
