import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDecoder } from '../../../main/media/decode.ts';
import { encoderChoices } from '../../../main/media/encoder-choice.ts';
import { ffmpegFor, locateMediaTools } from '../../../main/media/locate.ts';
import type { Probe } from '../../../main/media/probe-types.ts';
import { mediaTools, testFolder } from './synthesise.ts';

const folder = testFolder();

/** A program that answers like an ffmpeg with the given encoders and little else, and keeps failing otherwise. */
function fakeFfmpeg(name: string, script: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}
const poor = `case "$*" in *-version*) echo 'ffmpeg version poor Copyright'; echo 'libavutil 57. 1.100';; *-encoders*) echo ' V..... mpeg4   MPEG-4';; *) echo '';; esac`;

test('an ffmpeg and an ffprobe that run are found, with versions and what they can do', async () => {
  const { ffmpeg, ffprobe } = await mediaTools();
  expect(ffmpeg.capabilities.version).toMatch(/\S/);
  expect(ffmpeg.capabilities.filters.has('scale')).toBe(true);
  expect(ffmpeg.missing.filter(({ essential }) => essential)).toEqual([]);
  expect(ffprobe.version).toMatch(/\S/);
});

describe.skipIf(process.platform === 'win32')('a choice among several', () => {
  test('what a user names is taken when it runs, whatever it lacks', async () => {
    const tools = await locateMediaTools({ FFMPEG_BIN: fakeFfmpeg('poor', poor) });
    expect(tools.ffmpeg).toMatchObject({ origin: 'FFMPEG_BIN', capabilities: { version: 'poor' } });
    expect(tools.ffmpeg.missing.map(({ names }) => names[0])).toContain('libx264');
  });

  test('what does not run is passed over with its reason', async () => {
    const broken = fakeFfmpeg('broken', 'echo "wrong architecture" >&2; exit 126');
    const tools = await locateMediaTools({ FFMPEG_BIN: broken, FFPROBE_BIN: join(folder, 'missing') });
    expect(tools.ffmpeg.origin).toBe('npm');
    expect(tools.ffprobe.origin).not.toBe('FFPROBE_BIN');
    const reasons = tools.passedOver.map(({ origin, reason }) => `${origin}: ${reason}`).join('\n');
    expect(reasons).toMatch(/FFMPEG_BIN: does not run: wrong architecture/);
    expect(reasons).toMatch(/FFPROBE_BIN: does not run/);
  });

  test('a system ffmpeg without the essentials gives way to one that has them', async () => {
    fakeFfmpeg('bin/ffmpeg', poor);
    const tools = await locateMediaTools({ PATH: join(folder, 'bin') });
    expect(tools.ffmpeg.path).not.toBe(join(folder, 'bin', 'ffmpeg'));
    expect(tools.passedOver[0]?.reason).toMatch(/lacks .*encoder libx264/);
  });

  test('another one is looked for when the chosen one cannot do what is needed', async () => {
    const tools = await locateMediaTools({ FFMPEG_BIN: fakeFfmpeg('poor', poor) });
    const able = await ffmpegFor(tools, ({ decodableCodecs }) => decodableCodecs.has('h264'));
    expect(able?.origin).toBe('npm');
    expect(await ffmpegFor(tools, ({ decodableCodecs }) => decodableCodecs.has('no-such-codec'))).toBeUndefined();
  });
});

test('a codec that cannot be decoded is an error that names the fix', async () => {
  const tools = await mediaTools();
  const capabilities = { ...tools.ffmpeg.capabilities, decodableCodecs: new Set(['h264']) };
  const poor = { ...tools, ffmpeg: { ...tools.ffmpeg, capabilities }, passedOver: [], others: [] };
  await expect(openDecoder(poor, { codec: 'av1' } as Probe)).rejects.toMatchObject({
    code: 'unsupported-media',
    message: expect.stringMatching(/cannot decode AV1 video/),
    hint: expect.stringMatching(/libdav1d.*FFMPEG_BIN/),
  });
});

test('a hardware encoder that is listed and does not work gives way to the processor', async () => {
  const tools = await mediaTools();
  const encoders = new Set([...tools.ffmpeg.capabilities.encoders, 'h264_amf']);
  const capabilities = { ...tools.ffmpeg.capabilities, encoders };
  const hopeful = { ...tools, ffmpeg: { ...tools.ffmpeg, capabilities } };
  const size = { width: 64, height: 64 };
  const trials = new Map();
  const choices = await encoderChoices(hopeful, 'h264', size, { hardware: true, trials });
  expect(choices.map(({ choice }) => choice.encoder)).not.toContain('h264_amf');
  expect(choices.at(-1)?.choice.encoder).toMatch(/libx264|libopenh264/);
  expect([...trials.keys()].join()).toMatch(/h264_amf 64x64/);
});

test('a preset that no encoder can write is an error that names what to install', async () => {
  const tools = await mediaTools();
  const capabilities = { ...tools.ffmpeg.capabilities, encoders: new Set(['libx264']) };
  const poor = { ...tools, ffmpeg: { ...tools.ffmpeg, capabilities }, passedOver: [], others: [] };
  const size = { width: 64, height: 64 };
  await expect(encoderChoices(poor, 'av1', size, { hardware: false })).rejects.toMatchObject({
    code: 'unsupported-media',
    hint: expect.stringMatching(/libsvtav1/),
  });
});
