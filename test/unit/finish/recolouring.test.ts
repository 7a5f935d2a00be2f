import { describe, expect, it } from 'vitest';
import { findChange, type SmallClip, withBrush } from '../../../shared/finish/change.ts';
import { createFinisher } from '../../../shared/finish/finish-frame.ts';
import { placementOf } from '../../../shared/finish/placement.ts';
import { reducedTo } from '../../../shared/finish/reduced.ts';

type Colour = readonly [number, number, number];
const [wall, red, skin, blue]: readonly [Colour, Colour, Colour, Colour] = [
  [190, 195, 198],
  [185, 40, 45],
  [205, 150, 125],
  [40, 70, 190],
];
const size = { width: 48, height: 32 };

/** A red shirt of two halves, in light and in shade, on a wall, a hand before it, moving right by a pixel a frame; `at` colours places. */
function clip(scale: number, frameCount: number, at?: (x: number, y: number, shown: Colour) => Colour): SmallClip {
  const [width, height] = [size.width * scale, size.height * scale];
  const data = new Uint8Array(frameCount * width * height * 3);
  for (let frame = 0; frame < frameCount; frame++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const [x, y] = [(column + 0.5) / scale - frame, (row + 0.5) / scale];
        const inShirt = x > 14 && x < 25 && y > 10;
        const isHand = x > 18 && x < 22 && y > 18 && y < 23;
        const shaded = red.map((value) => Math.round(value * (x > 22 ? 0.6 : 1))) as unknown as Colour;
        const shown = isHand ? skin : inShirt ? shaded : wall;
        const colour = at?.(x, y, shown) ?? shown;
        data.set(colour, ((frame * height + row) * width + column) * 3);
      }
    }
  }
  return { data, frameCount, width, height };
}

const frameCount = 5;
const base = clip(1, frameCount);
/** Elsewhere small models wander. */
const strayed = (x: number, y: number, shown: Colour) =>
  shown.map((value, channel) =>
    Math.round(value + 12 * Math.sin(x / 2 + channel) * Math.cos(y / 3)),
  ) as unknown as Colour;

/** As small models draw it: blue in the left half alone, and on the hand and some of the wall as well. */
const edited = clip(1, frameCount, (x, y, shown) => (x > 10 && x < 22 && y > 12 ? blue : strayed(x, y, shown)));
const recolour = { from: 'red', to: 'blue' } as const;
const picture = clip(4, frameCount);

function finished(change: ReturnType<typeof findChange>, frame: number, settings = {}): Uint8Array {
  const bytes = picture.width * picture.height * 3;
  const rgb = picture.data.slice(frame * bytes, (frame + 1) * bytes);
  const to = new Uint8Array(bytes);
  const placement = placementOf(picture, size, 'crop');
  createFinisher(change, { placement, keepDetail: 0.75, ...settings }).finish({ ...picture, rgb }, frame, to);
  return to;
}
const pixel = (of: Uint8Array, x: number, y: number) => [
  ...of.subarray((y * picture.width + x) * 3, (y * picture.width + x) * 3 + 3),
];
const sourcePixel = (frame: number, x: number, y: number) =>
  pixel(picture.data.subarray(frame * picture.width * picture.height * 3), x, y);

describe('a thing that words give another colour', () => {
  const change = findChange(base, edited, { keepDetail: 0.75, recolour });

  it('changes as a whole, with its shade, where the edit drew it in part', () => {
    for (const frame of [0, 2, 4]) {
      const result = finished(change, frame);
      const [light, shade] = [pixel(result, (17 + frame) * 4, 60), pixel(result, (23.5 + frame) * 4, 60)];
      for (const [r, g, b] of [light, shade]) expect(b! - Math.max(r!, g!)).toBeGreaterThan(40);
      expect(light[2]! - shade[2]!).toBeGreaterThan(20);
    }
  });

  it('and nothing else does, to the bit: not the wall beside it, not the hand before it', () => {
    for (const frame of [0, 2, 4]) {
      const result = finished(change, frame);
      for (const [x, y] of [
        [4, 4],
        [(11 + frame) * 4, 100],
        [(30 + frame) * 4, 60],
        [(20 + frame) * 4, 82],
      ] as const)
        expect(pixel(result, x, y)).toEqual(sourcePixel(frame, x, y));
    }
  });

  it('edges are those of the picture, not of the model', () => {
    const result = finished(change, 0);
    expect(pixel(result, 25 * 4 - 1, 100)[2]).toBeGreaterThan(pixel(result, 25 * 4 - 1, 100)[0]! + 40);
    expect(pixel(result, 25 * 4, 100)).toEqual(sourcePixel(0, 25 * 4, 100));
  });

  it('half of the amount is half of the way, and no colour is grey', () => {
    const [whole, half] = [finished(change, 0), finished(change, 0, { amount: 0.5 })];
    const [was, is, between] = [sourcePixel(0, 68, 60), pixel(whole, 68, 60), pixel(half, 68, 60)];
    for (let channel = 0; channel < 3; channel++)
      expect(Math.abs(between[channel]! - (was[channel]! + is[channel]!) / 2)).toBeLessThanOrEqual(1);
    const grey = pixel(finished(change, 0, { colour: 0 }), 68, 60);
    expect(Math.max(...grey) - Math.min(...grey)).toBeLessThanOrEqual(1);
  });

  it('16 bits give what 8 do', () => {
    const bytes = picture.width * picture.height * 3;
    const deep = Uint16Array.from(picture.data.subarray(0, bytes), (value) => value * 257);
    const to = new Uint16Array(bytes);
    const placement = placementOf(picture, size, 'crop');
    createFinisher(change, { placement, keepDetail: 0.75 }).finish({ ...picture, rgb: deep }, 0, to);
    const plain = finished(change, 0);
    for (let at = 0; at < bytes; at++) expect(Math.abs(to[at]! / 257 - plain[at]!)).toBeLessThanOrEqual(0.51);
  });

  it('what is painted to be kept stays, and what is painted to change does in its own colour', () => {
    const stroke = (acts: boolean, x: number) => ({
      acts,
      size: 0.4,
      points: [[x / size.width, 0.8] as [number, number]],
    });
    const kept = finished(withBrush(change, [stroke(false, 24)]), 0);
    expect(pixel(kept, 24 * 4, 102)).toEqual(sourcePixel(0, 24 * 4, 102));
    expect(pixel(kept, 16 * 4, 50)[2]).toBeGreaterThan(120);
  });

  it('its mask shows the thing', () => {
    const mask = change.masks![0]!;
    expect(mask[20 * size.width + 23]).toBeGreaterThan(0.5);
    expect(mask[4 * size.width + 4]).toBeLessThan(0.01);
  });
});

it('lips beside a red tie are not taken for a part of it, where the edit coloured the chin as well', () => {
  const lips = [178, 108, 99] as const;
  const isFace = (x: number, y: number) => x > 14 && x < 25 && y < 9;
  const isLips = (x: number, y: number) => x > 17 && x < 22 && y > 4 && y < 7;
  const faced = (x: number, y: number, shown: Colour): Colour => (isLips(x, y) ? lips : isFace(x, y) ? skin : shown);
  const speaking = clip(1, frameCount, faced);
  const painted = clip(1, frameCount, (x, y, shown) =>
    x > 12 && x < 26 && y > 3 ? blue : strayed(x, y, faced(x, y, shown)),
  );
  const [mask] = findChange(speaking, painted, { keepDetail: 0.75, recolour }).masks!;
  expect(mask![20 * size.width + 17]).toBeGreaterThan(0.5);
  expect(mask![5 * size.width + 19]).toBeLessThan(0.05);
});

it('an edit that shows nothing of the colour is finished as any other', () => {
  const nothing = findChange(base, clip(1, frameCount), { keepDetail: 0.75, recolour });
  expect(nothing.recolouring).toBeUndefined();
  expect(nothing.even).not.toBeNull();
});

it('an edit that leaves all else alone is followed in what it shows', () => {
  const clean = clip(1, frameCount, (x, y, shown) => (x > 14 && x < 25 && y > 10 ? blue : shown));
  expect(findChange(base, clean, { keepDetail: 0.75, recolour }).recolouring).toBeUndefined();
});

it('words that are wrong about the old colour do not keep the thing from being found', () => {
  const change = findChange(base, edited, { keepDetail: 0.75, recolour: { from: 'green', to: 'blue' } });
  const result = finished(change, 0);
  expect(pixel(result, 17 * 4, 60)[2]! - pixel(result, 17 * 4, 60)[0]!).toBeGreaterThan(40);
});

it('a patch in the middle of even colour is no thing: such an edit is followed', () => {
  const road = (_x: number, _y: number, _shown: Colour): Colour => [120, 122, 125];
  const isPatch = (x: number, y: number) => (x - 20) ** 2 + (y - 16) ** 2 < 60;
  const marked = clip(1, frameCount, (x, y, shown) => (isPatch(x, y) ? blue : strayed(x, y, road(x, y, shown))));
  const change = findChange(clip(1, frameCount, road), marked, {
    keepDetail: 0.75,
    recolour: { from: 'grey', to: 'blue' },
  });
  expect(change.recolouring).toBeUndefined();
});

it('where the edit missed the thing and coloured another, a vivid colour that the words name is believed', () => {
  const isSky = (_x: number, y: number) => y < 8;
  const skied = (x: number, y: number, shown: Colour): Colour => (isSky(x, y) ? [120, 170, 235] : shown);
  const driven = clip(1, frameCount, skied);
  const missed = clip(1, frameCount, (x, y, shown) => (isSky(x, y) ? blue : strayed(x, y, shown)));
  const [mask] = findChange(driven, missed, { keepDetail: 0.75, recolour }).masks!;
  expect(mask![20 * size.width + 17]).toBeGreaterThan(0.5);
  expect(mask![4 * size.width + 40]).toBeLessThan(0.05);
});

it('large pictures are looked at as means over squares', () => {
  const frame = Float32Array.from({ length: 5 * 4 * 3 }, (_, at) => Math.floor(at / 3));
  const pair = { before: () => frame, after: () => frame, width: 5, height: 4, frameCount: 2 };
  const small = reducedTo(pair, 12);
  expect([small.width, small.height, small.frameCount]).toEqual([3, 2, 2]);
  expect([...small.before(0)].filter((_, at) => at % 3 === 0)).toEqual([3, 5, 6.5, 13, 15, 16.5]);
  expect(reducedTo(pair, 40)).toBe(pair);
});
