import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createEngine } from '../../main/engine/index.ts';
import { ClipStore } from '../../main/library/clips.ts';
import { ConceptStore } from '../../main/library/concepts.ts';
import { openLibrary } from '../../main/library/open.ts';
import { writeSettings } from '../../main/library/settings.ts';
import { makeClip, makeConcept, writeFrames } from '../fixtures/library.ts';
import { ffmpeg } from '../integration/media/synthesise.ts';
import { inspectScreen } from './browser.ts';
import { fillWithoutSamples, openForTest } from './open-for-test.ts';

/** Long enough for a machine that has other work. */
const patient = { timeout: 400_000 };

const golden = (name: string) => resolve(import.meta.dirname, '../golden', name);

const kept = (home: string) => readdirSync(join(home, 'pictures'));

/** The golden model as one that goes on from a first frame (Wan 2.2 TI2V), and a concept of a LoRA file on it. */
async function makeMaterial() {
  const folder = mkdtempSync(join(tmpdir(), 'motif-first-frame-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const model = join(folder, 'goes-on');
  cpSync(golden('model'), model, { recursive: true });
  const index = join(model, 'model_index.json');
  writeFileSync(index, JSON.stringify({ ...JSON.parse(readFileSync(index, 'utf8')), expand_timesteps: true }));
  const sizes = [{ width: 32, height: 16 }];
  writeFileSync(
    join(model, 'motif.json'),
    JSON.stringify({ frameRate: 8, frames: 5, sizes, maxTextTokens: 24, sampling: { steps: 4, guidance: 1 } }),
  );
  const engine = await createEngine({ device: 'onnxruntime' });
  const conceptFile = join(folder, 'concept.safetensors');
  const caption = { static: 'a dog runs on the beach', dynamic: '' };
  await engine.importLora({ model, file: golden('lora-peft.safetensors'), caption, conceptFile });
  await engine.dispose();
  const picture = join(folder, 'edited.png');
  await ffmpeg('-f', 'lavfi', '-i', 'color=c=red:s=64x32', '-frames:v', '1', picture);
  return { model, conceptFile, caption, picture };
}

it('the Edit panel offers a first frame where the model takes one, and the result goes on from it', async () => {
  const { model, conceptFile, caption, picture } = await makeMaterial();
  const { home, page, problems } = await openForTest((home) => {
    fillWithoutSamples(home);
    const library = openLibrary({ home, program: 'test' });
    writeSettings(library, { modelDirectories: [model] });
    const own = makeClip('river').frames;
    const clip = new ClipStore(library).insert(makeClip('river', { frames: { ...own, width: 32, height: 16 } }));
    writeFrames(library.folder, clip);
    const concepts = new ConceptStore(library);
    concepts.insert(makeConcept('other', ['river'], { model: 'motif-tiny', name: 'Other' }));
    const concept = makeConcept('dog', ['river'], { model: 'goes-on', name: 'Dog', captions: [caption] });
    concepts.insert(concept);
    const file = library.absolutePath(concept.file);
    mkdirSync(dirname(file), { recursive: true });
    copyFileSync(conceptFile, file);
    library.close();
  });
  const panel = page.getByRole('region', { name: 'First frame' });
  const note = page.getByTitle('The clip begins with this picture.');
  const fromNoise = page.getByRole('checkbox', { name: /Start from noise/ });

  await page.getByRole('button', { name: /^Other/ }).click();
  await panel.getByText('motif-tiny cannot begin a clip with a given picture.').waitFor();
  expect(await panel.getByRole('button').count()).toBe(0);

  await page.getByRole('button', { name: /^Dog/ }).click();
  await panel.getByText('Drop a PNG or JPEG here').waitFor();
  expect(await fromNoise.isChecked()).toBe(false);
  await page.locator('#first-frame-picker').setInputFiles(picture);
  await panel.locator('img').waitFor();
  await expect.poll(() => fromNoise.isChecked()).toBe(true);
  // The preview is there, made from the picture, and the stage says so.
  await expect.poll(() => note.count(), patient).toBe(2);
  await page.getByRole('button', { name: /^Render/ }).click();
  const results = page.getByRole('region', { name: 'Results' });
  await expect.poll(() => results.getByTitle(/from a first frame/).count(), patient).toBe(1);
  await expect.poll(() => note.count(), patient).toBe(2);
  expect(await inspectScreen(page, 'first-frame')).toEqual([]);

  await panel.getByRole('button', { name: 'First frame of the result' }).click();
  await expect.poll(() => kept(home).length, patient).toBe(2);
  await panel.getByRole('button', { name: 'Remove' }).click();
  await panel.getByText('Drop a PNG or JPEG here').waitFor();
  await page.keyboard.press('Control+z');
  await panel.locator('img').waitFor();
  // The file that the clip came from is nowhere.
  expect(problems.filter((problem) => !problem.includes('404'))).toEqual([]);
});
