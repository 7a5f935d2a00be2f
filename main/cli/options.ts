import { InvalidArgumentError } from 'commander';
import { type DeviceName, deviceName } from '../../shared/domain/engine.ts';
import { parseRational, type Rational } from '../../shared/domain/time.ts';

/** Parsers of option values. Each throws InvalidArgumentError with what was expected; commander turns it into exit code 2. */

export function parseNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= minimum && value <= maximum)) {
      throw new InvalidArgumentError(`Expected a number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

export function parseInteger(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < minimum || value > maximum) {
      const range = maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `from ${minimum} to ${maximum}`;
      throw new InvalidArgumentError(`Expected a whole number, ${range}.`);
    }
    return value;
  };
}

/** `2.5`, `1:02.5` or `0:01:02.5` -> seconds. */
export function parseSeconds(text: string): number {
  const parts = text.split(':');
  const seconds = parts.reduce((total, part) => total * 60 + Number(part), 0);
  if (parts.length > 3 || parts.some((part) => !/^\d+(\.\d+)?$/.test(part)) || !Number.isFinite(seconds)) {
    throw new InvalidArgumentError('Expected a time such as 2.5 or 1:02.5.');
  }
  return seconds;
}

/** A file or folder to write. An empty text, of a variable that is not set, would be the folder that the command runs in. */
export function parsePlace(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected the name of a file or folder.');
  return text;
}

/** A name of the form that devices have; whether there is such a one is known by the engine. */
export function parseDevice(text: string): DeviceName {
  if (!deviceName.safeParse(text).success) throw new InvalidArgumentError('Expected a name such as auto or cpu.');
  return text;
}

/** `640x360` -> width and height in pixels. */
export function parseSize(text: string): { width: number; height: number } {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/i.exec(text) ?? [];
  const isSide = (side: string | undefined) => Number(side) >= 2 && Number(side) <= 16384;
  if (isSide(width) && isSide(height)) return { width: Number(width), height: Number(height) };
  throw new InvalidArgumentError('Expected a size such as 640x360, each side from 2 to 16384.');
}

/** As `parseSize`, or the word `source`. */
export function parseExportSize(text: string): { width: number; height: number } | 'source' {
  return text === 'source' ? text : parseSize(text);
}

export function parseRate(text: string): Rational | 'source' {
  if (text === 'source') return 'source';
  try {
    return parseRational(text);
  } catch {
    throw new InvalidArgumentError('Expected a rate such as 25 or 30000/1001, or the word source.');
  }
}

/** `--direction 0=1.5`, repeatable: collects the gains of single directions of the identity basis. */
export function collectDirection(text: string, gains: Record<string, number> = {}): Record<string, number> {
  const [, index, gain] = /^(\d+)=(-?\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (index === undefined || Math.abs(Number(gain)) > 8) {
    throw new InvalidArgumentError('Expected K=G, the number of a direction and its gain from -8 to 8, such as 0=1.5.');
  }
  return { ...gains, [Number(index)]: Number(gain) };
}

export interface WithConcept {
  reference: string;
  sliders: { identity?: number; motion?: number; appearance?: number };
}

/** `--with dog:motion=0.5`, repeatable: collects concepts that act beside the first, with their gains. */
export function collectConcept(text: string, before: WithConcept[] = []): WithConcept[] {
  const [, reference = '', gains = ''] = /^(.*?)((?::(?:identity|motion|appearance)=[^:]*)*)$/s.exec(text) ?? [];
  const sliders = Object.fromEntries(
    gains
      .split(':')
      .filter(Boolean)
      .map((gain) => {
        const [name, value = ''] = gain.split('=') as [string, string];
        return [name, name === 'appearance' ? parseNumber(0, 1.5)(value) : parseNumber(-4, 4)(value)];
      }),
  );
  if (reference.trim() === '')
    throw new InvalidArgumentError('Expected a concept, with gains or without: dog, or dog:identity=0.8:motion=0.');
  return [...before, { reference, sliders }];
}

/** For options that may be given several times. */
export function collect(text: string, before: string[] = []): string[] {
  return [...before, text];
}

export function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
