import { describe, expect, it } from 'vitest';
import { attributes, type Caption, caption, captionWords, wordsOf } from '../../../main/world/caption.ts';
import { type Change, editScene, possibleValues, sampleChange } from '../../../main/world/edit.ts';
import { renderEdit } from '../../../main/world/edit-mask.ts';
import { film, light, season, style } from '../../../main/world/looks.ts';
import { render } from '../../../main/world/render.ts';
import { type Scene, type SceneOptions, sampleScene, sceneSchema } from '../../../main/world/scene.ts';
import {
  backgroundKinds,
  filmKinds,
  lightKinds,
  lightsOf,
  seasonKinds,
  styleKinds,
} from '../../../main/world/vocabulary.ts';

const small = { width: 64, height: 64, frameCount: 2, frameRate: 1 };
const plain: SceneOptions = {
  edition: 2,
  subject: 'woman',
  second: 'none',
  motion: 'wave',
  background: 'park',
  light: 'day',
  style: 'photo',
  season: 'none',
  film: 'none',
  camera: 'still',
};
const scene = sampleScene(8, plain);
const lookKinds = ['light', 'season', 'style', 'film'] as const;
const looks = lookKinds.flatMap((kind) => possibleValues(scene, kind).map((to) => ({ kind, to }) as Change));
const shown = looks.map((change) => [`${change.kind}: ${change.to}`, change] as const);

/** Mean absolute difference. */
function difference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}

function phrasesOf({ light: lit, season: time, style: drawn, film: shot }: Scene) {
  return {
    light: light[lit.kind].phrases,
    season: time === 'none' ? [] : season[time],
    style: [...style[drawn.kind].after, ...style[drawn.kind].before],
    film: shot === 'none' ? [] : [...film[shot].after, ...film[shot].before],
  };
}

const names = ({ static: text }: Caption, phrases: readonly string[]) =>
  phrases.some((phrase) => text.includes(phrase));

describe('the looks of the second edition', () => {
  it('are twenty lights, four seasons, eight styles and eleven films', () => {
    expect([lightKinds.length, seasonKinds.length - 1, styleKinds.length, filmKinds.length - 1]).toEqual([
      20, 4, 8, 11,
    ]);
    expect(looks).toHaveLength(19 + 4 + 7 + 11);
  });

  it.each(shown)('change the picture, alike every time (%s)', (_, change) => {
    const edited = editScene(scene, change).scene;
    const { frames } = render(edited, small);
    expect(render(edited, small).frames).toEqual(frames);
    expect(difference(frames, render(scene, small).frames)).toBeGreaterThan(4);
  });

  it('differ from each other', () => {
    const pictures = looks.map((change) => render(editScene(scene, change).scene, { ...small, frameCount: 1 }).frames);
    for (const [i, a] of pictures.entries()) {
      for (const [k, b] of pictures.slice(i + 1).entries())
        expect(difference(a, b), `${looks[i]!.to} and ${looks[i + 1 + k]!.to}`).toBeGreaterThan(2.5);
    }
  });

  it.each(shown)('leave the subject where it is (%s)', (_, change) => {
    const { source, target, mask } = renderEdit(scene, change, small);
    // Large heads and eyes belong to 3D animation and to comics.
    if (change.to !== '3D animation' && change.to !== 'comic')
      expect(target.masks.subject).toEqual(source.masks.subject);
    const touched = (i: number) =>
      [0, 1, 2].some((c) => Math.abs(source.frames[i * 3 + c]! - target.frames[i * 3 + c]!) > 2);
    expect(mask.findIndex((value, i) => value === 0 && touched(i))).toBe(-1);
  });

  it('leave the subject and the layout of the ground alone when a season or the sky changes', () => {
    const { source, target, mask } = renderEdit(scene, { kind: 'season', to: 'winter' }, small);
    const kept = [...mask.keys()].filter((i) => mask[i] === 0);
    expect(kept.length).toBeGreaterThan(100);
    for (const i of kept) expect(target.frames.slice(i * 3, i * 3 + 3)).toEqual(source.frames.slice(i * 3, i * 3 + 3));
    const [day, fog] = (['day', 'fog'] as const).map((kind) => {
      const { frames } = render(sampleScene(8, { ...plain, light: kind }), { ...small, frameCount: 1 });
      return [...frames.keys()].filter((i) => i > frames.length / 2).map((i) => frames[i]!);
    });
    const [a, b] = [day!, fog!].map((values) => values.map((v) => v - values.reduce((x, y) => x + y) / values.length));
    const dot = (x: number[], y: number[]) => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
    expect(dot(a!, b!) / Math.sqrt(dot(a!, a!) * dot(b!, b!))).toBeGreaterThan(0.8);
  });

  it.each(shown)('are edits whose words say so (%s)', (_, change) => {
    for (const seed of [3, 8, 14]) {
      const { before, after, changed, scene: edited } = editScene(sampleScene(seed, plain), change);
      const phrases = phrasesOf(edited)[change.kind as (typeof lookKinds)[number]];
      expect(names(after, phrases)).toBe(true);
      expect(names(before, phrases)).toBe(false);
      expect(changed.static.added.length).toBeGreaterThan(0);
      expect(attributes(edited)[change.kind as (typeof lookKinds)[number]]).toBe(change.to);
      expect(possibleValues(edited, change.kind)).not.toContain(change.to);
      expect(
        editScene(edited, { kind: change.kind, to: attributes(scene)[change.kind as 'film'] } as Change).scene,
      ).toEqual(sampleScene(seed, plain));
    }
  });

  it.each([
    ['oil', 'shirt'],
    ['oil', 'background'],
    ['ink', 'hat'],
    ['ink', 'background'],
    ['watercolour', 'held'],
  ] as const)('keep %s outside the mask of a new %s as it was', (kind, part) => {
    for (const light of ['day', 'night', 'rain'] as const) {
      const drawn = sampleScene(44, { ...plain, style: kind, light });
      const { source, target, mask } = renderEdit(drawn, sampleChange(drawn, part)!, small);
      const apart = (i: number) =>
        Math.max(...[0, 1, 2].map((c) => Math.abs(source.frames[i * 3 + c]! - target.frames[i * 3 + c]!)));
      expect(Math.max(...[...mask.keys()].map((i) => (mask[i] === 0 ? apart(i) : 0))), light).toBeLessThanOrEqual(2);
      expect(Math.max(...[...mask.keys()].map((i) => (mask[i] ? apart(i) : 0))), light).toBeGreaterThan(15);
    }
  });

  it('paint watercolour up to the edge of the paper', () => {
    const { frames } = render({ ...scene, style: { kind: 'watercolour', strength: 0.5 } }, { ...small, frameCount: 1 });
    const first = render(sampleScene(8, { ...plain, edition: 1, style: 'watercolour' }), { ...small, frameCount: 1 });
    const white = (data: Uint8Array, x: number, y: number) =>
      Math.min(...data.slice((y * 64 + x) * 3, (y * 64 + x) * 3 + 3)) > 215;
    const border = Array.from(
      { length: 64 },
      (_, i) =>
        [
          [0, i],
          [63, i],
          [i, 63],
        ] as const,
    ).flat();
    const bare = (data: Uint8Array) => border.filter(([x, y]) => white(data, x, y)).length / border.length;
    expect(bare(first.frames)).toBeGreaterThan(0.5);
    expect(bare(frames)).toBeLessThan(0.1);
  });

  it('hide colours from whoever judges a picture without any', () => {
    expect(attributes({ ...scene, film: 'sepia' })).toMatchObject({ shirtColour: 'unseen', colour: 'unseen' });
    expect(possibleValues({ ...scene, film: 'sepia' }, 'shirt')).toEqual([]);
    const { frames } = render({ ...scene, film: 'black and white' }, small);
    for (let i = 0; i < frames.length; i += 3) expect([frames[i + 1], frames[i + 2]]).toEqual([frames[i], frames[i]]);
  });
});

describe('scenes of the second edition', () => {
  const scenes = Array.from({ length: 3000 }, (_, seed) => sampleScene(seed, { edition: 2 }));

  it('are valid, show every look, and put each light and season only where it can be', () => {
    for (const each of scenes.slice(0, 200)) expect(sceneSchema.parse(each)).toEqual(each);
    expect(new Set(scenes.map((each) => each.light.kind))).toEqual(new Set(lightKinds));
    expect(new Set(scenes.map((each) => each.season))).toEqual(new Set(seasonKinds));
    expect(new Set(scenes.map((each) => each.style.kind))).toEqual(new Set(styleKinds));
    expect(new Set(scenes.map((each) => each.film))).toEqual(new Set(filmKinds));
    for (const { background, light: lit, subjects } of scenes)
      expect(
        lightsOf(
          background.kind,
          2,
          subjects.map(({ kind }) => kind),
        ),
      ).toContain(lit.kind);
    for (const place of backgroundKinds) expect(lightsOf(place, 2).length).toBeGreaterThan(8);
    expect(lightsOf('room', 2)).not.toContain('rain');
    expect(lightsOf('park', 2, ['bonfire'])).not.toContain('underwater');
  });

  it('are told in words of the list, each look in several ways, and well joined', () => {
    const known = new Set(captionWords());
    const wordings = new Map<string, Set<string>>();
    for (const each of scenes) {
      for (const variant of [0, 1, 2]) {
        const text = caption(each, { variant });
        expect(wordsOf(`${text.static} ${text.dynamic}`).filter((word) => !known.has(word))).toEqual([]);
        expect(text.static).not.toMatch(/ {2}|,,|^,|, *$|\ba an?\b|\ban a\b/);
        for (const [kind, phrases] of Object.entries(phrasesOf(each))) {
          const label = `${kind} ${each[kind as 'season']}${each.light.kind}${each.style.kind}`;
          const found = wordings.get(label) ?? new Set();
          for (const phrase of phrases) if (text.static.includes(phrase)) found.add(phrase);
          wordings.set(label, found);
        }
      }
    }
    expect([...wordings.values()].filter((found) => found.size > 1).length).toBeGreaterThan(40);
  });

  it('leave daylight unsaid a third of the time, and other lights seldom; the full wording says all', () => {
    const share = (day: boolean) => {
      const asked = scenes.filter(
        (each) => (each.light.kind === 'day') === day && each.background.kind !== 'city at night',
      );
      const said = asked.flatMap((each) =>
        [0, 1, 2].map((variant) => names(caption(each, { variant }), phrasesOf(each).light)),
      );
      return said.filter(Boolean).length / said.length;
    };
    expect(share(true)).toBeGreaterThan(0.62);
    expect(share(true)).toBeLessThan(0.72);
    expect(share(false)).toBeGreaterThan(0.85);
    for (const each of scenes) {
      const { film: filmed, season: time, style: styled } = phrasesOf(each);
      for (const phrases of [filmed, time]) if (phrases.length > 0) expect(names(caption(each), phrases)).toBe(true);
      if (each.film === 'none') expect(names(caption(each), styled)).toBe(true);
    }
  });
});

describe('the first edition', () => {
  it('has none of the new looks, in scenes or as edits', () => {
    for (let seed = 0; seed < 500; seed++) {
      const first = sampleScene(seed);
      expect(first).toMatchObject({ edition: 1, season: 'none', film: 'none' });
      expect(lightKinds.indexOf(first.light.kind)).toBeLessThan(5);
      expect(styleKinds.indexOf(first.style.kind)).toBeLessThan(6);
      expect([...possibleValues(first, 'season'), ...possibleValues(first, 'film')]).toEqual([]);
      for (const value of possibleValues(first, 'light')) expect(lightKinds.indexOf(value as 'day')).toBeLessThan(5);
    }
  });
});
