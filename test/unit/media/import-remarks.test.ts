import { describe, expect, test } from 'vitest';
import { judgeDamage, remarks, tooShort } from '../../../main/media/import-remarks.ts';
import type { Probe } from '../../../main/media/probe-types.ts';

const whole = { claimedSeconds: 5, startSeconds: 0, endSeconds: 5 };

describe('damage', () => {
  test('a sound file says nothing', () => {
    expect(judgeDamage(whole, { frames: 150, errors: 0 }, { expectedFrames: 150 })).toEqual({
      refuse: false,
      warning: undefined,
    });
  });
  test('a few complaints warn', () => {
    expect(judgeDamage(whole, { frames: 49, errors: 4 }, { expectedFrames: 50 }).warning).toMatch(
      /1 of 50 frames could not be decoded/,
    );
    expect(judgeDamage(whole, { frames: 20, errors: 1 }, { expectedFrames: 20 }).warning).toMatch(
      /complained 1 time\./,
    );
  });
  test('a file that breaks off warns with both lengths', () => {
    const { refuse, warning } = judgeDamage(
      { ...whole, endSeconds: 1.6 },
      { frames: 48, errors: 0 },
      { expectedFrames: 48 },
    );
    expect(refuse).toBe(false);
    expect(warning).toMatch(/claims 5\.00 s and holds 1\.60 s/);
  });
  test('pictures that end before the range does are said to break off, where the length gave no hint', () => {
    expect(judgeDamage(whole, { frames: 60, errors: 0 }, { breakOffSeconds: 2.5 }).warning).toMatch(
      /break off at 2\.50 s/,
    );
  });
  test('a beginning that cannot be decoded is said, and frames that are never shown are no damage', () => {
    expect(judgeDamage(whole, { frames: 30, errors: 0 }, { expectedFrames: 40, beginSeconds: 2 }).warning).toMatch(
      /first readable frame is at 2\.00 s/,
    );
    expect(judgeDamage(whole, { frames: 36, errors: 0 }, { expectedFrames: 40 }).warning).toBeUndefined();
  });
  test('rubbish is refused: hardly a frame and more complaints than frames', () => {
    expect(judgeDamage(whole, { frames: 9, errors: 525 }, { expectedFrames: 122 }).refuse).toBe(true);
  });
});

test('too short says how much is needed and how much there is', () => {
  expect(tooShort(9, 17, { numerator: 16, denominator: 1 }).message).toBe(
    'The clip is too short: 17 frames at 16 per second are needed (1.06 s), it gives 9.',
  );
});

describe('remarks', () => {
  const probe = {
    width: 640,
    height: 360,
    rate: { numerator: 30, denominator: 1 },
    variableRate: false,
    interlaced: false,
    colour: {},
  } as Probe;
  const request = { rate: { numerator: 16, denominator: 1 }, temporalStride: 4, maximumFrames: 49 };
  const used = { width: 256, height: 256, frameCount: 17, fromSeconds: 0, toSeconds: 1.1 };
  const decoder = { hasAlpha: false, mapColours: false };

  test('an ordinary clip needs none', () => expect(remarks(probe, decoder, request, used)).toEqual([]));
  test('what was changed is said', () => {
    const odd = { ...probe, variableRate: true, interlaced: true, colour: { hdr: 'hlg' } } as Probe;
    const said = remarks(odd, { hasAlpha: true, mapColours: true }, request, used).join(' ');
    for (const word of ['HLG', 'grey', 'deinterlaced', 'varies']) expect(said).toContain(word);
  });
  test('enlarging, repeating and leaving out are said', () => {
    const tiny = { ...probe, width: 28, height: 16, rate: { numerator: 8, denominator: 1 } };
    const said = remarks(tiny, decoder, request, { ...used, frameCount: 49, toSeconds: 10 }).join(' ');
    for (const word of ['enlarged', 'shown twice', 'Only the first 3.06 s']) expect(said).toContain(word);
  });
  test('a single frame teaches appearance alone', () => {
    expect(remarks(probe, decoder, request, { ...used, frameCount: 1 })[0]).toMatch(/motion cannot/);
  });
});
