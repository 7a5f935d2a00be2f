import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ffmpegFor, locateMediaTools } from '../../../main/media/locate.ts';
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
