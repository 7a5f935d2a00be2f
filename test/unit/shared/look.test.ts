import { describe, expect, it } from 'vitest';
import vocabulary from '../../../resources/models/motif-tiny/vocabulary.json' with { type: 'json' };
import {
  lookInput,
  lookSettings,
  readLookFile,
  requireEffect,
  saysLook,
  standardLooks,
  writeLookFile,
} from '../../../shared/domain/look.ts';
import { strengthSettings } from '../../../shared/domain/strength.ts';
import { replaceWord, unknownWords, wordsOf } from '../../../shared/domain/vocabulary.ts';

describe('a look', () => {
  it('puts what is seen in its words, and a photograph where nobody said so', () => {
    const [sunset] = standardLooks;
    expect(lookSettings(sunset!, { seen: ' a hawk ' })).toMatchObject({
      shown: 'a hawk by day, the camera is still',
      prompt: 'a hawk at sunset, in golden hour light, in firelight, the camera is still',
      ...strengthSettings(sunset!.strength),
    });
    expect(lookSettings(sunset!, { strength: 0 })).toMatchObject({
      shown: 'a photograph by day, the camera is still',
      fidelity: 0.5,
    });
  });

  it('that comes with the program says words that the embedded model was taught, with different words before and after', () => {
    for (const { from, to } of standardLooks) {
      requireEffect(from, to);
      expect(unknownWords(`${from} ${to}`, vocabulary)).toEqual([]);
    }
  });

  it('is found by words of its group, its name and what it says', () => {
    const found = (words: string) => standardLooks.filter((look) => saysLook(look, words)).map(({ id }) => id);
    expect(found('Season')).toEqual(['spring', 'summer', 'autumn', 'winter']);
    expect(found('film  WHITE')).toEqual(['black-and-white']);
    expect(found('')).toHaveLength(standardLooks.length);
    expect(found('nothing of the kind')).toEqual([]);
  });

  it('comes out of its file as it went in', () => {
    const look = lookInput.parse({ name: 'Dusk', from: '{seen} by day', to: '{seen} at dusk', strength: 0.3 });
    expect(readLookFile(writeLookFile(look), 'dusk.json')).toEqual(look);
  });

  it.each([
    ['{', 'it is not JSON'],
    ['{"format":"motif-look","version":1,"name":"a","from":"b","to":"c","colour":"red"}', 'colour'],
    ['{"format":"motif-look","version":1,"name":"a","from":"b","to":"c","strength":2}', 'strength'],
    ['{"format":"motif-look","version":1,"name":"a","from":"By  day","to":"by day"}', 'changes nothing'],
    ['{"format":"motif-look","version":1,"name":"","from":"b","to":"c"}', 'A look needs a name'],
    ['{"format":"lut"}', 'format'],
  ])('is refused as %s with the reason', (text, reason) => {
    expect(() => readLookFile(text, 'x.json')).toThrow(
      expect.objectContaining({ code: 'invalid-input', message: expect.stringContaining(reason) }),
    );
  });
});

describe('words that a model was never taught', () => {
  it('are found whatever their case, with the known word that is spelt most like each', () => {
    expect(
      unknownWords('A Photogrph at NIGHT, xylophone [v] {seen} nihgt', ['a', 'photograph', 'at', 'night']),
    ).toEqual([
      { word: 'photogrph', nearest: 'photograph' },
      { word: 'xylophone', nearest: null },
      { word: 'nihgt', nearest: 'night' },
    ]);
  });

  it('are no slips for short words that are other words', () => {
    const known = ['heat', 'hound', 'dog', 'it', 'black', 'waterfall', 'woods'];
    const nearest = (words: string) => unknownWords(words, known).map(({ nearest }) => nearest);
    expect(nearest('head sound its cat')).toEqual([null, null, null, null]);
    expect(nearest('dogs blck wood wtaerfal')).toEqual(['dog', 'black', 'woods', null]);
  });

  it('give way to another word wherever they stand, as whole words', () => {
    expect(replaceWord('Ein dog, ein (robot) in rein', 'ein', 'a$1')).toBe('a$1 dog, a$1 (robot) in rein');
  });

  it('are whole words, with their hyphens and apostrophes', () => {
    expect(wordsOf("A man's T-shirt, 3D")).toEqual(['a', "man's", 't-shirt', '3d']);
  });
});
