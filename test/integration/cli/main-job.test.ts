import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSafetensors } from '../../../main/engine/formats/safetensors.ts';
import { locateMediaTools } from '../../../main/media/locate.ts';
import { probe } from '../../../main/media/probe.ts';
import { startStrength, strengthSettings } from '../../../shared/domain/strength.ts';
import { createWorkplace, hashOf, type Line, quickRecipe, type Workplace } from './command.ts';

let place: Workplace;
let clip: Line;
let learned: Line[];
let concept: Line;
let edit: Line;

beforeAll(async () => {
  place = await createWorkplace();
  const file = await place.makeClip();
  clip = (await place.answer('clip', ['import', file])).clip;
  const { code, lines, err } = await place.motif(['learn', clip.id, ...quickRecipe(), '--name', 'picture', '--json']);
  if (code !== 0) throw new Error(`learning failed: ${err}${JSON.stringify(lines.at(-1))}`);
  learned = lines;
  concept = lines.find(({ type }) => type === 'concept')!.concept;
  edit = (await place.answer('edit', ['edit', 'picture', '--prompt', 'a [v] test picture at night', '--steps', '2']))
    .edit;
}, 600_000);
afterAll(() => place.close());

test('a clip is imported at the size and rate of the model, and found again', async () => {
  expect(clip.frames).toMatchObject({ frameCount: 5, width: 128, height: 128 });
  const again = await place.answer('clip', ['import', clip.source.path]);
  expect(again).toMatchObject({ duplicate: true, clip: { id: clip.id } });
  expect((await place.answer('clips', ['clips'])).clips).toHaveLength(1);
});

test('learning tells every step of both stages, and its progress', () => {
  const points = learned.filter(({ type }) => type === 'loss').map(({ point }) => point);
  expect(points.map(({ stage, step }) => `${stage} ${step}`)).toHaveLength(4);
  expect(points.filter(({ stage }) => stage === 'motion')).toHaveLength(2);
  expect(points.every(({ loss }) => Number.isFinite(loss) && loss > 0)).toBe(true);
  expect(learned.some(({ type }) => type === 'progress')).toBe(true);
  expect(concept).toMatchObject({ name: 'picture', rank: 2, clipIds: [clip.id] });
  expect(concept.directionStrengths).toHaveLength(2);
});

test('an edit has frames of the size of its clip, and other gains give other frames', async () => {
  expect(edit.frames).toMatchObject({ frameCount: 5, width: 128, height: 128 });
  const words = ['edit', concept.id, '--prompt', 'a [v] test picture at night', '--steps', '2'];
  const other = (await place.answer('edit', [...words, '--motion', '0', '--direction', '0=4'])).edit;
  expect(other.settings.sliders).toEqual({ identity: 1, motion: 0, directions: { 0: 4 } });
  expect(await hashOf(other.frames.file)).not.toBe(await hashOf(edit.frames.file));
  expect(await place.answer('edit', words)).toMatchObject({ reused: true, edit: { id: edit.id } });
});

test('the same command in another library gives the same frames', async () => {
  const other = await createWorkplace();
  try {
    await other.answer('concept', ['learn', clip.source.path, ...quickRecipe(), '--name', 'picture']);
    const words = ['edit', 'picture', '--prompt', 'a [v] test picture at night', '--steps', '2'];
    const twin = (await other.answer('edit', words)).edit;
    expect(await hashOf(twin.frames.file)).toBe(await hashOf(edit.frames.file));
  } finally {
    await other.close();
  }
});

test('a concept changes another clip, or a range of a file', async () => {
  const file = await place.makeClip('elsewhere.mp4', 'testsrc', 0.9);
  const words = ['edit', concept.id, '--prompt', 'a [v] test picture at night', '--steps', '2', '--on', file];
  const other = (await place.answer('edit', [...words, '--from', '0.2'])).edit;
  expect(other).toMatchObject({ conceptId: concept.id, settings: strengthSettings(startStrength) });
  expect(other.sourceClipId).not.toBe(clip.id);
  const { clips } = await place.answer('clips', ['clips']);
  expect(clips.find(({ id }: { id: string }) => id === other.sourceClipId)).toMatchObject({ fromSeconds: 0.2 });
  expect((await place.answer('edit', [...words.slice(0, -1), other.sourceClipId])).edit.id).toBe(other.id);
  const refused = async (...more: string[]) => (await place.motif(['edit', ...more, '--prompt', 'x'])).err;
  expect(await refused(concept.id, '--from', '1')).toMatch(/need a file, given as such or with --on/);
  expect(await refused(clip.id, '--on', file)).toMatch(/--on is for concepts/);
});

test('an edit is exported as a playable video of every frame', async () => {
  const file = join(place.folder, 'edit.mp4');
  const written = await place.answer('file', ['export', edit.id, '--finish', 'off', '--size', '256x256', '-o', file]);
  const large = ['export', edit.id, '--finish', 'off', '--super-resolution', '-o', join(place.folder, 'large.mp4')];
  const enlarged = await place.answer('file', large);
  const { width, height } = await probe(await locateMediaTools(), enlarged.file);
  expect([width, height]).toEqual([512, 512]);
  expect(enlarged.notes.join()).toContain('enlarged 4 times by super-resolution');
  expect(written).toMatchObject({ file, sizeBytes: (await readFile(file)).length });
  expect(await probe(await locateMediaTools(), file)).toMatchObject({ frameCount: 5, width: 256, height: 256 });
});

test.each(['comfyui', 'diffusers', 'kohya'])('a concept is exported as a LoRA file for %s', async (dialect) => {
  const file = join(place.folder, `${dialect}.safetensors`);
  await place.answer('file', ['export', 'picture', '--lora', dialect, '--motion', '0.5', '-o', file]);
  const source = await openSafetensors(file);
  const names = [...source.names()];
  await source.close();
  // 10 linear layers in each of 8 blocks, two factors each, and for kohya their alpha.
  expect(names.length).toBe(8 * 10 * (dialect === 'kohya' ? 3 : 2));
});

test('a LoRA file becomes a concept with its directions in order, and a package that is there already is not added again', async () => {
  const lora = join(place.folder, 'comfyui.safetensors');
  const words = ['--clip', clip.id, '--static', 'a test picture', '--name', 'from elsewhere'];
  const added = (await place.answer('concept', ['concepts', '--add', lora, ...words])).concept;
  expect(added).toMatchObject({ name: 'from elsewhere', rank: 2, recipe: { method: 'lora' }, clipIds: [clip.id] });
  const [first, second] = added.directionStrengths;
  expect(first).toBeGreaterThanOrEqual(second);
  expect(second).toBeGreaterThan(0);

  const { file } = await place.answer('file', ['concepts', 'picture', '--save', join(place.folder, 'picture.motif')]);
  expect(await place.answer('concept', ['concepts', '--add', file])).toMatchObject({
    duplicate: true,
    concept: { id: concept.id },
  });
});

test('the jobs are listed with what became of them', async () => {
  const { jobs } = await place.answer('jobs', ['jobs', 'list']);
  expect(jobs.filter(({ kind }: Line) => kind === 'learn')).toMatchObject([{ state: 'done' }]);
  const { code, out } = await place.motif(['jobs']);
  expect(code).toBe(0);
  expect(out).toMatch(/learn +done/);
});

test('for people, results are on stdout and progress on stderr', async () => {
  const words = ['edit', 'picture', '--prompt', 'a [v] test picture in the snow', '--steps', '2'];
  const { code, out, err } = await place.motif(words);
  expect(code).toBe(0);
  expect(out.trim().split('\n')).toHaveLength(1);
  expect(err).toMatch(/(\d+)\/\1 steps/);
});

test('doctor says what computes and which ffmpeg is used, and that all is well', async () => {
  const { findings, device } = await place.answer('doctor', ['doctor']);
  expect(device.matMulGflops).toBeGreaterThan(0);
  expect(findings.filter(({ state }: Line) => state === 'broken')).toEqual([]);
  expect(findings.map(({ name }: Line) => name)).toEqual(
    expect.arrayContaining(['library', 'model', 'computes', 'why', 'ffmpeg']),
  );
});

test('doctor says what is wrong with a device that was asked for, and blames nothing else', async () => {
  const { code, out } = await place.motif(['doctor', '--device', 'openvino'], undefined, {
    MOTIF_OPENVINO: place.folder,
  });
  expect(code).toBe(1);
  expect(out.split('\n').filter((line) => line.startsWith('BROKEN'))).toEqual([
    expect.stringMatching(/"openvino" cannot be used.*library was not found.*Choose "auto"/),
  ]);
});

test('what is not there ends with 1 and says so', async () => {
  const { code, err } = await place.motif(['edit', 'nobody', '--prompt', 'x']);
  expect(code).toBe(1);
  expect(err).toMatch(/^Error: .*nobody/);
  expect(err).not.toMatch(/\n\s+at /);
  expect((await place.motif(['import', 'no-such-file.mp4'])).code).toBe(1);
  expect(existsSync(place.home)).toBe(true);
});
