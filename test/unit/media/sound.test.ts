import { expect, test } from 'vitest';
import type { AudioStream } from '../../../main/media/probe-types.ts';
import { chooseSoundStream, listSound, soundFilters } from '../../../main/media/sound.ts';

const stream = (over: Partial<AudioStream> = {}): AudioStream => ({
  ...{ index: 1, codec: 'aac', sampleRate: 48_000, channels: 2, durationSeconds: 4, language: 'eng', isDefault: false },
  ...over,
});
const film = [
  stream({ channels: 6 }),
  stream({ index: 2, language: 'deu', isDefault: true }),
  stream({ index: 3, language: undefined, channels: 1 }),
];

test('the stream that is marked is heard, else the first, unless another is asked for', () => {
  expect(chooseSoundStream(film)?.index).toBe(2);
  expect(chooseSoundStream(film.filter(({ isDefault }) => !isDefault))?.index).toBe(1);
  expect(chooseSoundStream(film, 3)?.index).toBe(3);
  expect(chooseSoundStream([])).toBeUndefined();
});

test('a number that there is not is refused with what there is', () => {
  expect(() => chooseSoundStream(film, 4)).toThrow(
    'The clip has no sound 4, only 1 (English, 5.1), 2 (German, stereo), and 3 (mono).',
  );
  expect(listSound([stream({ language: '???' })])).toBe('1 (???, stereo)');
});

test('only a mix of more than two channels is limited', () => {
  const range = { fromSeconds: 1.4, seconds: 2 };
  expect(soundFilters(stream(), range)).toBe(
    'atrim=start=1.400000:end=3.400000,asetpts=PTS-1.400000/TB,aresample=async=1:first_pts=0,aformat=channel_layouts=stereo',
  );
  expect(soundFilters(stream({ channels: 6 }), range)).toMatch(/aresample=192000.*rematrix_maxval=1.*alimiter/);
});
