import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readFrames } from '../../../main/media/frames.ts';
import { probe } from '../../../main/media/probe.ts';
import {
  colourAt,
  ffmpeg,
  importNumbered,
  mediaTools,
  numbered,
  readNumbers,
  readPixels,
  testFolder,
  x264,
} from './synthesise.ts';

const folder = testFolder();
const path = (name: string) => join(folder, name);
const count = (from: number, length: number) => Array.from({ length }, (_, index) => from + index);
const second = (frame: number) => frame / 30;
const tone = ['-f', 'lavfi', '-i', 'sine=duration=2.4'];

const source = path('long-gop.mp4');
/** Copied into program streams, which are recognised by what MPEG-2 looks like at a rate of its own. */
const mpeg2 = path('long-gop.m2v.mkv');
const sourceFor = (extension: string) => (extension === '.mpg' ? mpeg2 : source);
const formatOf = (extension: string) => (extension === '.mpg' ? ['-c:a', 'mp2', '-f', 'svcd'] : []);
beforeAll(async () => {
  await ffmpeg(...numbered(56), ...x264, '-g', '28', '-sc_threshold', '0', '-bf', '2', source);
  const rate = ['-b:v', '2M', '-minrate', '2M', '-maxrate', '2M', '-bufsize', '1M'];
  await ffmpeg(
    '-i',
    source,
    '-c:v',
    'mpeg2video',
    ...rate,
    '-g',
    '28',
    '-sc_threshold',
    '1000000000',
    '-bf',
    '2',
    mpeg2,
  );
});

describe('streams without an index', () => {
  test.each(['.ts', '.mpg', '.mkv', '.mov', '.flv', '.nut'])(
    '%s is trimmed exactly, far from a key frame',
    async (extension) => {
      const file = path(`far${extension}`);
      await ffmpeg('-i', sourceFor(extension), '-c', 'copy', ...formatOf(extension), file);
      for (const first of [20, 27, 28, 50]) {
        const clip = await importNumbered(file, folder, { fromSeconds: second(first), toSeconds: second(first + 5) });
        expect(readNumbers(clip), `from ${first}`).toEqual(count(first, 5));
        expect(clip.warnings, `from ${first}`).toEqual([]);
      }
    },
  );

  test('of one key frame only is decoded from there', async () => {
    const file = path('one-key.ts');
    await ffmpeg(...numbered(56), ...x264, '-g', '600', '-bf', '2', file);
    const clip = await importNumbered(file, folder, { fromSeconds: second(45), toSeconds: second(50) });
    expect(readNumbers(clip)).toEqual(count(45, 5));
    const [picture] = await readFrames(await mediaTools(), await probe(await mediaTools(), file), [second(50)], {
      width: 16,
      height: 16,
    });
    expect(Math.round((picture!.rgb[0]! - 16) / 4)).toBe(50);
  });

  test('of MPEG-1, which tells the time of some pictures only, is trimmed exactly too', async () => {
    const file = path('some-times.mpg');
    const group = ['-b:v', '2M', '-g', '12', '-bf', '2'];
    await ffmpeg(...numbered(56), '-c:v', 'mpeg1video', ...group, '-f', 'mpeg', file);
    const { startSeconds } = await probe(await mediaTools(), file);
    for (const first of [12, 30, 50]) {
      const fromSeconds = startSeconds + second(first);
      const clip = await importNumbered(file, folder, { fromSeconds, toSeconds: fromSeconds + second(4) });
      expect(readNumbers(clip), `from ${first}`).toEqual(count(first, 4));
    }
  });

  test('a key frame that no scan told is found by going back', async () => {
    const file = path('unknown-keys.ts');
    await ffmpeg('-i', source, '-c', 'copy', file);
    const tools = await mediaTools();
    const known = await probe(tools, file);
    // As of a file too large to be read to its end, past the part that was.
    const large = { ...known, frameTimes: undefined, keyFrames: [], scannedSeconds: 0 };
    const [picture] = await readFrames(tools, large, [second(54)], { width: 16, height: 16 });
    expect(Math.round((picture!.rgb[0]! - 16) / 4)).toBe(54);
  });

  test.each(['.ts', '.mpg', '.mkv', '.mp4'])(
    '%s whose pictures begin after the sound has one clock',
    async (extension) => {
      const file = path(`late${extension}`);
      const late = ['-itsoffset', '0.4', '-i', sourceFor(extension), '-map', '0:a', '-map', '1:v', '-c:v', 'copy'];
      await ffmpeg(...tone, ...late, ...formatOf(extension), file);
      const found = await probe(await mediaTools(), file);
      expect(found.startSeconds).toBeGreaterThan(0.3);
      const whole = await importNumbered(file, folder, { maximumFrames: 5 });
      expect(readNumbers(whole)).toEqual(count(0, 5));
      const from = found.startSeconds + second(32);
      const part = await importNumbered(file, folder, { fromSeconds: from, toSeconds: from + second(5) });
      expect(readNumbers(part)).toEqual(count(32, 5));
    },
  );
});

describe('what is no damage', () => {
  const openGop = ['-x264-params', 'open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=3:b-adapt=0'];

  test('a trim between open groups of pictures', async () => {
    const file = path('open.ts');
    await ffmpeg(...numbered(56), ...x264, '-bf', '3', ...openGop, file);
    for (const first of [22, 24, 37]) {
      const clip = await importNumbered(file, folder, { fromSeconds: second(first), toSeconds: second(first + 6) });
      expect(clip.warnings, `from ${first}`).toEqual([]);
      expect(readNumbers(clip), `from ${first}`).toEqual(count(first, 6));
    }
  });

  test('a recording that was cut out of a longer one: it begins with its first whole picture', async () => {
    const whole = path('whole.ts');
    const file = path('cut.ts');
    await ffmpeg(...numbered(56), ...x264, '-g', '14', '-bf', '2', whole);
    const bytes = readFileSync(whole);
    const half = Math.floor(bytes.length / 2);
    writeFileSync(file, bytes.subarray(half - (half % 188)));
    const clip = await importNumbered(file, folder, { maximumFrames: 5 });
    expect(clip.warnings.join()).not.toMatch(/damaged/);
    expect(readNumbers(clip)[0]! % 14).toBe(0);
    expect(new Set(readNumbers(clip)).size).toBe(5);
  });

  test('words of the log in a title or a name', async () => {
    const file = path('[h264 @ 0x1] [error] showinfo n: 1 pts: 1 pts_time:1.mp4');
    await ffmpeg(
      '-i',
      source,
      '-c',
      'copy',
      '-metadata',
      'title=[error] [fatal]\n[h264 @ 0x1] [error]',
      `file:${file}`,
    );
    const clip = await importNumbered(file, folder, { maximumFrames: 5 });
    expect(clip.warnings.join()).not.toMatch(/damaged/);
    expect(readNumbers(clip)).toEqual(count(0, 5));
  });

  test('a Matroska file whose clock begins late', async () => {
    const file = path('hour.mkv');
    await ffmpeg('-i', source, '-c', 'copy', '-output_ts_offset', '3600', file);
    expect((await importNumbered(file, folder)).warnings).toEqual([]);
  });

  test('pictures that are stored and never shown', async () => {
    const file = path('hidden.webm');
    const hidden = ['-c:v', 'libvpx', '-auto-alt-ref', '1', '-lag-in-frames', '16', '-b:v', '2M', '-g', '28'];
    await ffmpeg(...numbered(56), ...hidden, file);
    expect((await importNumbered(file, folder)).warnings).toEqual([]);
  });
});

describe('what a file says of itself', () => {
  test('AVI with B-frames keeps its first frame and its rate', async () => {
    const file = path('bframes.avi');
    await ffmpeg(...numbered(56), '-c:v', 'mpeg4', '-bf', '1', '-q:v', '1', '-g', '12', file);
    const found = await probe(await mediaTools(), file);
    expect(found).toMatchObject({ frameCount: 56, variableRate: false });
    const clip = await importNumbered(file, folder, { maximumFrames: 6 });
    expect(readNumbers(clip)).toEqual(count(0, 6));
    expect(clip.fromSeconds).toBeCloseTo(found.startSeconds);
    const from = found.startSeconds + second(30);
    const part = await importNumbered(file, folder, { fromSeconds: from, toSeconds: from + second(5) });
    expect(readNumbers(part)).toEqual(count(30, 5));
  });

  test('a cover that is stored as a plain stream is not taken for the video', async () => {
    const file = path('cover.mkv');
    const picture = path('cover-alone.mkv');
    await ffmpeg('-f', 'lavfi', '-i', 'color=red:size=600x600:rate=1', '-frames:v', '1', '-c:v', 'mjpeg', picture);
    const streams = ['-i', picture, '-i', source, '-map', '0:v', '-map', '1:v', '-c', 'copy'];
    await ffmpeg(...streams, '-disposition:v:0', 'default', '-disposition:v:1', '0', file);
    expect(await probe(await mediaTools(), file)).toMatchObject({ codec: 'h264', frameCount: 56, warnings: [] });
  });

  test('of two videos the one that was taken is named', async () => {
    const file = path('two.mkv');
    await ffmpeg('-i', source, '-i', source, '-map', '0:v', '-map', '1:v', '-c', 'copy', file);
    expect((await probe(await mediaTools(), file)).warnings.join()).toMatch(/2 videos; the one of \d+x\d+ was taken/);
  });

  test('a clock without a rate is refused with that reason', async () => {
    const file = path('no-clock.mp4');
    const bytes = readFileSync(source);
    bytes.writeUInt32BE(0, bytes.indexOf('mdhd') + 16);
    writeFileSync(file, bytes);
    await expect(importNumbered(file, folder)).rejects.toMatchObject({
      code: 'unsupported-media',
      message: expect.stringMatching(/clock has no rate/),
    });
  });

  test('a pipe and a device are no clips', async () => {
    if (process.platform === 'win32') return;
    const pipe = path('pipe.mp4');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    await expect(importNumbered(pipe, folder)).rejects.toThrow(/is a pipe, not a video file/);
    await expect(importNumbered('/dev/zero', folder)).rejects.toThrow(/is a device, not a video file/);
  });

  test('transparency in wide gamut is composed over grey as well', async () => {
    const file = path('wide-alpha.mkv');
    const half = "format=rgba,geq=r=200:g=40:b=40:a='255*gt(X,W/2)',format=yuva444p10le";
    const tags = ['-color_primaries', 'bt2020', '-color_trc', 'bt709', '-colorspace', 'bt709', '-color_range', 'tv'];
    await ffmpeg(
      '-f',
      'lavfi',
      '-i',
      `color=red:size=64x64:rate=10,${half}`,
      '-frames:v',
      '2',
      '-c:v',
      'ffv1',
      ...tags,
      file,
    );
    const clip = await importNumbered(file, folder, { sizes: [[64, 64]] });
    const [rgb] = readPixels(clip);
    expect(clip.warnings.join()).toMatch(/Wide-gamut.*over grey/i);
    expect(colourAt(clip, rgb!, 0.2, 0.5)).toEqual([128, 128, 128]);
    expect(colourAt(clip, rgb!, 0.8, 0.5)[0]).toBeGreaterThan(200);
  });
});
