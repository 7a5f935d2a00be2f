import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { openLibrary } from '../../main/library/open.ts';
import { StudyStore } from '../../main/library/studies.ts';
import { studyText } from '../../renderer/text/study.ts';
import { type StudyQuestion, studyQuestion } from '../../shared/domain/study.ts';
import { Random } from '../../shared/statistics/random.ts';
import { studyResults } from '../../shared/study/results.ts';
import { useSmallModel } from '../fixtures/small-model.ts';
import { methodOfColour, type StudyMethod, studyMethods, writeStudyFolder } from '../fixtures/study-folder.ts';
import { inspectScreen } from './browser.ts';
import { type Editor, fillWithoutSamples, openForTest } from './open-for-test.ts';

/** What the raters of this test think of the methods, by question: differences are log odds. */
const truth: Record<StudyQuestion, Record<StudyMethod, number>> = {
  identity: { 'gold-standard': 2, 'silver-medal': 0, 'bronze-age': -2 },
  motion: { 'gold-standard': 0, 'silver-medal': 0, 'bronze-age': 0 },
  words: { 'gold-standard': -2, 'silver-medal': 0, 'bronze-age': 2 },
  overall: { 'gold-standard': 3, 'silver-medal': 0, 'bronze-age': -3 },
};
const questionOf = (asked: string) => studyQuestion.options.find((name) => studyText.page.questions[name] === asked)!;

/** No method, no kind of item, no name of a file that was compared. */
const telling = /\b(gold|silver|bronze)\b|label of|broken|mirror|attention/i;

/** Reads what is on screen as a person would, and answers by its taste; a careless one always takes the left. */
async function rate(page: Page, name: string, { careless = false, answers = Number.POSITIVE_INFINITY } = {}) {
  const random = new Random(`rater ${name}`);
  for (let given = 0; given < answers; given++) {
    const shown = await lookAt(page);
    if (shown === null) return;
    expect(shown.html).not.toMatch(telling);
    // All three at the same frame of the same loop.
    expect(new Set(shown.frames).size).toBe(1);
    const [left, right] = shown.colours.map((colour) => methodOfColour(colour!));
    const question = questionOf(shown.question);
    const strength = (method: string | undefined) =>
      method === 'source' ? 9 : (truth[question] as Record<string, number>)[method!]!;
    // A broken clip may have any colour, but beside it is the source.
    const isAttention = left === 'source' || right === 'source';
    const odds = isAttention ? (left === 'source' ? 99 : -99) : strength(left) - strength(right);
    const takesLeft = careless || random.uniform() < 1 / (1 + Math.exp(-odds));
    await page.keyboard.press(takesLeft ? '1' : '2');
    await page.waitForFunction(
      (before) => document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow') !== before,
      shown.done,
    );
  }
}

/** Null: everything is answered. */
async function lookAt(page: Page) {
  await page.waitForFunction(
    () => document.querySelectorAll('canvas[data-frame]').length === 3 || document.querySelector('.thanks'),
  );
  return page.evaluate(() => {
    if (document.querySelector('.thanks')) return null;
    const canvases = [...document.querySelectorAll('canvas')];
    const colours = canvases.slice(1).map((canvas) => [...canvas.getContext('2d')!.getImageData(2, 2, 1, 1).data]);
    return {
      colours,
      frames: canvases.map(({ dataset }) => dataset.frame),
      question: document.querySelector('.question')!.textContent!,
      done: document.querySelector('[role=progressbar]')!.getAttribute('aria-valuenow')!,
      html: document.documentElement.outerHTML,
    };
  });
}

async function openLink(context: BrowserContext, link: string, asked: string[]): Promise<Page> {
  const page = await context.newPage();
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(link);
  return page;
}

async function begin(page: Page, name: string): Promise<void> {
  await page.getByLabel('Name or code').fill(name);
  await page.getByRole('button', { name: 'Begin' }).click();
}

/** Makes a study in the window, and answers its link. */
async function makeStudy(editor: Editor): Promise<string> {
  const { page, folder, home, address } = editor;
  const edits = join(folder, 'edits');
  await writeStudyFolder(edits);
  await page.getByRole('button', { name: 'Blind studies' }).click();
  await page.getByLabel('Folder', { exact: true }).fill(edits);
  await page.getByLabel('Name, which raters see').fill('Which moves');
  await page.getByLabel('Pairs').fill('12');
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.getByText('17 items; 0 raters, 0 finished').waitFor();
  const library = openLibrary({ home, program: 'test', access: 'read' });
  const [study] = new StudyStore(library).list();
  library.close();
  return new URL(`/study/${study!.code}/`, address).href;
}

/** What axe and the sizes of windows find wrong; of a question also where a button is not in sight. */
async function inspect(page: Page, name: string): Promise<string[]> {
  const found = await inspectScreen(page, name);
  for (const size of [
    { width: 1440, height: 900 },
    { width: 1024, height: 640 },
  ]) {
    await page.setViewportSize(size);
    for (const button of await page.locator('.choice').all()) {
      const box = (await button.boundingBox())!;
      if (box.y + box.height > size.height) found.push(`a button of ${name} is out of sight at ${size.width}`);
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  return found;
}

it('several raters at once answer a study by its link, and their preferences are found, not knowing any method', async () => {
  const editor = await openForTest(useSmallModel, fillWithoutSamples);
  const link = await makeStudy(editor);
  const browser = editor.context.browser()!;
  const asked: string[] = [];
  const raters = ['Ann', 'Bo', 'Cem', 'Dee', 'Careless'];

  // Of people who have nothing but the link.
  const contexts = await Promise.all(raters.map(() => browser.newContext({ viewport: { width: 1440, height: 900 } })));
  const pages = await Promise.all(contexts.map((context) => openLink(context, link, asked)));
  const [ann] = pages;
  await ann!.getByText('You will see 17 pairs of clips').waitFor();
  expect(await inspect(ann!, 'study-start')).toEqual([]);
  await begin(ann!, 'Ann');
  await lookAt(ann!);
  expect(await inspect(ann!, 'study-question')).toEqual([]);

  // Paused, opened again, taken back: nothing is lost, nothing counts twice.
  await rate(ann!, 'Ann first', { answers: 6 });
  await ann!.getByText(/Pair 2 of 17, question 3 of 4/).waitFor();
  await ann!.getByRole('button', { name: 'Pause' }).click();
  await ann!.getByText('Paused. 6 of 68 answers of Ann are kept.').waitFor();
  await ann!.reload();
  expect(await ann!.getByLabel('Name or code').inputValue()).toBe('Ann');
  await ann!.getByRole('button', { name: 'Begin' }).click();
  await ann!.getByText(/Pair 2 of 17, question 3 of 4/).waitFor();
  await ann!.keyboard.press('Backspace');
  await ann!.getByText(/Pair 2 of 17, question 2 of 4/).waitFor();

  // The same name from another browser is asked whether it is the same person.
  await begin(pages[1]!, 'ann');
  await pages[1]!.getByText('Ann has given 5 of 68 answers. Is that you?').waitFor();
  await pages[1]!.getByRole('button', { name: 'No, another name' }).click();
  await begin(pages[1]!, 'Bo');
  for (const [index, page] of pages.entries()) if (index > 1) await begin(page, raters[index]!);
  await Promise.all(pages.map((page, index) => rate(page, raters[index]!, { careless: raters[index] === 'Careless' })));
  for (const page of pages) await page.getByText('Thank you, that was all.').waitFor();
  expect(await inspect(ann!, 'study-thanks')).toEqual([]);

  expect(asked.filter((url) => telling.test(url))).toEqual([]);
  expect(asked.length).toBeGreaterThan(20);

  const library = openLibrary({ home: editor.home, program: 'test', access: 'read' });
  const store = new StudyStore(library);
  const [study] = store.list();
  const names = store.raters(study!.id).map(({ name }) => name);
  const found = studyResults(study!, store.items(study!.id), store.answers(study!.id), names);
  library.close();
  expect(names.toSorted()).toEqual(raters.toSorted());
  expect(study).toMatchObject({ raters: 5, finished: 5 });
  expect(found).toMatchObject({ counted: 4, leftOut: 1 });
  expect(found.raters.find(({ leftOut }) => leftOut)!.name).toBe('Careless');
  for (const { question, preferences, strengths } of found.questions) {
    for (const { other, answers, wilson } of preferences) {
      const odds = truth[question]['gold-standard'] - truth[question][other as StudyMethod];
      const known = 1 / (1 + Math.exp(-odds));
      expect(answers).toBe(16);
      expect(wilson!.low, `${question} ${other}`).toBeLessThanOrEqual(known);
      expect(wilson!.high, `${question} ${other}`).toBeGreaterThanOrEqual(known);
    }
    const order = strengths.map(({ method }) => method);
    if (question === 'overall' || question === 'identity') expect(order).toEqual(studyMethods);
    else if (question === 'words') expect(order).toEqual(studyMethods.toReversed());
  }

  // What the window says of it.
  const { page } = editor;
  await page.getByText('17 items; 5 raters, 5 finished').waitFor();
  await page.getByRole('button', { name: 'Results', exact: true }).click();
  await page.getByText('4 raters count, 1 left out').waitFor();
  await page.getByText('Careless').scrollIntoViewIfNeeded();
  expect(await inspect(page, 'study-results')).toEqual([]);
  await page.getByLabel('Judge instead of people').check();
  await page.getByText('No clip of "Which moves" has measures').waitFor();

  // Deleted, its link opens nothing.
  await page.getByRole('button', { name: 'Delete Which moves' }).click();
  await page.getByText('what 5 raters answered').waitFor();
  expect(await inspect(page, 'study-delete')).toEqual([]);
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByRole('button', { name: 'Delete Which moves' }).click();
  await page.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByText('No studies yet.').waitFor();
  await ann!.reload();
  await ann!.getByText('There is no such study.').waitFor();
  expect(editor.problems).toEqual([]);
});

it('a study is answered in the editor itself, by keyboard alone, and its link opens nothing else', async () => {
  const editor = await openForTest(useSmallModel, fillWithoutSamples);
  const link = await makeStudy(editor);
  const { page } = editor;
  await page.getByRole('button', { name: 'Answer here' }).click();
  await page.getByLabel('Name or code').fill('Eva');
  await page.keyboard.press('Enter');
  const shown = await lookAt(page);
  expect(shown!.html).not.toMatch(telling);
  expect(await inspect(page, 'study-in-the-editor')).toEqual([]);
  // The space bar stops the clips, and closes nothing.
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Play clips' }).waitFor();
  await page.keyboard.press('0');
  await page.getByText(/Pair 1 of 17, question 2 of 4/).waitFor();
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Right is better' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText(/Pair 1 of 17, question 3 of 4/).waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('17 items; 1 rater, 0 finished').waitFor();

  const stranger = await (await editor.context.browser()!.newContext()).newPage();
  const status = async (address: string) => (await stranger.goto(new URL(address, link).href))!.status();
  expect(await status('/')).toBe(401);
  expect(await status('/media/study/x/y.webp')).toBe(401);
  expect(await status('/study/unknown/')).toBe(404);
  expect(await status('clips/..%2f..%2flibrary.db')).toBe(404);
  expect(await status(link)).toBe(200);
  await stranger.getByText('You will see 17 pairs of clips').waitFor();
  const refused = await stranger.evaluate(async () => {
    const open = (path: string) =>
      new Promise((answer) => {
        const socket = new WebSocket(`ws://${location.host}${path}`);
        socket.onerror = () => answer('refused');
        socket.onopen = () => {
          socket.onmessage = ({ data }) => answer(JSON.parse(String(data)).error?.code);
          socket.send(JSON.stringify({ type: 'call', id: 1, name: 'studies.list', input: {} }));
        };
      });
    return [await open('/rpc'), await open(`${location.pathname}rpc`)];
  });
  expect(refused).toEqual(['refused', 'not-found']);
});
