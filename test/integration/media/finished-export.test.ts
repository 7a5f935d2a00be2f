import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decode, openDecoder } from '../../../main/media/decode.ts';
import { exportFrames } from '../../../main/media/export.ts';
import { finishedPictures } from '../../../main/media/finished-pictures.ts';
import { importClip } from '../../../main/media/import.ts';
import { probe } from '../../../main/media/probe.ts';
import type { Clip, RawFrames } from '../../../shared/domain/clip.ts';
import type { Recolour } from '../../../shared/domain/colour-words.ts';
import { type ExportSettingsInput, exportSettings } from '../../../shared/domain/export.ts';
import { ffmpeg, mediaTools, readPixels, testFolder } from './synthesise.ts';

const folder = testFolder();
const path = (name: string) => join(folder, name);
const rate = { numerator: 8, denominator: 1 };

/** As a library keeps it. */
async function imported(...given: Parameters<typeof importClip>): Promise<MadeClip> {
  return { ...(await importClip(...given)), createdAt: new Date().toISOString() };
}

type MadeClip = Pick<Clip, 'source' | 'fromSeconds' | 'toSeconds' | 'crop' | 'fit' | 'frames' | 'createdAt'>;

/** Two seconds of a moving pattern of 320 x 180 at 24 frames a second, with a tone, lossless. */
async function makeClip(name: string, over: Partial<Parameters<typeof importClip>[1]> = {}): Promise<MadeClip> {
  const file = path(`${name}.mkv`);
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=24:duration=3', '-f', 'lavfi', '-i', 'sine=duration=3'],
    ...['-c:v', 'ffv1', '-pix_fmt', 'gbrp', '-c:a', 'pcm_s16le', file],
  );
  const outFolder = path(`${name}-frames`);
  return imported(await mediaTools(), {
    file,
    sizes: [[176, 96]],
    rate,
    temporalStride: 4,
    maximumFrames: 17,
    outFolder,
    ...over,
  });
}

/** The frames of a clip with each byte changed. */
function changed(frames: RawFrames, name: string, change: (value: number, channel: number) => number): RawFrames {
  const data = Buffer.concat(readPixels({ frames } as never));
  for (let at = 0; at < data.length; at++) data[at] = Math.round(Math.min(255, Math.max(0, change(data[at]!, at % 3))));
  writeFileSync(path(name), data);
  return { ...frames, file: path(name) };
}

async function exportEdit(
  clip: MadeClip,
  edited: RawFrames,
  name: string,
  settings: ExportSettingsInput = {},
  length: 'range' | 'source' = 'range',
  recolour: Recolour | null = null,
) {
  const tools = await mediaTools();
  const pictures = await finishedPictures(tools, { clip, base: clip.frames, edited, keepDetail: 1, recolour, length });
  const made = await exportFrames(tools, {
    frames: pictures,
    settings: exportSettings.parse(settings),
    target: path(name),
    source: { ...clip.source, fromSeconds: pictures.fromSeconds },
    hardware: false,
  });
  return { ...made, pictures };
}

async function pixelsOf(png: string): Promise<Uint8Array> {
  await ffmpeg('-i', png, '-f', 'rawvideo', '-pix_fmt', 'rgb24', path('picture.rgb'));
  return readFileSync(path('picture.rgb'));
}

/** Every picture of a file from a moment on, as RGB. */
async function picturesOf(file: string, count: number, fromSeconds = 0): Promise<Uint8Array[]> {
  const tools = await mediaTools();
  const probed = await probe(tools, file);
  const pictures: Uint8Array[] = [];
  await decode(probed, await openDecoder(tools, probed), {
    fromSeconds,
    toSeconds: probed.endSeconds,
    picture: { crop: null, fit: 'crop', width: probed.width, height: probed.height },
    onFrame: (rgb, seconds) => {
      if (seconds >= fromSeconds - 1e-3) pictures.push(rgb);
      return pictures.length < count;
    },
  });
  return pictures;
}

test('an edit that changes nothing gives the clip back, every picture to the bit, at its own size, rate and length', async () => {
  const clip = await makeClip('same', { fromSeconds: 0.5 });
  copyFileSync(clip.frames.file, path('same.rgb'));
  const { file, frameCount, width, height } = await exportEdit(
    clip,
    { ...clip.frames, file: path('same.rgb') },
    'same',
    {
      preset: 'png',
    },
  );
  expect([frameCount, width, height]).toEqual([51, 320, 180]);
  const names = readdirSync(file).sort();
  expect(names.length).toBe(51);
  const source = await picturesOf(path('same.mkv'), 51, 0.5);
  for (const index of [0, 1, 2, 25, 50]) {
    const written = await pixelsOf(join(file, names[index]!));
    expect(Buffer.compare(written, source[index]!)).toBe(0);
  }
});

test('an edit that darkens the model’s small pictures darkens the large ones, whose detail stays', async () => {
  const clip = await makeClip('darker');
  const edited = changed(clip.frames, 'darker.rgb', (value) => 0.5 * value);
  const { file } = await exportEdit(clip, edited, 'darker', { preset: 'png' });
  const names = readdirSync(file).sort();
  const written = await pixelsOf(join(file, names[20]!));
  const source = (await picturesOf(path('darker.mkv'), 21))[20]!;
  let error = 0;
  let sharpness = [0, 0];
  for (let at = 0; at < source.length - 3; at++) {
    error += Math.abs(written[at]! - source[at]! / 2);
    sharpness = [
      sharpness[0]! + Math.abs(written[at + 3]! - written[at]!),
      sharpness[1]! + Math.abs(source[at + 3]! - source[at]!) / 2,
    ];
  }
  expect(error / source.length).toBeLessThan(6);
  expect(sharpness[0]! / sharpness[1]!).toBeGreaterThan(0.85);
});

test('a thing that words give another colour goes out recoloured as a whole, and all else as it was, to the bit', async () => {
  const file = path('box.mkv');
  const box = (x: number, width: number, colour: string) => `drawbox=x=${x}:y=60:w=${width}:h=70:c=${colour}:t=fill`;
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `color=c=0x98a0a4:size=320x180:rate=24:duration=2.5,${box(110, 90, '0xb02a30')}`],
    ...['-c:v', 'ffv1', '-pix_fmt', 'gbrp', file],
  );
  const sizes: [number, number][] = [[176, 96]];
  const outFolder = path('box-frames');
  const importing = { file, sizes, rate, temporalStride: 4, maximumFrames: 17, outFolder };
  const clip = await imported(await mediaTools(), importing);
  // As a small model might: most of the box is blue, and a stripe of the wall beside it; elsewhere it wanders.
  const { width, height, frameCount } = clip.frames;
  const drawn = readFileSync(clip.frames.file);
  for (let at = 0; at < drawn.length; at += 3) {
    const [x, y] = [(at / 3) % width, Math.floor(at / 3 / width) % height];
    const stray = Math.round(12 * Math.sin(x / 2) * Math.cos(y / 3));
    if (x > 54 && x < 100 && y > 36 && y < 66) drawn.set([40, 70, 190], at);
    else for (const channel of [0, 1, 2]) drawn[at + channel]! += stray;
  }
  writeFileSync(path('box-edited.rgb'), drawn);
  const edited = { ...clip.frames, file: path('box-edited.rgb') };
  const { pictures } = await exportEdit(clip, edited, 'box', { preset: 'png' }, 'range', { from: 'red', to: 'blue' });
  const result = await pixelsOf(join(path('box'), readdirSync(path('box')).sort()[20]!));
  const [was] = await picturesOf(file, 1, 0.9);
  const pixel = (of: Uint8Array, x: number, y: number) => [...of.subarray((y * 320 + x) * 3, (y * 320 + x) * 3 + 3)];
  expect([pictures.width, pictures.height, frameCount]).toEqual([320, 180, 17]);
  for (const [x, y] of [
    [114, 64],
    [155, 95],
    [196, 126],
  ] as const) {
    const [red, , blue] = pixel(result, x, y);
    expect(blue! - red!).toBeGreaterThan(60);
  }
  for (const [x, y] of [
    [10, 10],
    [104, 95],
    [207, 95],
    [155, 50],
    [155, 140],
  ] as const)
    expect(pixel(result, x, y)).toEqual(pixel(was!, x, y));
});

test('a finished video has the size, rate, length and sound of its clip, and a crop is what goes out', async () => {
  const clip = await makeClip('whole', { crop: { left: 40, top: 20, width: 200, height: 120 } });
  const { file, pictures } = await exportEdit(clip, clip.frames, 'whole', { audio: 'original' });
  expect(pictures).toMatchObject({ width: 200, height: 120, frameCount: 51, rate: { numerator: 24, denominator: 1 } });
  const exported = await probe(await mediaTools(), file);
  expect([exported.width, exported.height, exported.frameCount]).toEqual([200, 120, 51]);
  expect(exported.audio.length).toBe(1);
  const small = await exportEdit(clip, clip.frames, 'small', { width: 100, rate: { numerator: 12, denominator: 1 } });
  expect([small.width, small.height, small.frameCount]).toEqual([100, 60, 26]);
});

test('an edit of the whole file is laid over it from its beginning, wherever the range lies that the model saw', async () => {
  const clip = await makeClip('windows', { fromSeconds: 0.5, maximumFrames: 5 });
  const { frames } = await makeClip('windows-all', { maximumFrames: 21 });
  // Each frame of the edit is as dark as it is late.
  const bytes = frames.width * frames.height * 3;
  let at = 0;
  const darker = changed(frames, 'windows.rgb', (value) => (value * (30 - Math.floor(at++ / bytes))) / 30);
  const tools = await mediaTools();
  for (const [length, from, count] of [
    ['source', 0, 72],
    ['range', 0.5, 15],
  ] as const) {
    const pictures = await finishedPictures(tools, { clip, base: frames, edited: darker, keepDetail: 1, length });
    expect([pictures.fromSeconds, pictures.frameCount]).toEqual([from, count]);
    const written: Uint8Array[] = [];
    await pictures.write({ ...pictures, width: 320, height: 180 }, async (rgb) => void written.push(rgb.slice()));
    const source = await picturesOf(path('windows.mkv'), count, from);
    for (const index of [0, 6, 14]) {
      const second = from + index / 24;
      const wanted = (30 - Math.min(20, second * 8)) / 30;
      const mean = (rgb: Uint8Array) => rgb.reduce((sum, value) => sum + value, 0) / rgb.length;
      expect(mean(written[index]!) / mean(source[index]!)).toBeCloseTo(wanted, 1);
    }
  }
});

test('an edit of a part goes out over the whole file, which outside of it changes as its light and colour do', async () => {
  const clip = await makeClip('long', { fromSeconds: 0.5 });
  const darker = changed(clip.frames, 'long.rgb', (value) => value / 2);
  const { file, frameCount } = await exportEdit(clip, darker, 'long', { preset: 'png', audio: 'original' }, 'source');
  expect(frameCount).toBe(72);
  const names = readdirSync(file).sort();
  const source = await picturesOf(path('long.mkv'), 72);
  for (const index of [0, 12, 40, 71]) {
    const written = await pixelsOf(join(file, names[index]!));
    const error = written.reduce((sum, value, at) => sum + Math.abs(value - source[index]![at]! / 2), 0);
    expect(error / written.length).toBeLessThan(8);
  }
});

test('an edit that changes nothing gives the whole file back to the bit', async () => {
  const clip = await makeClip('long-same', { fromSeconds: 0.5 });
  const { file } = await exportEdit(clip, clip.frames, 'long-same', { preset: 'png' }, 'source');
  const names = readdirSync(file).sort();
  const source = await picturesOf(path('long-same.mkv'), 72);
  for (const index of [0, 30, 71])
    expect(Buffer.compare(await pixelsOf(join(file, names[index]!)), source[index]!)).toBe(0);
});

test('a clip whose file is gone, or came without one, says what can be done instead', async () => {
  const clip = await makeClip('gone');
  const tools = await mediaTools();
  const request = (source: Partial<Clip['source']>) =>
    finishedPictures(tools, {
      clip: { ...clip, source: { ...clip.source, ...source } },
      base: clip.frames,
      edited: clip.frames,
      keepDetail: 1,
    });
  await expect(request({ path: path('nowhere.mkv') })).rejects.toMatchObject({
    code: 'not-found',
    hint: expect.stringContaining("the model's own frames"),
  });
  await expect(request({ path: null })).rejects.toMatchObject({ code: 'not-found' });
});

test('an edit is not made to another file that was put in the place of its clip', async () => {
  const clip = await makeClip('replaced');
  const tools = await mediaTools();
  const request = () => finishedPictures(tools, { clip, base: clip.frames, edited: clip.frames, keepDetail: 1 });
  const { path: file } = clip.source;
  const own = readFileSync(file!);
  writeFileSync(file!, own); // the same again
  expect((await request()).frameCount).toBeGreaterThan(1);
  const other = Buffer.from(own);
  other[other.length - 1]! ^= 1;
  for (const content of [own.subarray(0, own.length / 2), other]) {
    writeFileSync(file!, content);
    await expect(request()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('replaced.mkv'),
    });
  }
});

test('of a varying rate nearly every frame is written, and it is said', async () => {
  const file = path('varying.mkv');
  // A second of 30 pictures, then two of 10.
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30:duration=3'],
    ...['-vf', "select='lt(t,1)+not(mod(n,3))'", '-c:v', 'ffv1', '-pix_fmt', 'gbrp', file],
  );
  const clip = await imported(await mediaTools(), {
    file,
    sizes: [[176, 96]],
    rate,
    temporalStride: 4,
    maximumFrames: 17,
    outFolder: path('varying-frames'),
  });
  const pictures = await finishedPictures(await mediaTools(), {
    clip,
    base: clip.frames,
    edited: clip.frames,
    keepDetail: 1,
    length: 'source',
  });
  expect(pictures).toMatchObject({ rate: { numerator: 30, denominator: 1 }, frameCount: 88 });
  expect(pictures.notes).toEqual([expect.stringContaining('varies')]);
});

test('an export that is cancelled ends its thread and leaves nothing', async () => {
  const clip = await makeClip('cancelled');
  const tools = await mediaTools();
  const controller = new AbortController();
  const pictures = await finishedPictures(tools, { clip, base: clip.frames, edited: clip.frames, keepDetail: 1 });
  let written = 0;
  const exporting = exportFrames(tools, {
    frames: {
      ...pictures,
      write: (shape, put, signal) =>
        pictures.write(
          shape,
          (rgb) => {
            if (++written === 2) controller.abort();
            return put(rgb);
          },
          signal,
        ),
    },
    settings: exportSettings.parse({}),
    target: path('cancelled-edit'),
    hardware: false,
    signal: controller.signal,
  });
  await expect(exporting).rejects.toMatchObject({ code: 'cancelled' });
  expect(written).toBeGreaterThan(1);
  expect(readdirSync(folder).filter((name) => name.includes('cancelled-edit'))).toEqual([]);
});

test('a source of 10 bits stays so through finishing: an edit that changes nothing gives back all of its levels', async () => {
  // One level of 10 bits a column, from 200 on: in 8 bits they would be a quarter as many.
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'nullsrc=size=640x96:rate=24:duration=1,format=gbrp10le,geq=r=200+X:g=200+X:b=200+X'],
    ...['-c:v', 'ffv1', path('deep.mkv')],
  );
  const clip = await imported(await mediaTools(), {
    file: path('deep.mkv'),
    sizes: [[176, 96]],
    rate,
    temporalStride: 4,
    maximumFrames: 5,
    outFolder: path('deep-frames'),
  });
  copyFileSync(clip.frames.file, path('deep-same.rgb'));
  const same = { ...clip.frames, file: path('deep-same.rgb') };
  const levels = async (file: string) => {
    await ffmpeg('-i', file, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'gray16le', path('deep.gray'));
    const bytes = readFileSync(path('deep.gray'));
    const row = new Uint16Array(bytes.buffer, bytes.byteOffset + 48 * 640 * 2, 640);
    return { count: new Set(row).size, row };
  };
  for (const preset of ['h265', 'prores', 'png'] as const) {
    const { file, pictures } = await exportEdit(clip, same, `deep-${preset}`, {
      preset,
      crf: preset === 'h265' ? 4 : undefined,
    });
    expect(pictures.isDeep).toBe(true);
    const first = preset === 'png' ? join(file, readdirSync(file).sort()[0]!) : file;
    if (preset !== 'png') expect((await probe(await mediaTools(), file)).bitDepth).toBe(10);
    const { count, row } = await levels(first);
    // ProRes and H.265 lose some; 8 bits have 160 of them.
    expect(count, preset).toBeGreaterThan(300);
    expect(row[600]! / 64, preset).toBeGreaterThan(780);
    expect(row[600]! / 64, preset).toBeLessThan(820);
  }
  const darker = await exportEdit(
    clip,
    changed(clip.frames, 'deep-darker.rgb', (value) => 0.5 * value),
    'deep-darker',
    {
      preset: 'png',
    },
  );
  const dark = await levels(join(darker.file, readdirSync(darker.file).sort()[0]!));
  expect(dark.count).toBeGreaterThan(400);
  expect(dark.row[600]! / 64).toBeLessThan(600);
  // 8 bits where that is all that a preset can.
  const small = await exportEdit(clip, same, 'deep-h264', { preset: 'h264' });
  expect((await probe(await mediaTools(), small.file)).bitDepth).toBe(8);
});

test('the timecode of the source goes on with its pictures, and goes where they are no longer one by one', async () => {
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=3', '-timecode', '01:02:03:04', path('timed.mov')],
  );
  const clip = await imported(await mediaTools(), {
    file: path('timed.mov'),
    sizes: [[176, 96]],
    rate,
    temporalStride: 4,
    maximumFrames: 17,
    outFolder: path('timed-frames'),
    fromSeconds: 0.8,
  });
  copyFileSync(clip.frames.file, path('timed-same.rgb'));
  const same = { ...clip.frames, file: path('timed-same.rgb') };
  const timecodeOf = async (file: string) => (await probe(await mediaTools(), file)).timecode;
  for (const preset of ['h264', 'prores'] as const)
    expect(await timecodeOf((await exportEdit(clip, same, `timed-${preset}`, { preset })).file)).toBe('01:02:03:24');
  expect(await timecodeOf((await exportEdit(clip, same, 'timed-whole', {}, 'source')).file)).toBe('01:02:03:04');
  const slower = await exportEdit(clip, same, 'timed-slower', { rate: { numerator: 12, denominator: 1 } });
  expect(await timecodeOf(slower.file)).toBeUndefined();
});
