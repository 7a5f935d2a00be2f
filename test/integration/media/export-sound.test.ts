import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { exportFrames } from '../../../main/media/export.ts';
import type { ExportRequest } from '../../../main/media/export-options.ts';
import { probe } from '../../../main/media/probe.ts';
import { makeProxy } from '../../../main/media/proxy.ts';
import { run } from '../../../main/media/run.ts';
import { type ExportSettingsInput, exportSettings } from '../../../shared/domain/export.ts';
import { ffmpeg, mediaTools, testFolder } from './synthesise.ts';

const folder = testFolder();
const path = (name: string) => join(folder, name);
const size = { width: 32, height: 32 };
const frames = { file: path('frames.rgb'), frameCount: 16, rate: { numerator: 16, denominator: 1 }, ...size };
beforeAll(() => writeFileSync(frames.file, Buffer.alloc(16 * 32 * 32 * 3, 128)));

async function exportSound(name: string, clip: string, over: Partial<ExportSettingsInput> = {}, fromSeconds = 0) {
  const source: ExportRequest['source'] = { path: clip, fromSeconds, hasAudio: true, rate: frames.rate };
  const settings = exportSettings.parse({ audio: 'original', ...over });
  return exportFrames(await mediaTools(), { frames, settings, source, target: path(name), hardware: false });
}

const picture = ['-f', 'lavfi', '-i', 'color=gray:size=64x64:rate=25:duration=3'];
const tone = (frequency: number) => ['-f', 'lavfi', '-i', `sine=frequency=${frequency}:duration=3`];
const quick = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'];

/** What the filter says of the sound in a range, as its lines. */
async function measure(file: string, filter: string, range: string[] = []): Promise<string> {
  const { ffmpeg: program } = await mediaTools();
  const lines: string[] = [];
  await run(program.path, ['-hide_banner', '-nostdin', '-i', file, ...range, '-vn', '-af', filter, '-f', 'null', '-'], {
    onErrorLine: (line) => lines.push(line),
  });
  return lines.join('\n');
}

/** Root mean square in decibels. */
async function loudness(file: string, from: number, seconds: number): Promise<number> {
  const said = await measure(file, `atrim=start=${from}:duration=${seconds},astats=metadata=0`);
  return Number(/RMS level dB: (\S+)/.exec(said)?.[1]?.replace('-inf', '-200'));
}

/** Highest of all, between the samples too, in decibels of full scale (ITU-R BS.1770). */
async function truePeak(file: string): Promise<number> {
  return Number(/True peak:\s+Peak:\s+(\S+) dBFS/.exec(await measure(file, 'ebur128=peak=true'))?.[1]);
}

describe('of the source nothing goes out but the chosen sound', () => {
  test('no chapter, title, tag or data track', async () => {
    const notes = path('notes.txt');
    const chapter = '[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2500\ntitle=Secret chapter\n';
    writeFileSync(notes, `;FFMETADATA1\ntitle=Secret title\ncomment=Secret comment\n${chapter}`);
    const clip = path('chapters.mp4');
    const named = ['-metadata:s:a:0', 'language=deu', '-metadata:s:a:0', 'handler_name=Secret sound'];
    await ffmpeg(
      ...picture,
      ...tone(440),
      '-i',
      notes,
      '-map_metadata',
      '2',
      ...quick,
      ...named,
      '-timecode',
      '01:00:00:00',
      clip,
    );
    const { ffprobe } = await mediaTools();
    for (const preset of ['h264', 'prores', 'gif', 'png'] as const) {
      const { file } = await exportSound(`clean-${preset}`, clip, { preset });
      if (preset === 'png') continue;
      expect(readFileSync(file).includes('Secret'), preset).toBe(false);
      const { output } = await run(ffprobe.path, [
        '-v',
        'error',
        '-show_streams',
        '-show_chapters',
        '-of',
        'json',
        file,
      ]);
      const { streams, chapters } = JSON.parse(output);
      expect(chapters).toEqual([]);
      const kinds = streams.map(({ codec_type }: { codec_type: string }) => codec_type);
      expect(kinds, preset).toEqual(preset === 'gif' ? ['video'] : ['video', 'audio']);
    }
    const found = await probe(await mediaTools(), path('clean-h264.mp4'));
    expect(found.audio[0]?.language).toBe('deu');
  });
});

describe('several sounds', () => {
  const clip = path('languages.mkv');
  beforeAll(() =>
    ffmpeg(
      ...[
        ...picture,
        ...tone(300),
        '-f',
        'lavfi',
        '-i',
        'anullsrc',
        '-t',
        '3',
        '-map',
        '0',
        '-map',
        '1',
        '-map',
        '2',
        ...quick,
      ],
      ...['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=deu'],
      ...['-disposition:a:0', '0', '-disposition:a:1', 'default', '-c:a', 'aac', clip],
    ),
  );

  test('the one that is marked goes out and is named, another when it is asked for', async () => {
    const marked = await exportSound('marked', clip);
    expect(marked.warnings.join()).toMatch(/sound 1 \(English, \w+\) and 2 \(German, \w+\); 2 was taken/);
    expect(await loudness(marked.file, 0.2, 0.5)).toBeLessThan(-60);
    const first = await exportSound('first', clip, { sound: 1 });
    expect(first.warnings).toEqual([]);
    expect(await loudness(first.file, 0.2, 0.5)).toBeGreaterThan(-30);
  });

  test('one that there is not is refused with what there is', async () => {
    await expect(exportSound('third', clip, { sound: 3 })).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(/no sound 3, only 1 \(English/),
    });
  });
});

describe('the mix of 5.1', () => {
  const inAll = (sound: string) => Array(6).fill(sound).join('|');
  test.each([
    ['a tone', `aevalsrc='${inAll('0.99*sin(2*PI*997*t)')}':c=5.1:d=3:s=48000`],
    ['a square', `aevalsrc='${inAll('0.99*(2*gt(sin(2*PI*997*t)\\,0)-1)')}':c=5.1:d=3:s=48000`],
    ['noise', `aevalsrc='${inAll('2*random(0)-1')}':c=5.1:d=3:s=48000`],
  ])('of %s at full scale in all channels has no peak above full scale', async (name, sound) => {
    const clip = path(`loud ${name}.mkv`);
    await ffmpeg(...picture, '-f', 'lavfi', '-i', sound, ...quick, '-c:a', 'ac3', '-b:a', '640k', clip);
    for (const preset of ['h264', 'prores'] as const) {
      const { file } = await exportSound(`mixed ${name}`, clip, { preset });
      const peak = await truePeak(file);
      expect(peak, preset).toBeLessThan(0);
      expect(peak, preset).toBeGreaterThan(-12);
    }
  });
});

describe('one clock for sound and pictures', () => {
  /** A tone from 1.0 to 1.4 s of the sound. */
  const burst = ['-f', 'lavfi', '-i', 'aevalsrc=0.5*sin(2*PI*440*t)*between(t\\,1.0\\,1.4):d=3:s=48000'];

  async function expectBurst(file: string, from: number): Promise<void> {
    expect(await loudness(file, from + 0.1, 0.2)).toBeGreaterThan(-15);
    expect(await loudness(file, Math.max(0, from - 0.15), 0.1)).toBeLessThan(-40);
    expect(await loudness(file, from + 0.48, 0.1)).toBeLessThan(-40);
  }

  test.each(['.ts', '.mkv', '.mp4', '.mpg'])(
    '%s keeps its sound in place, whichever begins first',
    async (extension) => {
      const sound =
        extension === '.mpg' ? ['-c:a', 'mp2', '-c:v', 'mpeg2video', '-f', 'svcd'] : ['-c:a', 'aac', ...quick];
      const pictureFirst = path(`picture-first${extension}`);
      await ffmpeg(...picture, '-itsoffset', '0.4', ...burst, '-map', '0:v', '-map', '1:a', ...sound, pictureFirst);
      // The sound's own 1.0 lies at 1.4 of the file; the export begins at 1.2.
      await expectBurst((await exportSound(`picture-first${extension}`, pictureFirst, {}, 1.2)).file, 0.2);
      if (extension === '.mpg') return; // its encoder fills up what is missing of the pictures
      const soundFirst = path(`sound-first${extension}`);
      await ffmpeg('-itsoffset', '0.4', ...picture, ...burst, '-map', '0:v', '-map', '1:a', ...sound, soundFirst);
      await expectBurst((await exportSound(`sound-first${extension}`, soundFirst, {}, 0.8)).file, 0.2);
    },
  );

  test('a copy to play has the times of the source, with the sound that is marked', async () => {
    const file = path('late-sound.ts');
    await ffmpeg(
      ...picture,
      '-itsoffset',
      '0.4',
      ...burst,
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-c:a',
      'aac',
      ...quick,
      file,
    );
    const tools = await mediaTools();
    const proxy = path('late-sound.mp4');
    await makeProxy(tools, await probe(tools, file), { file: proxy });
    expect((await probe(tools, proxy)).startSeconds).toBeCloseTo(0, 1);
    await expectBurst(proxy, 1.4);
  });
});
