import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importClip } from '../../../main/media/import.ts';
import { probe } from '../../../main/media/probe.ts';
import { hasShared, sharedFolder } from '../../shared-material.ts';
import { colourAt, mediaTools, readPixels, testFolder } from './synthesise.ts';

const clips = join(sharedFolder, 'clips');

/** Displayed size, frames, rate (two decimals), and what else the clips' README says of them. */
const expected: Record<string, [size: string, frames: number, rate: number, more?: object]> = {
  'river_rapids_512.mp4': ['512x512', 150, 30],
  'bee_on_thistle_720p.mp4': ['1280x720', 121, 29.97],
  'flower_opening_540p.mp4': ['960x540', 150, 29.97],
  'stream_480x360.mp4': ['480x360', 90, 29.97],
  'cars_overhead_432p.mp4': ['768x432', 377, 12.5],
  'hawk_looking_540p.mp4': ['960x540', 254, 25],
  'person_signing_480p.mkv': ['640x480', 109, 30, { colour: { range: 'full' } }],
  'film_tears_of_steel_800x332.webm': ['798x332', 1691, 24, { codec: 'vp8' }],
  'rooftops_hdr10_av1_portrait.mp4': ['720x1280', 127, 29.97, { codec: 'av1', bitDepth: 10, colour: { hdr: 'pq' } }],
  'awkward/rotated_90_keyboard_3frames.mov': ['320x568', 3, 30],
  'awkward/resolution_change_400x300_200x150.mp4': ['400x300', 118, 60.59, { variableRate: true }],
  'awkward/river_vfr_320.mp4': ['320x320', 100, 19.74, { variableRate: true }],
  'awkward/river_odd_321x181_yuv444.mp4': ['321x181', 30, 30],
  'awkward/bee_rotated_90_240p.mp4': ['240x427', 36, 29.97],
  'awkward/bee_hevc_main10_360p.mp4': ['640x360', 30, 29.97, { codec: 'hevc', bitDepth: 10 }],
  'awkward/flower_alpha_vp9_320x180.webm': ['320x180', 45, 29.97, { hasAlpha: true }],
  'awkward/flower_prores422_10bit_320x180.mov': ['320x180', 18, 29.97, { codec: 'prores', bitDepth: 10 }],
  'awkward/flower_240x135.gif': ['240x135', 12, 12, { variableRate: false }],
  'awkward/flower_one_frame.mp4': ['480x270', 1, 29.97],
  'awkward/flower_tiny_16x16.mp4': ['28x16', 120, 29.97],
};

const damaged: Record<string, RegExp> = {
  'broken/corrupted_mid_stream.mp4': /damaged: 1 of 50 frames could not be decoded/,
  'broken/truncated_moov_first.mp4': /claims 4\.04 s and holds 1\.63 s, 1 of 48 frames/,
  'broken/truncated_signing.mkv': /claims 3\.63 s and holds 0\.57 s/,
};

const refused: Record<string, RegExp> = {
  'broken/encrypted_cenc.mp4': /encrypted/,
  'broken/audio_only.mp4': /no video stream, only sound/,
  'broken/truncated_no_moov.mp4': /index \(moov\) is missing/,
  'broken/jpeg_renamed.mp4': /a picture \(JPEG\), not a video/,
  'broken/text_renamed.mp4': /not a video/,
  'broken/zero_byte.mp4': /empty \(0 bytes\)/,
};

describe.skipIf(!hasShared)('the shared clips', () => {
  const folder = testFolder();
  const importSmall = async (name: string) =>
    importClip(await mediaTools(), {
      file: join(clips, name),
      sizes: [
        [64, 64],
        [80, 48],
        [48, 80],
      ],
      rate: { numerator: 16, denominator: 1 },
      temporalStride: 4,
      maximumFrames: name.startsWith('broken') ? 161 : 17,
      outFolder: join(folder, name.replace('/', '-')),
    });

  test('are all spoken of here', () => {
    const files = ['', 'awkward', 'broken'].flatMap((part) =>
      readdirSync(join(clips, part), { withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== 'README.md')
        .map((entry) => join(part, entry.name).replaceAll('\\', '/')),
    );
    const known = [...Object.keys(expected), ...Object.keys(damaged), ...Object.keys(refused)];
    expect(known.sort()).toEqual(files.sort());
  });

  test.each(Object.entries(expected))(
    '%s is probed and imported as described',
    async (name, [size, frames, rate, more]) => {
      const found = await probe(await mediaTools(), join(clips, name));
      expect(`${found.width}x${found.height}`).toBe(size);
      expect(found).toMatchObject({ frameCount: frames, frameCountExact: true, ...more });
      expect(found.rate.numerator / found.rate.denominator).toBeCloseTo(rate, 1);
      const clip = await importSmall(name);
      const samples = Math.ceil((found.endSeconds - found.startSeconds - 1e-6) * 16);
      expect(clip.frames.frameCount).toBe(1 + 4 * Math.floor((Math.min(17, samples) - 1) / 4));
      expect(readPixels(clip)).toHaveLength(clip.frames.frameCount);
      expect(clip.source.sha256).toBe(
        createHash('sha256')
          .update(readFileSync(join(clips, name)))
          .digest('hex'),
      );
      expect(clip.warnings.join()).not.toMatch(/damaged/);
    },
  );

  test.each(Object.entries(damaged))(
    '%s is imported as far as it can be read, with a warning',
    async (name, warning) => {
      const clip = await importSmall(name);
      expect(clip.warnings.join()).toMatch(warning);
      expect(clip.frames.frameCount).toBeGreaterThanOrEqual(9);
    },
  );

  test.each(Object.entries(refused))(
    '%s is refused with the reason in good time, leaving nothing',
    async (name, reason) => {
      const begun = Date.now();
      const before = readdirSync(folder);
      await expect(importSmall(name)).rejects.toMatchObject({
        code: 'unsupported-media',
        message: expect.stringMatching(reason),
        hint: expect.stringMatching(/\w/),
      });
      expect(Date.now() - begun).toBeLessThan(10_000);
      expect(readdirSync(folder)).toEqual(before);
    },
  );

  test('the HDR clip is bright and coloured, not grey', async () => {
    const clip = await importSmall('rooftops_hdr10_av1_portrait.mp4');
    expect(clip.warnings.join()).toMatch(/tone-mapped/);
    const [first] = readPixels(clip);
    // Passed on as it is, PQ's reference white would be at 148 and nothing above 190.
    expect(Math.max(...first!)).toBeGreaterThan(200);
    expect(Math.min(...first!)).toBeLessThan(70);
  });

  test('what is transparent in the VP9 clip is grey', async () => {
    const clip = await importSmall('awkward/flower_alpha_vp9_320x180.webm');
    expect(clip.warnings.join()).toMatch(/over grey/);
    for (const value of colourAt(clip, readPixels(clip)[0]!, 0.03, 0.1)) expect(Math.abs(value - 128)).toBeLessThan(3);
  });

  test('the size change goes from red to green without distorting the count', async () => {
    const clip = await importClip(await mediaTools(), {
      file: join(clips, 'awkward/resolution_change_400x300_200x150.mp4'),
      sizes: [[64, 48]],
      rate: { numerator: 16, denominator: 1 },
      temporalStride: 4,
      outFolder: join(folder, 'whole-size-change'),
    });
    const pixels = readPixels(clip);
    const [red] = colourAt(clip, pixels[0]!, 0.5, 0.5);
    const [, green] = colourAt(clip, pixels.at(-1)!, 0.5, 0.5);
    expect(red).toBeGreaterThan(240);
    expect(green).toBeGreaterThan(120);
    expect(clip.frames.frameCount).toBe(29);
  });
});
