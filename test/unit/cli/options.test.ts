import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import {
  collect,
  collectConcept,
  collectDirection,
  parseInteger,
  parseNumber,
  parseRate,
  parseSeconds,
  parseSize,
} from '../../../main/cli/options.ts';

test('times are seconds, minutes and seconds, or hours too', () => {
  expect(['2', '2.5', '1:02.5', '1:00:01'].map(parseSeconds)).toEqual([2, 2.5, 62.5, 3601]);
  for (const wrong of ['', 'two', '-1', '1:', '1:2:3:4', '1e400']) {
    expect(() => parseSeconds(wrong)).toThrow(InvalidArgumentError);
  }
});

test('numbers outside their range are refused', () => {
  expect(parseNumber(0, 1)('0.25')).toBe(0.25);
  expect(parseInteger(1)('7')).toBe(7);
  expect(() => parseNumber(0, 1)('1.5')).toThrow(InvalidArgumentError);
  expect(() => parseNumber(0, 1)('')).toThrow(InvalidArgumentError);
  expect(() => parseInteger(1)('1.5')).toThrow(InvalidArgumentError);
  expect(() => parseInteger(1, 5)('6')).toThrow(InvalidArgumentError);
});

test('sizes and rates', () => {
  expect(parseSize('640x360')).toEqual({ width: 640, height: 360 });
  expect(parseRate('30000/1001')).toEqual({ numerator: 30000, denominator: 1001 });
  expect(parseRate('source')).toBe('source');
  for (const wrong of ['640', '1x1', '640x', 'axb']) expect(() => parseSize(wrong)).toThrow(InvalidArgumentError);
  expect(() => parseRate('fast')).toThrow(InvalidArgumentError);
});

test('directions and prompts collect over several options', () => {
  expect(collectDirection('3=-0.5', collectDirection('0=1.5'))).toEqual({ 0: 1.5, 3: -0.5 });
  for (const wrong of ['0', '=1', 'a=1', '0=9', '0=x']) {
    expect(() => collectDirection(wrong)).toThrow(InvalidArgumentError);
  }
  expect(collect('b', collect('a'))).toEqual(['a', 'b']);
});

test('concepts collect with gains of their own; a name may have colons', () => {
  const all = ['dog', 'dog: 2:motion=0.5:identity=-1', 'x:appearance=0'].reduce(
    (before, text) => collectConcept(text, before),
    [] as ReturnType<typeof collectConcept>,
  );
  expect(all).toEqual([
    { reference: 'dog', sliders: {} },
    { reference: 'dog: 2', sliders: { motion: 0.5, identity: -1 } },
    { reference: 'x', sliders: { appearance: 0 } },
  ]);
  for (const wrong of ['', ' ', ':motion=1', 'dog:motion=', 'dog:motion=9', 'dog:identity=much'])
    expect(() => collectConcept(wrong)).toThrow(InvalidArgumentError);
});
