import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fitInside, frameTime, readFrames, readRawFrames, writeStill } from '../../../main/media/frames.ts';
import { probe } from '../../../main/media/probe.ts';
import { makeProxy } from '../../../main/media/proxy.ts';
import { sideBySide, writeAnimatedThumbnail, writeFilmstrip, writePoster } from '../../../main/media/thumbnails.ts';
import {
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
const source = path('numbered.mp4');
const made = ffmpeg(...numbered(50, '128x96'), ...x264, '-g', '20', '-bf', '2', source);
const numberOf = ({ rgb }: { rgb: Uint8Array }) => Math.round((rgb[0]! - 16) / 4);

describe('frames', () => {
  test('any frames of a source are read exactly, in the order asked', async () => {
    await made;
    const tools = await mediaTools();
    const clip = await probe(tools, source);
    const wanted = [37, 0, 19, 20, 49, 21, 37];
    const times = wanted.map((index) => frameTime(clip, index));
    const pictures = await readFrames(tools, clip, times, { width: 32, height: 24 });
    expect(pictures.map(numberOf)).toEqual(wanted);
    expect(pictures[0]).toMatchObject({ width: 32, height: 24 });
  });

  test('times between frames give the frame on screen, past the end the last', async () => {
    const tools = await mediaTools();
    const clip = await probe(tools, source);
    const pictures = await readFrames(tools, clip, [10.6 / 30, 60], { width: 32, height: 24 });
    expect(pictures.map(numberOf)).toEqual([10, 49]);
  });

  test('key frames alone are near and early', async () => {
    const tools = await mediaTools();
    const clip = await probe(tools, source);
    const pictures = await readFrames(tools, clip, [25 / 30], { width: 32, height: 24, keyFrames: true });
    expect(pictures.map(numberOf)).toEqual([20]);
  });

  test('stills keep their pixels and go back in', async () => {
    const tools = await mediaTools();
    const clip = await importNumbered(source, folder, { maximumFrames: 3 });
    const [first, last] = await readRawFrames(clip.frames, [0, 2]);
    expect([first!, last!].map(numberOf)).toEqual([0, 2]);
    for (const name of ['still.png', 'still 100%d.jpg', 'still.webp']) await writeStill(tools, last!, path(name));
    expect(readFileSync(path('still.png')).subarray(1, 4).toString()).toBe('PNG');
    expect(readFileSync(path('still 100%d.jpg')).readUInt16BE(0)).toBe(0xffd8);
    expect(readFileSync(path('still.webp')).subarray(8, 12).toString()).toBe('WEBP');
    await expect(writeStill(tools, first!, path('still.bmp'))).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(readRawFrames(clip.frames, [3])).rejects.toThrow(/expected a frame below 3/);
    writeFileSync(clip.frames.file, readFileSync(clip.frames.file).subarray(0, 5000));
    await expect(readRawFrames(clip.frames, [2])).rejects.toMatchObject({ code: 'damaged-file' });
  });

  test('sizes are fitted without enlarging and kept even', () => {
    expect(fitInside({ width: 1920, height: 1080 }, 480)).toEqual({ width: 480, height: 270 });
    expect(fitInside({ width: 101, height: 51 }, 480)).toEqual({ width: 102, height: 52 });
  });
});

describe('thumbnails', () => {
  test('a filmstrip is one row of evenly spread pictures', async () => {
    const tools = await mediaTools();
    const strip = await writeFilmstrip(tools, await probe(tools, source), path('strip.png'), { count: 5, height: 30 });
    expect(strip).toEqual({ count: 5, tileWidth: 40, tileHeight: 30 });
    expect(readFileSync(path('strip.png')).readUInt32BE(16)).toBe(200);
  });

  test('pictures are laid side by side row by row', () => {
    const picture = (value: number) => ({ width: 2, height: 2, rgb: new Uint8Array(12).fill(value) });
    const { width, height, rgb } = sideBySide([picture(1), picture(2)]);
    expect([width, height]).toEqual([4, 2]);
    expect([...rgb]).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
  });

  test('a poster avoids an empty beginning', async () => {
    const tools = await mediaTools();
    const file = path('black-first.mp4');
    const fade = `drawbox=w=iw/2:h=ih:c=white:t=fill:enable='gt(t,0.6)'`;
    await ffmpeg('-f', 'lavfi', '-i', `color=black:size=64x64:rate=10,${fade}`, '-t', '1.5', ...x264, file);
    await writePoster(tools, await probe(tools, file), path('poster.png'), { maximumSide: 32 });
    const empty = path('empty.png');
    await writeStill(tools, { width: 32, height: 32, rgb: new Uint8Array(32 * 32 * 3) }, empty);
    expect(statSync(path('poster.png')).size).toBeGreaterThan(statSync(empty).size);
  });

  test('animated thumbnails come from sources and from raw frames, of one frame too', async () => {
    const tools = await mediaTools();
    const clip = await importNumbered(source, folder, { maximumFrames: 17 });
    const files = [
      await writeAnimatedThumbnail(tools, await probe(tools, source), path('source'), { maximumSide: 48 }),
      await writeAnimatedThumbnail(tools, clip.frames, path('raw')),
      await writeAnimatedThumbnail(tools, { ...clip.frames, frameCount: 1 }, path('single')),
    ];
    for (const file of files) expect(readFileSync(file).subarray(0, 4).toString()).toMatch(/RIFF|GIF8/);
    const moving = readFileSync(files[0]!).toString('latin1');
    expect(moving.split('ANMF').length - 1).toBeGreaterThan(5);
  });
});

describe('proxies', () => {
  test.each(['.mp4', '.webm'])('a %s proxy has the same frames at the same times', async (extension) => {
    const tools = await mediaTools();
    const file = path(`proxy${extension}`);
    const seen: number[] = [];
    const clip = await probe(tools, source);
    const size = await makeProxy(tools, clip, {
      file,
      maximumSide: 48,
      onProgress: ({ ratio }) => seen.push(ratio ?? 0),
    });
    expect(size).toEqual({ width: 64, height: 48 });
    const proxy = await probe(tools, file);
    expect(proxy).toMatchObject({ ...size, frameCount: 50, colour: { matrix: 'bt709' } });
    for (const [index, time] of proxy.frameTimes!.entries())
      expect(Math.abs(time - clip.frameTimes![index]!)).toBeLessThan(0.001);
    const numbers = readNumbers(await importNumbered(file, folder));
    // A proxy is compressed: its greys may be a step off, in the order of the frames.
    for (const [index, number] of numbers.entries()) expect(Math.abs(number - index)).toBeLessThanOrEqual(1);
    expect(seen.at(-1)).toBe(1);
  });

  test('colours, turning and pixel shape are settled in it', async () => {
    const tools = await mediaTools();
    const upright = path('red.mp4');
    await ffmpeg(
      ...['-f', 'lavfi', '-i', 'color=0xc02818:size=96x64:rate=10', '-frames:v', '3'],
      ...['-vf', 'scale=out_color_matrix=bt601:out_range=pc,format=yuv420p'],
      ...[...x264, '-colorspace', 'smpte170m', '-color_range', 'pc', '-aspect', '2:1', upright],
    );
    const turn = tools.ffmpeg.capabilities.libavutil[0] >= 58;
    await ffmpeg(
      ...(turn ? ['-display_rotation', '90'] : []),
      ...['-i', upright, '-c', 'copy', ...(turn ? [] : ['-metadata:s:v:0', 'rotate=90']), path('turned.mp4')],
    );
    expect(await makeProxy(tools, await probe(tools, path('turned.mp4')), { file: path('settled.mp4') })).toEqual({
      width: 64,
      height: 128,
    });
    const clip = await importNumbered(path('settled.mp4'), folder);
    const [red, green, blue] = readPixels(clip)[0]!;
    for (const [value, wanted] of [
      [red, 0xc0],
      [green, 0x28],
      [blue, 0x18],
    ]) {
      expect(Math.abs(value! - wanted!)).toBeLessThanOrEqual(4);
    }
  });
});
