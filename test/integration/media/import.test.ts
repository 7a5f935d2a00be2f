import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { passTimesThrough } from '../../../main/media/decode.ts';
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
const count = (from: number, length: number, step = 1) => Array.from({ length }, (_, index) => from + step * index);

describe('time', () => {
  const source = path('numbered.mp4');
  test('every frame arrives once at the same rate', async () => {
    await ffmpeg(...numbered(48), ...x264, '-g', '12', '-bf', '2', source);
    const clip = await importNumbered(source, folder);
    expect(readNumbers(clip)).toEqual(count(0, 48));
    expect(clip).toMatchObject({ fromSeconds: 0, warnings: [], frames: { width: 32, height: 32 } });
    expect(clip.toSeconds).toBeCloseTo(1.6);
  });

  test('half the rate takes every second frame, in steps of four and one', async () => {
    const clip = await importNumbered(source, folder, { rate: { numerator: 15, denominator: 1 }, temporalStride: 4 });
    expect(readNumbers(clip)).toEqual(count(0, 21, 2));
  });

  test('a range begins exactly, also far from a key frame, and ends where asked', async () => {
    const clip = await importNumbered(source, folder, { fromSeconds: 23 / 30, toSeconds: 33 / 30 });
    expect(readNumbers(clip)).toEqual(count(23, 10));
    const between = await importNumbered(source, folder, { fromSeconds: 23.5 / 30, toSeconds: 28.5 / 30 });
    expect(readNumbers(between)[0]).toBe(23);
  });

  test('no more than the maximum is taken, and it is said', async () => {
    const clip = await importNumbered(source, folder, { maximumFrames: 9 });
    expect(readNumbers(clip)).toEqual(count(0, 9));
    expect(clip.warnings.join()).toMatch(/Only the first 0\.30 s/);
  });

  test('progress counts every frame', async () => {
    const seen: number[] = [];
    await importNumbered(source, folder, { maximumFrames: 9, onProgress: ({ framesDone }) => seen.push(framesDone) });
    expect(seen.at(-1)).toBe(9);
  });

  test('a range outside the clip, or backwards, is refused', async () => {
    await expect(importNumbered(source, folder, { fromSeconds: 9 })).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(importNumbered(source, folder, { fromSeconds: 1, toSeconds: 0.5 })).rejects.toThrow(
      /before it starts/,
    );
  });

  test('a variable rate keeps every moment in its place', async () => {
    const file = path('variable.mp4');
    const select = `select='not(between(n,5,11)+eq(n,20)+eq(n,23))'`;
    await ffmpeg(
      ...numbered(60).slice(0, 4),
      '-frames:v',
      '31',
      '-vf',
      select,
      ...passTimesThrough((await mediaTools()).ffmpeg),
      ...x264,
      file,
    );
    const clip = await importNumbered(file, folder);
    expect(clip.warnings.join()).toMatch(/rate varies/);
    const shown = count(0, 40).filter((n) => !(n >= 5 && n <= 11) && n !== 20 && n !== 23);
    const onScreen = count(0, clip.frames.frameCount).map((n) => shown.filter((kept) => kept <= n).at(-1));
    expect(readNumbers(clip)).toEqual(onScreen);
  });

  test('an edit list hides what it cuts off', async () => {
    const file = path('edit-list.mp4');
    await ffmpeg('-ss', '0.5', '-i', source, '-c', 'copy', file);
    const { frameCount } = await probe(await mediaTools(), file);
    const numbers = readNumbers(await importNumbered(file, folder));
    expect(numbers[0]).toBe(15);
    expect(numbers).toHaveLength(frameCount);
  });

  test('Matroska times, rounded to milliseconds, do not make frames jump', async () => {
    const file = path('rounded.mkv');
    await ffmpeg('-i', source, '-c', 'copy', file);
    expect(readNumbers(await importNumbered(file, folder, { rate: { numerator: 15, denominator: 1 } }))).toEqual(
      count(0, 24, 2),
    );
  });

  test.each(['.ts', '.avi', '.mov'])('%s keeps the frames, from its beginning and inside', async (extension) => {
    const file = path(`other${extension}`);
    await ffmpeg('-i', source, '-c', 'copy', ...(extension === '.ts' ? ['-output_ts_offset', '500'] : []), file);
    const clip = await importNumbered(file, folder, { maximumFrames: 5 });
    expect(readNumbers(clip)).toEqual(count(0, 5));
    const part = await importNumbered(file, folder, { fromSeconds: 30 / 30, toSeconds: 34 / 30 });
    expect(readNumbers(part)).toEqual(count(30, 4));
  });

  test('pictures that begin after the sound are taken from their own beginning', async () => {
    const file = path('late.mp4');
    const sound = ['-f', 'lavfi', '-i', 'sine=duration=2'];
    await ffmpeg(...sound, '-itsoffset', '0.5', '-i', source, '-c:v', 'copy', '-map', '1:v', '-map', '0:a', file);
    const clip = await importNumbered(file, folder, { maximumFrames: 5 });
    expect(clip.fromSeconds).toBeCloseTo(0.5, 1);
    expect(readNumbers(clip)).toEqual(count(0, 5));
  });

  test('a raw stream without any times is read frame by frame', async () => {
    const file = path('raw.h264');
    await ffmpeg('-i', source, '-c', 'copy', '-bsf:v', 'h264_mp4toannexb', '-f', 'h264', file);
    const clip = await importNumbered(file, folder, { rate: { numerator: 30, denominator: 1 } });
    expect(clip.frames.frameCount).toBeGreaterThanOrEqual(47);
    expect(readNumbers(clip)[0]).toBe(0);
  });
});

describe('too short', () => {
  test('a short clip says how many frames are needed', async () => {
    const file = path('short.mp4');
    await ffmpeg(...numbered(3), ...x264, file);
    await expect(importNumbered(file, folder, { minimumFrames: 17 })).rejects.toMatchObject({
      code: 'unsupported-media',
      message: expect.stringMatching(/too short: 17 frames at 30 per second are needed \(0\.57 s\), it gives 3/),
    });
  });

  test('one frame is enough for looks', async () => {
    const file = path('one.mp4');
    await ffmpeg(...numbered(1), ...x264, file);
    const clip = await importNumbered(file, folder, { temporalStride: 4, minimumFrames: 1 });
    expect(clip.frames.frameCount).toBe(1);
    expect(clip.warnings.join()).toMatch(/motion cannot/);
  });
});

/** Quarters: red, green above blue, white. */
const quarters = (size = '128x96') => [
  ...['-f', 'lavfi', '-i', `color=red:size=${size}:rate=10`],
  ...[
    '-vf',
    'drawbox=x=iw/2:y=0:w=iw/2:h=ih/2:c=lime:t=fill,drawbox=x=0:y=ih/2:w=iw/2:h=ih/2:c=blue:t=fill,drawbox=x=iw/2:y=ih/2:w=iw/2:h=ih/2:c=white:t=fill',
  ],
  ...['-frames:v', '3'],
];
const named: Record<string, number[]> = {
  red: [255, 0, 0],
  lime: [0, 255, 0],
  blue: [0, 0, 255],
  white: [255, 255, 255],
};

/** The names of the colours in the four quarters, row by row. */
async function quarterColours(file: string, over: Parameters<typeof importNumbered>[2] = {}): Promise<string[]> {
  const clip = await importNumbered(file, folder, { sizes: [[64, 64]], ...over });
  const [rgb] = readPixels(clip);
  return [
    [0.2, 0.2],
    [0.8, 0.2],
    [0.2, 0.8],
    [0.8, 0.8],
  ].map(([x, y]) => {
    const colour = colourAt(clip, rgb!, x!, y!);
    const near = Object.entries(named).find(([, wanted]) =>
      wanted.every((value, index) => Math.abs(value - colour[index]!) <= 6),
    );
    return near?.[0] ?? colour.join(',');
  });
}

describe('the picture', () => {
  const source = path('quarters.mp4');
  test('is the right way up', async () => {
    await ffmpeg(...quarters(), ...x264, source);
    expect(await quarterColours(source)).toEqual(['red', 'lime', 'blue', 'white']);
  });

  test.each([90, 180, 270])(
    'turned by %i degrees in its metadata it is shown as ffmpeg itself shows it',
    async (degrees) => {
      const file = path(`turned-${degrees}.mp4`);
      const played = path(`played-${degrees}.mp4`);
      const turn = (await mediaTools()).ffmpeg.capabilities.libavutil[0] >= 58;
      await ffmpeg(
        ...(turn ? ['-display_rotation', String(degrees)] : []),
        ...['-i', source, '-c', 'copy', ...(turn ? [] : ['-metadata:s:v:0', `rotate=${degrees}`]), file],
      );
      await ffmpeg('-i', file, ...x264, played);
      const colours = await quarterColours(file);
      expect(colours).toEqual(await quarterColours(played));
      expect(colours).not.toEqual(['red', 'lime', 'blue', 'white']);
      const { width, height } = await probe(await mediaTools(), file);
      expect([width, height]).toEqual(degrees === 180 ? [128, 96] : [96, 128]);
    },
  );

  test('padding shows all of it between black bars, cropping its middle', async () => {
    const wide = path('wide.mp4');
    await ffmpeg(...quarters('192x64'), ...x264, wide);
    const padded = await importNumbered(wide, folder, { sizes: [[64, 64]], fit: 'pad' });
    const [rgb] = readPixels(padded);
    expect(colourAt(padded, rgb!, 0.5, 0.1)).toEqual([0, 0, 0]);
    expect(colourAt(padded, rgb!, 0.2, 0.4)[0]).toBeGreaterThan(245);
    expect(await quarterColours(wide)).toEqual(['red', 'lime', 'blue', 'white']);
  });

  test('a rectangle of the shown picture is taken, also when it is turned', async () => {
    expect(await quarterColours(source, { crop: { left: 64, top: 0, width: 64, height: 48 } })).toEqual(
      Array(4).fill('lime'),
    );
    const [, , bottomLeft] = await quarterColours(path('turned-90.mp4'));
    const turned = await quarterColours(path('turned-90.mp4'), { crop: { left: 0, top: 64, width: 48, height: 64 } });
    expect(turned).toEqual(Array(4).fill(bottomLeft));
    await expect(quarterColours(source, { crop: { left: 100, top: 0, width: 64, height: 48 } })).rejects.toMatchObject({
      code: 'invalid-input',
    });
  });

  test('pixels that are not square are made so', async () => {
    const file = path('anamorphic.mp4');
    await ffmpeg(...quarters(), ...x264, '-aspect', '2:1', file);
    const { width, height } = await probe(await mediaTools(), file);
    expect([width, height]).toEqual([192, 96]);
  });

  test('transparent parts are grey', async () => {
    const file = path('alpha.mov');
    const half = `geq=r=200:g=40:b=40:a='255*gt(X,W/2)'`;
    await ffmpeg(
      '-f',
      'lavfi',
      '-i',
      `color=red:size=64x64:rate=10,format=rgba,${half}`,
      '-frames:v',
      '2',
      '-c:v',
      'png',
      file,
    );
    const clip = await importNumbered(file, folder);
    const [rgb] = readPixels(clip);
    expect(colourAt(clip, rgb!, 0.2, 0.5)).toEqual([128, 128, 128]);
    expect(colourAt(clip, rgb!, 0.8, 0.5)).toEqual([200, 40, 40]);
    expect(clip.warnings.join()).toMatch(/over grey/);
  });

  test('a format with room for transparency that uses none is not said to be transparent', async () => {
    const file = path('opaque.gif');
    await ffmpeg(...quarters(), file);
    expect((await importNumbered(file, folder)).warnings.join()).not.toMatch(/grey/);
  });

  test('interlaced frames show no comb', async () => {
    const file = path('interlaced.mp4');
    const source = 'color=black:size=64x64:rate=50,format=gray,geq=lum=40+N*8,format=yuv420p';
    await ffmpeg(
      ...['-f', 'lavfi', '-i', source, '-frames:v', '8', '-vf', 'interlace=scan=tff:lowpass=0'],
      ...['-c:v', 'libx264', '-crf', '1', '-flags', '+ildct+ilme', '-x264-params', 'tff=1', file],
    );
    const clip = await importNumbered(file, folder, { sizes: [[64, 64]], rate: { numerator: 25, denominator: 1 } });
    expect(clip.warnings.join()).toMatch(/deinterlaced/);
    const rgb = readPixels(clip)[3]!;
    const rows = count(20, 20).map((row) => rgb[(row * 64 + 32) * 3]!);
    const comb = rows.slice(1).reduce((most, value, index) => Math.max(most, Math.abs(value - rows[index]!)), 0);
    expect(comb).toBeLessThan(5); // 9 with the comb
  });
});

describe('colour', () => {
  const bars = 'color=0xc02818:size=64x64:rate=10';
  const encode = (file: string, matrix: string, range: string, tags: string[]) =>
    ffmpeg(
      ...['-f', 'lavfi', '-i', bars, '-frames:v', '2'],
      ...[
        '-vf',
        `scale=out_color_matrix=${matrix}:out_range=${range}:flags=accurate_rnd+full_chroma_int,format=yuv444p`,
      ],
      ...['-c:v', 'libx264', '-crf', '1', '-pix_fmt', 'yuv444p', ...tags, file],
    );

  test.each([
    ['bt709', 'tv', ['-colorspace', 'bt709', '-color_range', 'tv']],
    ['bt601', 'tv', ['-colorspace', 'smpte170m', '-color_range', 'tv']],
    ['bt709', 'pc', ['-colorspace', 'bt709', '-color_range', 'pc']],
    ['bt601', 'tv', []],
  ])('%s in %s range comes back as it was', async (matrix, range, tags) => {
    const file = path(`colour-${matrix}-${range}-${tags.length}.mp4`);
    await encode(file, matrix, range, tags);
    const clip = await importNumbered(file, folder);
    const colour = colourAt(clip, readPixels(clip)[0]!, 0.5, 0.5);
    for (const [index, wanted] of [0xc0, 0x28, 0x18].entries())
      expect(Math.abs(colour[index]! - wanted)).toBeLessThanOrEqual(2);
  });

  test('HDR is tone-mapped: reference white is bright, not grey', async () => {
    const file = path('hdr.mp4');
    // Luma of 203 cd/m2 in PQ, 10 bits: 64 + 876 x 0.5807.
    const grey = `color=black:size=64x64:rate=10,format=yuv420p10le,geq=lum=573:cb=512:cr=512`;
    const tags = [
      '-color_primaries',
      'bt2020',
      '-color_trc',
      'smpte2084',
      '-colorspace',
      'bt2020nc',
      '-color_range',
      'tv',
    ];
    const params = 'log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc';
    await ffmpeg('-f', 'lavfi', '-i', grey, '-frames:v', '2', '-c:v', 'libx265', '-x265-params', params, ...tags, file);
    const clip = await importNumbered(file, folder);
    const [red, green, blue] = colourAt(clip, readPixels(clip)[0]!, 0.5, 0.5) as [number, number, number];
    expect(clip.warnings.join()).toMatch(/HDR \(PQ\) was tone-mapped/);
    expect(red).toBeGreaterThan(220);
    expect(Math.max(red, green, blue) - Math.min(red, green, blue)).toBeLessThanOrEqual(2);
  });
});

describe('what is damaged or no clip', () => {
  const source = path('whole.mp4');
  test('a file cut off after its index is imported as far as it goes', async () => {
    await ffmpeg(...numbered(48), ...x264, '-g', '12', '-movflags', '+faststart', source);
    const file = path('cut.mp4');
    writeFileSync(file, readFileSync(source));
    truncateSync(file, Math.floor(readFileSync(source).length * 0.6));
    const clip = await importNumbered(file, folder);
    expect(clip.warnings.join()).toMatch(/damaged/);
    expect(readNumbers(clip).slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
  });

  test('a file cut off before its index is refused', async () => {
    const file = path('no-index.mp4');
    await ffmpeg('-i', source, '-c', 'copy', file);
    truncateSync(file, Math.floor(readFileSync(file).length * 0.6));
    await expect(importNumbered(file, folder)).rejects.toThrow(/index \(moov\) is missing/);
  });

  test('an encrypted file is refused as such', async () => {
    const file = path('encrypted.mp4');
    const key = '0123456789abcdef0123456789abcdef';
    await ffmpeg(
      '-i',
      source,
      '-c',
      'copy',
      '-encryption_scheme',
      'cenc-aes-ctr',
      '-encryption_key',
      key,
      '-encryption_kid',
      key,
      file,
    );
    await expect(importNumbered(file, folder)).rejects.toThrow(/encrypted/);
  });

  test('sound, a picture, text, a folder, an empty and a missing file are refused, each with its reason', async () => {
    await ffmpeg('-f', 'lavfi', '-i', 'sine=duration=0.2', path('sound.mp4'));
    await ffmpeg(...numbered(1), '-f', 'image2', '-update', '1', path('picture.jpg'));
    writeFileSync(path('picture.mp4'), readFileSync(path('picture.jpg')));
    writeFileSync(path('text.mp4'), 'not a film, only words\n'.repeat(40));
    writeFileSync(path('text.txt'), 'not a film, only words\n'.repeat(40));
    writeFileSync(path('list.m3u8'), `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nwhole.mp4\n#EXT-X-ENDLIST\n`);
    writeFileSync(path('empty.mp4'), '');
    const reasons: Record<string, RegExp> = {
      'sound.mp4': /no video stream, only sound/,
      'picture.mp4': /picture \(JPEG\)/,
      'text.mp4': /not a video/,
      'text.txt': /text|not a video/,
      'list.m3u8': /playlist|not a video/,
      'empty.mp4': /empty/,
      'missing.mp4': /no file/,
      '.': /folder/,
    };
    for (const [name, reason] of Object.entries(reasons)) {
      await expect(importNumbered(path(name), folder), name).rejects.toThrow(reason);
    }
  });

  test('names that look like options, protocols or patterns are names', async () => {
    for (const name of ['-y.mp4', 'http:a b.mp4', "it's 100%d [1].mp4"]) {
      writeFileSync(path(name), readFileSync(source));
      const clip = await importNumbered(path(name), folder, { maximumFrames: 3 });
      expect(clip.source.name).toBe(name);
    }
  });
});

describe('the folder', () => {
  test('is untouched when an import fails or is cancelled', async () => {
    const home = path('home');
    const abort = new AbortController();
    const before = readdirSync(folder);
    const running = importNumbered(path('whole.mp4'), folder, {
      outFolder: home,
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    await expect(importNumbered(path('whole.mp4'), folder, { outFolder: home, minimumFrames: 400 })).rejects.toThrow(
      /too short/,
    );
    expect(readdirSync(folder)).toEqual(before);
  });

  test('that exists keeps what else it holds', async () => {
    const home = path('whole-home');
    await importNumbered(path('whole.mp4'), folder, { outFolder: home, maximumFrames: 2 });
    writeFileSync(join(home, 'notes.txt'), 'mine');
    const again = await importNumbered(path('whole.mp4'), folder, { outFolder: home, maximumFrames: 4 });
    expect(readdirSync(home).sort()).toEqual(['frames.rgb', 'notes.txt']);
    expect(readNumbers(again)).toEqual([0, 1, 2, 3]);
    rmSync(home, { recursive: true });
  });
});
