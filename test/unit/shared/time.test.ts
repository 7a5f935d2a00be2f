import { describe, expect, it } from 'vitest';
import { formatTimecode, frameToSeconds, parseRational, secondsToFrame } from '../../../shared/domain/time.ts';

describe('time', () => {
  it('keeps broadcast rates exact', () => {
    expect(parseRational('30000/1001')).toEqual({ numerator: 30000, denominator: 1001 });
    expect(parseRational('12.5')).toEqual({ numerator: 25, denominator: 2 });
    expect(parseRational('50/2')).toEqual({ numerator: 25, denominator: 1 });
  });

  it('refuses what is no rate', () => {
    for (const text of ['', '0', '-3', '1/0', 'fast', 'NaN']) expect(() => parseRational(text)).toThrow(RangeError);
  });

  it('maps every frame to a time and back', () => {
    const rate = parseRational('30000/1001');
    for (let frame = 0; frame < 20_000; frame += 7)
      expect(secondsToFrame(frameToSeconds(frame, rate), rate)).toBe(frame);
  });

  it('writes timecode with two digits each', () => {
    expect(formatTimecode(25 * 3661 + 7, parseRational('25'))).toBe('01:01:01:07');
  });
});
