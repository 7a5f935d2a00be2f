import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConceptStore } from '../../../main/library/concepts.ts';
import { openLibrary } from '../../../main/library/open.ts';
import { writeStill } from '../../../main/media/frames.ts';
import { locateMediaTools } from '../../../main/media/locate.ts';
import type { Services } from '../../../main/services/services.ts';
import type { GenerateRequest } from '../../../shared/domain/engine.ts';
import { engineThatTells } from '../../fixtures/fake-engine.ts';
import { makeConcept, makeTempFolder } from '../../fixtures/library.ts';
import { addClips, openTestServices, runNew } from '../../fixtures/services.ts';

let folder: string;
let services: Services;
const asked: GenerateRequest[] = [];
const pictures = () => readdirSync(services.library.absolutePath('pictures'));

beforeEach(async () => {
  folder = makeTempFolder('first-picture');
  addClips(folder, 'river');
  const library = openLibrary({ home: join(folder, 'home'), program: 'test' });
  new ConceptStore(library).insert(makeConcept('dancer', ['river']));
  library.close();
  asked.length = 0;
  services = await openTestServices(folder, { engine: engineThatTells(asked) });
});
afterEach(async () => {
  await services.close();
  rmSync(folder, { recursive: true });
});

const request = (settings: object) => ({
  kind: 'generate' as const,
  conceptId: 'dancer',
  sourceClipId: 'river',
  settings: { prompt: 'a [v] person', steps: 2, ...settings },
});
const editOf = async ({ output }: Awaited<ReturnType<typeof runNew>>) =>
  services.call['edits.get']({ reference: (output as { editId: string }).editId });

/** A picture of one colour. */
async function writePicture(name: string, red: number): Promise<string> {
  const file = join(folder, name);
  const rgb = Uint8Array.from({ length: 40 * 30 * 3 }, (_, index) => (index % 3 === 0 ? red : 20));
  await writeStill(await locateMediaTools(), { width: 40, height: 30, rgb }, file);
  return file;
}

it('a picture from disk is kept in the library once, and an edit goes on from it when its file is gone', async () => {
  const file = await writePicture('edited.png', 200);
  const firstFrame = await services.call['edits.keepPicture']({ file });
  expect(firstFrame.path).toBe(`pictures/${firstFrame.hash}.png`);
  expect(await services.call['edits.keepPicture']({ file })).toEqual(firstFrame);
  expect(pictures()).toEqual([`${firstFrame.hash}.png`]);
  rmSync(file);
  const edit = await editOf(await runNew(services, request({ firstFrame: { path: firstFrame.path } })));
  expect(edit.settings.firstFrame).toEqual(firstFrame);
  const { firstFrame: given } = asked[0]!;
  expect(given).toMatchObject({ width: 16, height: 16, frameCount: 1 });
  const [red, green] = readFileSync(given!.file);
  expect(Math.abs(red! - 200)).toBeLessThan(6);
  expect(Math.abs(green! - 20)).toBeLessThan(6);
  // The window shows it.
  expect(await services.call['media.address']({ path: firstFrame.path })).toEqual({
    address: `media/${firstFrame.path}`,
  });
});

it('another picture is another edit, the same one the same', async () => {
  const [one, other] = [await writePicture('one.jpg', 200), await writePicture('other.jpg', 90)];
  const made = async (file: string) => {
    const firstFrame = await services.call['edits.keepPicture']({ file });
    return editOf(await runNew(services, request({ firstFrame })));
  };
  const first = await made(one);
  expect(first.settings.firstFrame!.path).toMatch(/\.jpg$/);
  expect((await made(other)).id).not.toBe(first.id);
  expect((await made(one)).id).toBe(first.id);
});

it('what a result begins with is a picture for the next', async () => {
  const before = await editOf(await runNew(services, request({ seed: 77 })));
  const firstFrame = await services.call['edits.keepPicture']({ edit: before.id });
  await runNew(services, request({ firstFrame }));
  // The fake engine draws every pixel as its seed.
  expect([...readFileSync(asked.at(-1)!.firstFrame!.file)].every((value) => Math.abs(value - 77) <= 2)).toBe(true);
  await services.call['library.delete']({ items: [{ kind: 'edit', id: before.id }] });
  expect(existsSync(services.library.absolutePath(firstFrame.path))).toBe(true);
});

it('a picture goes with the last edit that began with it, when that is deleted for good', async () => {
  const firstFrame = await services.call['edits.keepPicture']({ file: await writePicture('edited.png', 200) });
  const made = async (seed: number) => (await editOf(await runNew(services, request({ firstFrame, seed })))).id;
  const [one, two] = [await made(1), await made(2)];
  const isKept = () => existsSync(services.library.absolutePath(firstFrame.path));
  const deleteForGood = async (id: string) => {
    await services.call['library.delete']({ items: [{ kind: 'edit', id }] });
    expect(isKept()).toBe(true);
    await services.call['library.emptyTrash']();
  };
  await deleteForGood(one);
  expect(isKept()).toBe(true);
  await deleteForGood(two);
  expect(isKept()).toBe(false);
  expect(readdirSync(services.library.absolutePath('unfinished'))).toEqual([]);
});

it('what is no picture is refused, and leaves nothing', async () => {
  const keep = (file: string) => services.call['edits.keepPicture']({ file });
  const notes = join(folder, 'notes.png');
  writeFileSync(notes, 'no picture at all');
  await expect(keep(notes)).rejects.toMatchObject({
    code: 'unsupported-media',
    message: 'notes.png is neither a PNG nor a JPEG picture.',
  });
  await expect(keep(join(folder, 'nowhere.png'))).rejects.toMatchObject({ code: 'not-found' });
  mkdirSync(join(folder, 'folder.png'));
  await expect(keep(join(folder, 'folder.png'))).rejects.toMatchObject({ code: 'not-found' });
  await expect(services.call['edits.keepPicture']({ edit: 'nobody' })).rejects.toMatchObject({ code: 'not-found' });
  // Never read as a whole: it takes no place on the disk, and would in memory.
  const large = join(folder, 'large.png');
  writeFileSync(large, '');
  truncateSync(large, 5e9);
  await expect(keep(large)).rejects.toMatchObject({ code: 'invalid-input' });
  await expect(async () => runNew(services, request({ firstFrame: { path: large } }))).rejects.toMatchObject({
    code: 'invalid-input',
    message: 'large.png is larger than the 200 MB that a picture can have.',
  });
  expect(existsSync(services.library.absolutePath('pictures'))).toBe(false);
});
