import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { applyFilm } from '../../main/world/film.ts';
import { sampleScene } from '../../main/world/scene.ts';
import { type FilmKind, filmKinds } from '../../main/world/vocabulary.ts';
import { firstEdition } from './first-edition.ts';
import { golden } from './golden.ts';

const read = (name: string) => JSON.parse(readFileSync(golden(name), 'utf8'));

test('the first edition of the world draws and says what the committed weights were trained on', () => {
  const expected: Record<string, ReturnType<typeof firstEdition>> = read('first-edition.json');
  for (const [seed, { captions, changes, means }] of Object.entries(expected)) {
    const found = firstEdition(Number(seed));
    expect(found.captions, seed).toEqual(captions);
    expect(found.changes, seed).toEqual(changes);
    // Another processor may round the edge of a shape otherwise, which moves no mean by half a step of 255.
    for (const [i, mean] of means.entries()) expect(Math.abs(found.means[i]! - mean), seed).toBeLessThan(0.5);
  }
});

test('a film does to a drawn picture exactly what it does to a photograph in training', () => {
  const { colours, films }: { colours: number[]; films: Partial<Record<FilmKind, number[]>> } = read('films.json');
  expect(Object.keys(films).sort()).toEqual(filmKinds.filter((kind) => kind !== 'none' && kind !== 'old film').sort());
  for (const [film, expected] of Object.entries(films)) {
    const rgb = Uint8Array.from(colours);
    applyFilm({ ...sampleScene(2), film: film as FilmKind }, rgb, rgb.length / 3, 1, 0);
    expect(Array.from(rgb), film).toEqual(expected);
  }
});
