import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { locateMediaTools } from '../../../main/media/locate.ts';
import { probe } from '../../../main/media/probe.ts';
import { writeStandIns } from '../../unit/engine/metrics/stand-ins.ts';
import { createWorkplace, type Workplace } from './command.ts';

let place: Workplace;
let file: string;
beforeAll(async () => {
  place = await createWorkplace('small');
  file = await place.makeClip('walk.mp4');
}, 120_000);
afterAll(() => place.close());

const patient = 300_000;

test(
  'a file becomes finished videos of its own size in two looks, without anything learned; a broken one beside it is told',
  async () => {
    const broken = join(place.folder, 'broken.mp4');
    writeFileSync(broken, 'not a film, only words\n'.repeat(40));
    const out = join(place.folder, 'looks');
    const { code, lines } = await place.motif(['look', broken, file, '--look', 'sunset,night', '--out', out, '--json']);
    expect(code).toBe(1);
    expect(lines.filter(({ type }) => type === 'error').map(({ error }) => error.message)).toEqual([
      expect.stringMatching(/broken\.mp4: .*not a video/),
    ]);
    const made = lines.filter(({ type }) => type === 'look');
    expect(made.map(({ look }) => look)).toEqual(['sunset', 'night']);
    expect(readdirSync(out).sort()).toEqual(['walk-night.mp4', 'walk-sunset.mp4']);
    const tools = await locateMediaTools();
    const [source, written] = [await probe(tools, file), await probe(tools, made[0]!.file)];
    expect([written.width, written.height, written.rate]).toEqual([source.width, source.height, source.rate]);
    expect(written.frameCount).toBe(source.frameCount);
    expect((await place.answer('concepts', ['concepts'])).concepts).toEqual([]);
  },
  patient,
);

test(
  'the same look again is taken from the library, and another seed is another edit',
  async () => {
    const made = async (...words: string[]) =>
      (await place.answer('look', ['look', file, '--look', 'sunset', ...words])).editId as string;
    const first = await made();
    expect(await made()).toBe(first);
    expect(await made('--seed', '2')).not.toBe(first);
  },
  patient,
);

test(
  'of a batch each edit that fails is told, and the others are made',
  async () => {
    const batch = join(place.folder, 'batch.json');
    writeFileSync(batch, '\ufeff[{"prompt": "a [v] man"}, {"prompt": "a man at night", "steps": 2}]');
    const { code, lines } = await place.motif(['edit', file, '--seen', 'a man', '--batch', batch, '--json']);
    expect(code).toBe(1);
    expect(lines.filter(({ type }) => type === 'error').map(({ error }) => error.message)).toEqual([
      expect.stringMatching(/^a \[v\] man: /),
    ]);
    expect(lines.filter(({ type }) => type === 'edit')).toHaveLength(1);
  },
  patient,
);

test('what makes no sense is refused with a reason, not called a fault of the program', async () => {
  const refused = async (...words: string[]) => {
    const { lines } = await place.motif([...words, '--json']);
    return lines.find(({ type }) => type === 'error')?.error;
  };
  const long = await refused('looks', '--save', 'x'.repeat(61), '--from', 'a', '--to', 'b');
  expect(long).toMatchObject({ code: 'invalid-input' });
  const { clip } = await place.answer('clip', ['import', file]);
  expect((await refused('export', clip.id, '--length', 'source'))?.message).toMatch(/--length is for edits/);
});

test(
  'edits are measured by networks that the user has, and a folder of none is refused',
  async () => {
    const { editId } = await place.answer('look', ['look', file, '--look', 'sunset']);
    const networks = join(place.folder, 'networks');
    await writeStandIns(networks);
    const measure = ['evaluate', 'edits', editId, '--metrics'];
    const measured = await place.answer('measures', [...measure, networks]);
    expect(measured.supplied.map(({ name }: { name: string }) => name)).toContain('a stand-in for CLIP');
    expect(measured).toMatchObject({ clips: [{ measures: { faceShare: expect.any(Number) } }], frechetVideo: null });
    const { clipImage, clipText } = measured.clips[0].measures;
    expect(clipImage).toBeGreaterThan(0.5);
    expect(clipImage).toBeLessThan(1);
    const told = await place.motif([...measure, networks]);
    expect(told.out).toMatch(new RegExp(`CLIP-T +CLIP-I +DINO-I +T\\. Cons\\.[^]*${clipText.toFixed(3)}`));
    expect(told.out).toMatch(/a stand-in for I3D: clip\.onnx \(SHA-256 [0-9a-f]{64}\)/);
    const none = await place.motif([...measure, place.folder]);
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('.metric.json')]);
  },
  patient,
);

test('words of one’s own become a look, which goes out and in as a file', async () => {
  const words = ['--from', '{seen} by day', '--to', '{seen} at night in fog'];
  const { look } = await place.answer('look', ['looks', '--save', 'Misty night', ...words, '--strength', '0.3']);
  expect(look).toMatchObject({ id: 'misty-night', strength: 0.3 });
  const target = join(place.folder, 'misty.json');
  await place.answer('file', ['looks', '--export', 'misty night', '-o', target]);
  expect(JSON.parse(readFileSync(target, 'utf8'))).toMatchObject({
    format: 'motif-look',
    to: '{seen} at night in fog',
  });
  await place.answer('look', ['looks', '--remove', 'misty night']);
  await place.answer('look', ['looks', '--import', target]);
  const { looks } = await place.answer('looks', ['looks']);
  expect(looks[0]).toMatchObject({ name: 'Misty night', isOwn: true });
});

test(
  'a clip is edited by words alone, and what is seen in it is kept',
  async () => {
    const id = (await place.answer('clips', ['clips'])).clips[0].id;
    const words = [
      '--seen',
      'a photograph by day',
      '--prompt',
      'a photograph in neon light',
      '--strength',
      '0.2',
      '--steps',
      '4',
    ];
    const { edit } = await place.answer('edit', ['edit', id, ...words]);
    expect(edit).toMatchObject({ conceptId: null, settings: { shown: 'a photograph by day', fidelity: 0.42 } });
    expect(existsSync(edit.frames.file)).toBe(true);
    // Of the file itself, which is in the library already, and of a part of it, which is not.
    expect(await place.answer('edit', ['edit', file, ...words])).toMatchObject({ reused: true, edit: { id: edit.id } });
    const part = (await place.answer('edit', ['edit', file, '--from', '0.3', ...words])).edit;
    expect(part.sourceClipId).not.toBe(id);
  },
  patient,
);

test(
  'a look follows things through the whole file in windows, and may be faint and black and white',
  async () => {
    const long = await place.makeClip('long.mp4', 'testsrc2', 3.4);
    const output = join(place.folder, 'whole.mp4');
    const grade = ['--amount', '0.8', '--colour', '0'];
    const { editId } = await place.answer('look', ['look', long, '--look', 'fog', '--whole', ...grade, '-o', output]);
    for (const name of ['frames.rgb', 'base.rgb'])
      expect(statSync(join(place.home, 'edits', editId, name)).size).toBe(25 * 32 * 32 * 3);
    const tools = await locateMediaTools();
    const [source, written] = [await probe(tools, long), await probe(tools, output)];
    expect([source.frameCount, written.frameCount]).toEqual([82, 82]);
    const again = await place.answer('look', ['look', long, '--look', 'fog', '--whole', ...grade]);
    expect(again.editId).toBe(editId);
  },
  patient,
);

test.each([
  [['--look', 'sunset', '--strength', '2'], 2, /Expected a number from 0 to 1/],
  [[], 2, /give --look/],
  [['--look', 'noir'], 1, /no look "noir"/],
  [['--look', 'sunset,night', '-o', 'x.mp4'], 2, /these are 2/],
])('look with %j says what is wrong', async (words, code, message) => {
  const ended = await place.motif(['look', file, ...words]);
  expect(ended.code).toBe(code);
  expect(ended.err).toMatch(message);
});

test('words that say the same before and after are refused before anything is computed', async () => {
  const same = ['--seen', 'a photograph  by day', '--prompt', 'A photograph by day'];
  const ended = await place.motif(['edit', file, ...same]);
  expect(ended.code).toBe(1);
  expect(ended.err).toMatch(/changes nothing/);
});
