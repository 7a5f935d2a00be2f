import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportFrames } from '../../../main/media/export.ts';
import type { ExportRequest } from '../../../main/media/export-options.ts';
import { probe } from '../../../main/media/probe.ts';
import { run } from '../../../main/media/run.ts';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import { type ExportSettingsInput, exportSettings } from '../../../shared/domain/export.ts';
import { ffmpeg, importNumbered, mediaTools, readPixels, testFolder } from './synthesise.ts';

const folder = testFolder();
const path = (name: string) => join(folder, name);
const rate = { numerator: 16, denominator: 1 };

/** The seven bars at three quarters, above a ramp over all greys. */
const bars = [
  [191, 191, 191],
  [191, 191, 0],
  [0, 191, 191],
  [0, 191, 0],
  [191, 0, 191],
  [191, 0, 0],
  [0, 0, 191],
];
const [width, height] = [256, 64];

function testPicture(x: number, y: number): number[] {
  return y < height / 2 ? bars[Math.min(6, Math.floor((x * 7) / width))]! : [x, x, x];
}

function writeFrames(name: string, frameCount: number, size = { width, height }): RawFrames {
  const rgb = new Uint8Array(frameCount * size.width * size.height * 3);
  let at = 0;
  for (let frame = 0; frame < frameCount; frame++) {
    for (let y = 0; y < size.height; y++) {
      for (let x = 0; x < size.width; x++) {
        for (const value of testPicture(x, y)) rgb[at++] = value;
      }
    }
  }
  writeFileSync(path(name), rgb);
  return { file: path(name), frameCount, rate, ...size };
}
const frames = writeFrames('frames.rgb', 5);

const exportAs = async (settings: ExportSettingsInput, over: Partial<ExportRequest> = {}) =>
  exportFrames(await mediaTools(), {
    frames,
    settings: exportSettings.parse(settings),
    target: path(`${settings.preset ?? 'h264'}.mp4`),
    hardware: false,
    ...over,
  });

/** Largest difference to the test picture, away from the bars' edges, where 4:2:0 must mix colours. */
async function largestError(file: string): Promise<number> {
  const clip = await importNumbered(file, folder, { sizes: [[width, height]], rate });
  let largest = 0;
  for (const rgb of [readPixels(clip)[0]!, readPixels(clip).at(-1)!]) {
    for (let y = 2; y < height - 2; y++) {
      if (Math.abs(y - height / 2) < 5) continue;
      for (let x = 0; x < width; x++) {
        const inBar = (x * 7) % width;
        if (y < height / 2 && (inBar < 7 * 6 || inBar > width - 7 * 6)) continue;
        for (const [index, wanted] of testPicture(x, y).entries()) {
          largest = Math.max(largest, Math.abs(rgb[(y * width + x) * 3 + index]! - wanted));
        }
      }
    }
  }
  return largest;
}

describe('colours', () => {
  test.each([
    ['h264', 1, 'h264'],
    ['h265', 1, 'hevc'],
    ['prores', 1, 'prores'],
  ] as const)(
    'a grey ramp and colour bars survive %s within two levels, and it says BT.709',
    async (preset, crf, codec) => {
      const { file, frameCount, warnings } = await exportAs({ preset, crf });
      const found = await probe(await mediaTools(), file);
      expect(found).toMatchObject({ codec, frameCount: 5, rate, width, height });
      expect(found.colour).toMatchObject({ matrix: 'bt709', range: 'limited', primaries: 'bt709', transfer: 'bt709' });
      expect([frameCount, warnings]).toEqual([5, []]);
      expect(await largestError(file)).toBeLessThanOrEqual(2);
    },
  );

  test('they survive AV1 too', async () => {
    const { file } = await exportAs({ preset: 'av1', crf: 1 }, { frames: { ...writeFrames('two.rgb', 2) } });
    const found = await probe(await mediaTools(), file);
    expect(found).toMatchObject({ codec: 'av1', frameCount: 2, colour: { matrix: 'bt709', range: 'limited' } });
    // SVT-AV1 at its finest is a level further off than libaom; a wrong matrix or range is off by ten and more.
    expect(await largestError(file)).toBeLessThanOrEqual(3);
  });

  test('PNG pictures are exact', async () => {
    const { file, sizeBytes, frameCount } = await exportAs({ preset: 'png' }, { target: path('stills 100%d.png') });
    expect(basename(file)).toBe('stills 100%d');
    expect(readdirSync(file).sort()).toEqual(['00000.png', '00001.png', '00002.png', '00003.png', '00004.png']);
    expect(frameCount).toBe(5);
    expect(sizeBytes).toBeGreaterThan(1000);
    const { ffmpeg: program } = await mediaTools();
    const chunks: Buffer[] = [];
    const args = [
      '-v',
      'error',
      '-f',
      'png_pipe',
      '-i',
      join(file, '00004.png'),
      '-f',
      'rawvideo',
      '-pix_fmt',
      'rgb24',
      'pipe:1',
    ];
    await run(program.path, args, {
      onOutput: (chunk) => {
        chunks.push(chunk);
        return undefined;
      },
    });
    const wanted = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
      const pixel = Math.floor(at / 3);
      return testPicture(pixel % width, Math.floor(pixel / width))[at % 3]!;
    });
    expect(Buffer.compare(Buffer.concat(chunks), wanted)).toBe(0);
  });

  test('a GIF has a palette of its own and every frame', async () => {
    const { file } = await exportAs({ preset: 'gif' });
    expect(await probe(await mediaTools(), file)).toMatchObject({ codec: 'gif', width, height });
    const clip = await importNumbered(file, folder, { sizes: [[width, height]], rate });
    expect(clip.frames.frameCount).toBe(5);
    const [red, green, blue] = readPixels(clip)[0]!.subarray((10 * width + 10) * 3);
    for (const value of [red, green, blue]) expect(Math.abs(value! - 191)).toBeLessThanOrEqual(4);
  });
});

describe('size, rate and count', () => {
  test('odd sizes become even, other sizes are scaled, and both are said', async () => {
    const odd = writeFrames('odd.rgb', 3, { width: 97, height: 55 });
    const { file, warnings } = await exportAs({ preset: 'h264' }, { frames: odd, target: path('odd.mp4') });
    expect(await probe(await mediaTools(), file)).toMatchObject({ width: 98, height: 56, frameCount: 3 });
    expect(warnings.join()).toMatch(/even sizes/);
    const large = await exportAs({ preset: 'h264', width: 512 }, { target: path('large.mp4') });
    expect(await probe(await mediaTools(), large.file)).toMatchObject({ width: 512, height: 128 });
  });

  test('another rate keeps the length and has exactly the frames that it needs', async () => {
    const { file, frameCount } = await exportAs(
      { preset: 'h264', rate: { numerator: 30000, denominator: 1001 } },
      { frames: writeFrames('long.rgb', 17), target: path('rate.mp4') },
    );
    const found = await probe(await mediaTools(), file);
    expect(frameCount).toBe(32);
    expect(found).toMatchObject({ frameCount: 32, rate: { numerator: 30000, denominator: 1001 }, variableRate: false });
    expect(found.endSeconds).toBeCloseTo(17 / 16, 1);
  });
});

describe('sound', () => {
  const clip = path('with-sound.mp4');
  const source = { path: clip, fromSeconds: 1, hasAudio: true, rate: { numerator: 25, denominator: 1 } };

  test('of the trimmed range comes along, as long as the pictures', async () => {
    const tone = 'aevalsrc=0.5*sin(2*PI*440*t)*between(t\\,0.9\\,2.2):d=3';
    await ffmpeg(
      ...['-f', 'lavfi', '-i', 'color=gray:size=64x64:rate=25', '-f', 'lavfi', '-i', tone],
      ...['-t', '3', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', clip],
    );
    const { file } = await exportAs(
      { preset: 'h264', audio: 'original' },
      { source, frames: writeFrames('long.rgb', 17), target: path('sound.mp4') },
    );
    const found = await probe(await mediaTools(), file);
    expect(found.frameCount).toBe(17);
    expect(found.audio).toHaveLength(1);
    expect(Math.abs(found.audio[0]!.durationSeconds! - 17 / 16)).toBeLessThan(0.06);
    // All of the second from 1.0 on is tone; from 0 on half of it would be silent.
    expect(await loudness(file, 0, 0.4)).toBeGreaterThan(0.2);
    expect(await loudness(file, 0.6, 0.4)).toBeGreaterThan(0.2);
  });

  test('of ProRes is uncompressed, and of a clip that is gone an error that names it', async () => {
    const { file } = await exportAs({ preset: 'prores', audio: 'original' }, { source, target: path('sound.mov') });
    expect((await probe(await mediaTools(), file)).audio[0]?.codec).toBe('pcm_s16le');
    const gone = exportAs({ preset: 'h264', audio: 'original' }, { source: { ...source, path: path('gone.mp4') } });
    await expect(gone).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('gone.mp4') });
  });
});

/** Root mean square of the sound in a range. */
async function loudness(file: string, fromSeconds: number, seconds: number): Promise<number> {
  const { ffmpeg: program } = await mediaTools();
  const chunks: Buffer[] = [];
  const range = ['-ss', String(fromSeconds), '-t', String(seconds)];
  await run(program.path, ['-v', 'error', '-i', file, ...range, '-vn', '-f', 's16le', '-ac', '1', 'pipe:1'], {
    onOutput: (chunk) => {
      chunks.push(chunk);
      return undefined;
    },
  });
  const bytes = Buffer.concat(chunks);
  let squares = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) squares += (bytes.readInt16LE(at) / 32768) ** 2;
  return Math.sqrt(squares / (bytes.length / 2));
}

describe('the file', () => {
  test('is never half there: cancelling and failing leave the folder as it was', async () => {
    const before = readdirSync(folder);
    const abort = new AbortController();
    const long = { ...frames, frameCount: 5 };
    // Large enough that it is still at work when it is cancelled, on any machine.
    const running = exportAs(
      { preset: 'h264', width: 4096, height: 1024 },
      { frames: long, target: path('never.mp4'), signal: abort.signal },
    );
    setTimeout(() => abort.abort(), 30);
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    await expect(exportAs({ preset: 'h264', crf: 63 }, { target: path('never.mp4') })).rejects.toMatchObject({
      code: 'invalid-input',
    });
    const missing = { ...frames, file: path('no.rgb') };
    await expect(exportAs({}, { frames: missing, target: path('never.mp4') })).rejects.toMatchObject({
      code: 'not-found',
    });
    const cut = { ...frames, frameCount: 6 };
    await expect(exportAs({}, { frames: cut, target: path('never.mp4') })).rejects.toMatchObject({
      code: 'damaged-file',
    });
    expect(readdirSync(folder)).toEqual(before);
  });

  test('that exists is numbered, replaced or refused, as asked', async () => {
    const target = path('taken.mp4');
    writeFileSync(target, 'old');
    expect((await exportAs({ overwrite: 'number' }, { target })).file).toBe(path('taken 2.mp4'));
    await expect(exportAs({ overwrite: 'refuse' }, { target })).rejects.toMatchObject({ code: 'conflict' });
    expect((await exportAs({ overwrite: 'replace' }, { target })).file).toBe(target);
    expect(statSync(target).size).toBeGreaterThan(500);
  });

  test('gets the extension of its format whatever was asked', async () => {
    expect((await exportAs({ preset: 'prores' }, { target: path('clip.mp4') })).file).toBe(path('clip.mov'));
    expect((await exportAs({ preset: 'h264' }, { target: path('v1.2 final') })).file).toBe(path('v1.2 final.mp4'));
  });

  test('reports progress up to the end', async () => {
    const ratios: Array<number | undefined> = [];
    await exportAs({}, { target: path('progress.mp4'), onProgress: ({ ratio }) => ratios.push(ratio) });
    expect(ratios.at(-1)).toBe(1);
  });

  test('is written by the processor where no hardware encoder works', async () => {
    const trials = new Map();
    const { encoder, warnings } = await exportAs({}, { target: path('any.mp4'), hardware: true, trials });
    expect(encoder).toMatch(/264/);
    expect(warnings).toEqual([]);
    const found = await probe(await mediaTools(), path('any.mp4'));
    expect(found.frameCount).toBe(5);
  });
});
