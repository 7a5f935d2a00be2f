import { expect, it } from 'vitest';
import { timecodeAfter } from '../../../main/media/timecode.ts';

const pal = { numerator: 25, denominator: 1 };
const ntsc = { numerator: 30000, denominator: 1001 };
const film = { numerator: 24000, denominator: 1001 };

it.each([
  ['01:00:00:00', 0, pal, '01:00:00:00'],
  ['01:00:00:00', 2.6, pal, '01:00:02:15'],
  ['09:59:59:24', 0.04, pal, '10:00:00:00'],
  ['23:59:59:24', 0.04, pal, '00:00:00:00'],
  ['00:00:59:28', 2 * (1001 / 30000), ntsc, '00:01:00:00'],
  // Numbers, not frames, are dropped: 0 and 1 of a minute.
  ['00:00:59;28', 1001 / 30000, ntsc, '00:00:59;29'],
  ['00:00:59;28', 2 * (1001 / 30000), ntsc, '00:01:00;02'],
  ['00:01:59;29', 1001 / 30000, ntsc, '00:02:00;02'],
  ['00:09:59;29', 1001 / 30000, ntsc, '00:10:00;00'],
  ['00:00:00;00', 3600, ntsc, '01:00:00;00'],
  ['01:00:00:00', 1, film, '01:00:01:00'],
])('%s and %d s at %o are %s', (timecode, seconds, rate, expected) => {
  expect(timecodeAfter(timecode, seconds, rate)).toBe(expected);
});

it.each(['', '1:2:3:4', '00:00:00:30', '00:61:00:00', 'noon'])('%j is none', (text) => {
  expect(timecodeAfter(text, 1, pal)).toBeNull();
});
