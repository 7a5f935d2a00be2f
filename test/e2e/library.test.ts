import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { expect, it } from 'vitest';
import { ClipStore } from '../../main/library/clips.ts';
import { ConceptStore } from '../../main/library/concepts.ts';
import { openLibrary } from '../../main/library/open.ts';
import { makeClip, makeConcept, writeFrames } from '../fixtures/library.ts';
import { useSmallModel } from '../fixtures/small-model.ts';
import { ffmpeg, numbered, x264 } from '../integration/media/synthesise.ts';
import { drop, dropFromDisk, inspectScreen } from './browser.ts';
import { openForTest } from './open-for-test.ts';

const patient = { timeout: 400_000 };

/** A clip and as many concepts, as if they had been learned here. */
function fill(count: number): (home: string) => void {
  return (home) => {
    const library = openLibrary({ home, program: 'test' });
    const clip = new ClipStore(library).insert(makeClip('clip'));
    writeFrames(library.folder, clip);
    const concepts = new ConceptStore(library);
    library.write(() => {
      for (let number = 1; number <= count; number++) {
        const name = `Concept ${String(number).padStart(4, '0')}`;
        concepts.insert(makeConcept(`concept-${number}`, ['clip'], { name, tags: number % 100 ? [] : ['round'] }));
      }
    });
    library.close();
  };
}

it('scrolls through a thousand concepts, drawing only those in sight, and finds one of them', async () => {
  const { page } = await openForTest(useSmallModel, fill(1000));
  const cards = page.locator('[role=listitem]');
  await cards.filter({ hasText: 'Concept 1000' }).waitFor();
  const drawn = async () => {
    const count = await cards.count();
    expect(count).toBeLessThan(60);
    return count;
  };
  await drawn();
  const list = page.getByRole('list', { name: 'Concepts' });
  await list.hover();
  for (let turn = 0; turn < 12; turn++) {
    await page.mouse.wheel(0, 6000);
    await page.evaluate(() => new Promise(requestAnimationFrame));
    await drawn();
  }
  await cards.filter({ hasText: 'Concept 0001' }).waitFor();
  expect(await inspectScreen(page, 'library-1000')).toEqual([]);

  await list.hover();
  await page.mouse.wheel(0, -100_000);
  await page.getByRole('button', { name: /^Concept 1000/ }).focus();
  await page.keyboard.press('ArrowDown');
  await page.locator('[data-item]:focus', { hasText: 'Concept 0999' }).waitFor();
  for (let presses = 0; presses < 3; presses++) await page.keyboard.press('PageDown');
  await page.locator('[data-item]:focus', { hasText: 'Concept 0969' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('header', { hasText: 'Concept 0969' }).waitFor();

  await page.keyboard.press('Control+f');
  await page.locator('input:focus').waitFor();
  await page.keyboard.type('0417');
  await expect.poll(() => cards.count()).toBe(1);
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await page.getByRole('button', { name: 'round', exact: true }).click();
  await expect.poll(() => cards.count()).toBe(10);
  await page.getByLabel('Sort').selectOption('name');
  await expect.poll(() => cards.first().textContent()).toContain('Concept 0100');
});

it('takes many files dropped at once, awkward ones among them, and says of each refused one why', async () => {
  const editor = await openForTest(useSmallModel, fill(0));
  const { page } = editor;
  const file = (name: string) => join(editor.folder, name);
  const many = Array.from({ length: 12 }, (_, index) => file(`Many ${String(index + 1).padStart(2, '0')}.mp4`));
  for (const [index, name] of many.entries()) await ffmpeg(...numbered(20 + index), ...x264, name);
  const odd = [...['-f', 'lavfi', '-i', 'testsrc2=size=127x95:rate=24000/1001:duration=2'], ...x264];
  await ffmpeg(...odd, '-pix_fmt', 'yuv444p', file('Odd.mkv'));
  await ffmpeg('-i', many[0]!, '-c', 'copy', '-metadata:s:v', 'rotate=90', file('Turned.mov'));
  await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=5:duration=3', file('Moving.gif'));
  await ffmpeg('-f', 'lavfi', '-i', 'sine=duration=1', file('Sound.mp4'));
  await writeFile(file('Empty.mp4'), '');
  await writeFile(file('Text.mp4'), 'this is no video');
  const awkward = ['Odd.mkv', 'Turned.mov', 'Moving.gif', 'Sound.mp4', 'Empty.mp4', 'Text.mp4'].map(file);
  await page.getByRole('tab', { name: 'Clips' }).click();
  await drop(page, [...many, ...awkward]);
  for (const name of ['Many 01', 'Many 12', 'Odd', 'Turned', 'Moving']) {
    await page.getByRole('button', { name: new RegExp(`^${name}`) }).waitFor(patient);
  }
  // One card, however many they are.
  await page.getByText('3 files could not be imported').click(patient);
  expect(await page.getByRole('alert').count()).toBe(1);
  const refusals = (await page.getByRole('alert').getByRole('listitem').allTextContents()).sort().join('\n');
  for (const reason of [/is empty .*fetch it again/, /not a video/, /no picture|no video/])
    expect(refusals).toMatch(reason);
  expect(await inspectScreen(page, 'import-many')).toEqual([]);
  await page.getByRole('button', { name: 'Dismiss all' }).click();
  await page.getByRole('alert').waitFor({ state: 'detached' });
});

it('takes the clips of a dropped folder and of the folders in it', async () => {
  const editor = await openForTest(useSmallModel, fill(0));
  const { page } = editor;
  const folder = join(editor.folder, 'Rushes');
  await mkdir(join(folder, 'Day 1'), { recursive: true });
  await ffmpeg(...numbered(21), ...x264, join(folder, 'Outer.mp4'));
  await ffmpeg(...numbered(22), ...x264, join(folder, 'Day 1', 'Inner.mp4'));
  await writeFile(join(folder, 'notes.txt'), 'a list of takes');
  await writeFile(join(folder, '.hidden'), '');
  await page.getByRole('tab', { name: 'Clips' }).click();
  await dropFromDisk(page, [folder]);
  for (const name of ['Outer', 'Inner'])
    await page.getByRole('button', { name: new RegExp(`^${name}`) }).waitFor(patient);
  await expect
    .poll(() => page.getByRole('alert').allTextContents(), patient)
    .toEqual([expect.stringMatching(/not a video/)]);
});

it('says why a device cannot be used, and goes on with another', async () => {
  const { page } = await openForTest(useSmallModel, fill(0));
  await page.getByRole('button', { name: 'Settings', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('tab', { name: 'Machine' }).click();
  const device = dialog.getByLabel('Compute device');
  const tensorflow = dialog.getByRole('listitem').filter({ hasText: 'TensorFlow' });
  await tensorflow.getByText('not found', { exact: true }).waitFor(patient);
  await device.selectOption('tensorflow');
  await page.getByText(/The device "tensorflow" cannot be used \(.*installed\)\. Choose "auto"/).waitFor(patient);
  await device.selectOption('auto');
  await dialog.getByRole('button', { name: 'Measure' }).click();
  await dialog.getByText(/GFLOP\/s/).waitFor(patient);
});

it('learns with the model that is chosen, until that is taken away', async () => {
  const { page } = await openForTest(fill(1));
  await page.getByRole('tab', { name: 'Clips' }).click();
  await page.getByRole('tab', { name: 'Learn' }).click();
  const seen = page.getByText(/^Shorter than the .* that the model uses/);
  await seen.waitFor(patient);
  const ofTheEmbedded = await seen.textContent();
  await page.getByRole('button', { name: 'Settings', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('tab', { name: 'Models' }).click();
  await dialog.getByLabel(/^Model folder/).fill(join(import.meta.dirname, '../golden/model'));
  await dialog.getByRole('button', { name: 'Add' }).click();
  await dialog.getByRole('button', { name: 'Use for learning' }).click(patient);
  const added = dialog.locator('li').filter({ has: page.getByRole('button', { name: 'Remove' }) });
  await added.getByText('learns and imports').waitFor();
  expect(await inspectScreen(page, 'settings-models-two')).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByText('Learned on model.').waitFor();
  await expect.poll(() => seen.textContent(), patient).not.toBe(ofTheEmbedded);
  await page.reload();
  await page.getByText('Learned on model.').waitFor();
  await page.getByRole('button', { name: 'Settings', exact: true }).click();
  await dialog.getByRole('tab', { name: 'Models' }).click();
  await added.getByRole('button', { name: 'Remove' }).click();
  await expect.poll(() => added.count(), patient).toBe(0);
  await page.keyboard.press('Escape');
  await expect.poll(() => seen.textContent(), patient).toBe(ofTheEmbedded);
});

it('keeps the words and the place through an error of the window', async () => {
  const editor = await openForTest(useSmallModel, fill(3));
  const { page } = editor;
  await page.getByRole('tab', { name: 'Concepts' }).click();
  await page.getByRole('button', { name: /^Concept 0002/ }).click();
  await page.locator('#prompt').fill('a [v] person on the moon');
  await page.locator('#prompt').blur();
  // Whatever is drawn next breaks.
  await page.evaluate(() => {
    Number.prototype.toFixed = () => {
      throw new Error('a broken number');
    };
  });
  await page.getByLabel('Motion', { exact: true }).focus();
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('heading', { name: 'Something went wrong' }).waitFor();
  await page.getByText('a broken number').waitFor();
  expect(await inspectScreen(page, 'trouble')).toEqual([]);
  await page.getByRole('button', { name: 'Reload' }).click();
  await page.locator('header', { hasText: 'Concept 0002' }).waitFor();
  expect(await page.locator('#prompt').inputValue()).toBe('a [v] person on the moon');
  expect(editor.problems.filter((problem) => !problem.includes('404'))).toEqual([]);
});

it('says that its library was taken away, in the window and in the terminal', async () => {
  const editor = await openForTest(useSmallModel, fill(1));
  const { page } = editor;
  await page.getByText('Concept 0001').first().waitFor();
  await rm(editor.home, { recursive: true, force: true, maxRetries: 10 });
  await page.getByRole('heading', { name: 'Library not found' }).waitFor();
  if (editor.server.exitCode === null) await once(editor.server, 'exit');
  expect(editor.server.exitCode).toBe(1);
  expect(editor.errors.join('\n')).toContain(`The library's folder ${editor.home} was deleted or moved`);
});

it('goes from a clip to an exported edit by keyboard alone', async () => {
  const editor = await openForTest(useSmallModel);
  const { page } = editor;
  // Asked for before the key is pressed: the browser needs a moment until it hands choosers on.
  const chooser = page.waitForEvent('filechooser', patient);
  await page.getByText('A bonfire').first().waitFor(patient);
  const { keyboard } = page;
  /** As far as Tab goes, until the part has the focus. */
  const tabTo = async (part: Locator) => {
    await part.first().waitFor();
    for (let presses = 0; presses < 150; presses++) {
      if (await part.first().evaluate((element) => element === document.activeElement)) return;
      await keyboard.press('Tab');
    }
    throw new Error(`Tab does not reach ${part}`);
  };
  const write = async (part: Locator, words: string) => {
    await tabTo(part);
    await keyboard.press('Control+a');
    await keyboard.type(words);
  };

  await keyboard.press('Control+o');
  await (await chooser).setFiles(join(import.meta.dirname, '../../resources/samples/bonfire.mp4'));
  await page.getByText('is already in the library').waitFor(patient);
  await tabTo(page.getByRole('button', { name: 'A bonfire' }));
  await keyboard.press('Enter');
  await page.locator('header', { hasText: 'A bonfire' }).waitFor();

  await tabTo(page.getByRole('tab', { name: 'Looks' }));
  await keyboard.press('ArrowRight');
  await write(page.locator('#learn-name'), 'Keys');
  await write(page.locator('#learn-looks'), 'a [v] bonfire at night');
  await write(page.locator('#learn-motion'), 'it is flickering in [u] motion');
  await tabTo(page.locator('summary', { hasText: 'Advanced' }));
  await keyboard.press('Enter');
  await write(page.getByRole('spinbutton', { name: 'Rank' }), '4');
  await write(page.getByLabel('Appearance steps'), '2');
  await write(page.getByLabel('Motion steps'), '2');
  await write(page.getByLabel('Prior clips'), '0');
  await tabTo(page.getByLabel('Prior preservation'));
  await keyboard.press('Space');
  await tabTo(page.locator('#learn'));
  await keyboard.press('Enter');
  await page.locator('header', { hasText: 'Keys' }).waitFor(patient);

  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await keyboard.press('e');
  await page.locator('#prompt:focus').waitFor();
  await keyboard.press('End');
  await keyboard.type(', in fog');
  await tabTo(page.locator('summary', { hasText: 'Sampling' }));
  await keyboard.press('Enter');
  await write(page.getByLabel('Steps', { exact: true }), '2');
  await keyboard.press('Enter');
  await tabTo(page.locator('#render'));
  await keyboard.press('Enter');
  await page.getByRole('button', { name: 'Edit 1', exact: true }).waitFor(patient);

  await keyboard.press('Control+e');
  await page.getByRole('dialog').waitFor();
  await tabTo(page.locator('#start-export'));
  await keyboard.press('Enter');
  await page.getByText(/^Exported .*Keys Edit 1\.mp4/).waitFor(patient);
  expect(existsSync(join(editor.home, 'exports', 'Keys Edit 1.mp4'))).toBe(true);
});
