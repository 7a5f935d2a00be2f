import { describe, expect, test } from 'vitest';
import { frameOrder } from '../../../main/media/export.ts';
import {
  chooseQuality,
  chooseRate,
  chooseSize,
  chooseSound,
  type ExportRequest,
} from '../../../main/media/export-options.ts';
import type { MediaTools } from '../../../main/media/locate.ts';
import { presets } from '../../../main/media/presets.ts';
import type { ExportSettingsInput } from '../../../shared/domain/export.ts';
import { exportSettings } from '../../../shared/domain/export.ts';

const fps = (numerator: number, denominator = 1) => ({ numerator, denominator });
const request = (settings: ExportSettingsInput, source?: ExportRequest['source']): ExportRequest => ({
  frames: { file: '/frames.rgb', frameCount: 17, width: 257, height: 135, rate: fps(16) },
  settings: exportSettings.parse(settings),
  target: '/out/a.mp4',
  source,
});
const source = { path: '/a.mp4', fromSeconds: 2, hasAudio: true, rate: fps(30000, 1001) };

describe('size', () => {
  const size = (settings: ExportSettingsInput, warnings: string[] = []) => {
    const asked = request(settings);
    return chooseSize(presets[asked.settings.preset], asked, warnings);
  };
  test('odd sides become even where the format stores half the colour', () => {
    const warnings: string[] = [];
    expect(size({ preset: 'h264' }, warnings)).toEqual({ width: 258, height: 136 });
    expect(warnings[0]).toMatch(/even sizes only: 258x136 instead of 257x135/);
    expect(size({ preset: 'prores' })).toEqual({ width: 258, height: 135 });
    expect(size({ preset: 'png' })).toEqual({ width: 257, height: 135 });
  });
  test('one side alone keeps the shape', () => {
    expect(size({ preset: 'png', width: 514 })).toEqual({ width: 514, height: 270 });
    expect(size({ preset: 'png', height: 270 })).toEqual({ width: 514, height: 270 });
    expect(size({ preset: 'h264', width: 640, height: 480 })).toEqual({ width: 640, height: 480 });
  });
});

describe('rate', () => {
  test("is the frames' own, a number, or the source's", () => {
    expect(chooseRate(request({}), [])).toEqual(fps(16));
    expect(chooseRate(request({ rate: fps(25) }), [])).toEqual(fps(25));
    expect(chooseRate(request({ rate: 'source' }, source), [])).toEqual(fps(30000, 1001));
  });
  test('of the source needs a source, and none may be absurd', () => {
    expect(() => chooseRate(request({ rate: 'source' }), [])).toThrow(/needs the clip/);
    expect(() => chooseRate(request({ rate: fps(1000) }), [])).toThrow(/too high/);
  });
  test('of a GIF is bounded by what players show', () => {
    const warnings: string[] = [];
    expect(chooseRate(request({ preset: 'gif', rate: fps(60) }), warnings)).toEqual(fps(50));
    expect(warnings).toHaveLength(1);
  });
});

test("the quality is the preset's own or inside its scale", () => {
  const warnings: string[] = [];
  expect(chooseQuality(presets.h264, request({}).settings, warnings)).toBe(18);
  expect(chooseQuality(presets.h264, request({ crf: 0 }).settings, warnings)).toBe(0);
  expect(() => chooseQuality(presets.h264, request({ crf: 60 }).settings, warnings)).toThrow(/outside 0 to 51/);
  expect(chooseQuality(presets.av1, request({ preset: 'av1', crf: 60 }).settings, warnings)).toBe(60);
  expect(warnings).toEqual([]);
  expect(chooseQuality(presets.png, request({ preset: 'png', crf: 60 }).settings, warnings)).toBe(0);
  expect(warnings.join()).toMatch(/png has one quality only: --crf 60 was left out/);
});

describe('sound', () => {
  /** What is refused before a file is looked at needs none. */
  const noTools = {} as MediaTools;
  const sound = (settings: ExportSettingsInput, from?: ExportRequest['source'], warnings: string[] = []) => {
    const asked = request({ audio: 'original', ...settings }, from);
    return chooseSound(presets[asked.settings.preset], asked, warnings, noTools);
  };
  test('is silent when not asked for, and says when there can be none', async () => {
    const warnings: string[] = [];
    expect(await sound({ audio: 'none' }, source)).toBeUndefined();
    expect(await sound({ preset: 'gif' }, source, warnings)).toBeUndefined();
    expect(await sound({}, { ...source, hasAudio: false }, warnings)).toBeUndefined();
    expect(warnings).toEqual(['gif holds no sound.', 'The clip has no sound.']);
  });
  test('needs its clip', async () => {
    await expect(sound({})).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(sound({}, source)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('the order of frames at another rate', () => {
  const frames = { frameCount: 4, rate: fps(16) };
  test('is one to one at the same rate', () => expect(frameOrder(frames, fps(16), 4)).toEqual([0, 1, 2, 3]));
  test('repeats at a higher rate', () => expect(frameOrder(frames, fps(32), 8)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]));
  test('skips at a lower rate', () => expect(frameOrder(frames, fps(8), 2)).toEqual([1, 3]));
  test('never leaves the frames there are', () => expect(Math.max(...frameOrder(frames, fps(30), 8))).toBe(3));
});
