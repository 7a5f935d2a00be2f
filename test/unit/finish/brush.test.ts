import { describe, expect, it } from 'vitest';
import { type BrushStroke, brush as brushSchema } from '../../../shared/domain/brush.ts';
import { brushedMasks } from '../../../shared/finish/brush.ts';
import { findChange } from '../../../shared/finish/change.ts';
import { createFinisher } from '../../../shared/finish/finish-frame.ts';
import { showMask } from '../../../shared/finish/mask-view.ts';
import { placementOf } from '../../../shared/finish/placement.ts';

const size = { width: 20, height: 10, frameCount: 3 };
const at = (x: number, y: number) => y * size.width + x;
/** Down the middle of the left half, four pixels wide. */
const stroke = (acts: boolean): BrushStroke => ({
  acts,
  size: 0.4,
  points: [
    [0.25, 0],
    [0.25, 1],
  ],
});

describe('a brush over masks', () => {
  it('without strokes leaves them as they are', () => {
    const masks = [new Float32Array(200)];
    expect(brushedMasks(masks, [], size)).toBe(masks);
    expect(brushedMasks(null, [], size)).toBeNull();
  });

  it('keeps the clip along its line, all of it in the middle and less towards its edge, in every frame', () => {
    const masks = brushedMasks(null, [stroke(false)], size)!;
    expect(masks).toHaveLength(3);
    for (const mask of masks) {
      for (let y = 0; y < size.height; y++) {
        expect(mask[at(4, y)]).toBe(0);
        expect(mask[at(5, y)]).toBe(0);
        expect(mask[at(3, y)]).toBeGreaterThan(0);
        expect(mask[at(3, y)]).toBeLessThan(1);
        expect(mask[at(12, y)]).toBe(1);
      }
    }
  });

  it('lets the edit act where it was locked', () => {
    const locked = [0, 1, 2].map(() => new Float32Array(200));
    const [mask] = brushedMasks(locked, [stroke(true)], size)!;
    expect(mask![at(4, 5)]).toBe(1);
    expect(mask![at(12, 5)]).toBe(0);
    expect(locked[0]!.every((free) => free === 0)).toBe(true);
  });

  it('takes what was painted last', () => {
    expect(brushedMasks(null, [stroke(true), stroke(false)], size)![0]![at(4, 5)]).toBe(0);
    expect(brushedMasks(null, [stroke(false), stroke(true)], size)![0]![at(4, 5)]).toBe(1);
  });

  it('paints a dot where there is one point, however thin', () => {
    const [mask] = brushedMasks(null, [{ acts: false, size: 0.01, points: [[0.525, 0.55]] }], size)!;
    expect(mask![at(10, 5)]).toBe(0);
    expect(mask!.filter((free) => free < 1)).toHaveLength(1);
  });
});

it.each([1, 0.75, 0.5, 0.25])(
  'what is painted over stays the source to the bit, however large (detail %s)',
  (keepDetail) => {
    const { width, height, frameCount } = size;
    const clip = (add: number) => ({
      data: Uint8Array.from({ length: width * height * 3 * frameCount }, (_, place) => ((place * 31) % 120) + add),
      ...size,
    });
    const picture = {
      width: 80,
      height: 40,
      rgb: Uint8Array.from({ length: 9600 }, (_, place) => (place * 7919) % 256),
    };
    const placement = placementOf(picture, size, 'crop');
    const change = findChange(clip(0), clip(90), { keepDetail, brush: [stroke(false)] });
    const to = new Uint8Array(9600);
    createFinisher(change, { placement, keepDetail }).finish(picture, 1, to);
    const changed = (x: number, y: number) =>
      [0, 1, 2].some((channel) => to[(y * 80 + x) * 3 + channel] !== picture.rgb[(y * 80 + x) * 3 + channel]);
    for (let y = 0; y < 40; y++) {
      for (const x of [18, 19, 20, 21]) expect(changed(x, y)).toBe(false);
    }
    expect(changed(60, 20)).toBe(true);
  },
);

it('a mask is shown as red over what is locked, and nothing over what is free', () => {
  const masks = [Float32Array.from([1, 1, 0, 0]), Float32Array.from([1, 1, 0, 0])];
  const picture = { width: 8, height: 2, rgb: new Uint8Array(64).fill(100), step: 4 as const };
  showMask({ masks, width: 4, height: 1 }, picture, 0.5, { left: 0, top: 0, width: 8, height: 2 });
  expect([...picture.rgb.subarray(0, 4)]).toEqual([100, 100, 100, 100]);
  const [red, green, blue, alpha] = picture.rgb.subarray(28, 32);
  expect(red).toBeGreaterThan(160);
  expect(green).toBeLessThan(80);
  expect(blue).toBeLessThan(80);
  expect(alpha).toBe(100);
});

it('strokes without number are refused with what to do', () => {
  const { error } = brushSchema.safeParse(Array.from({ length: 201 }, () => stroke(true)));
  expect(error?.issues[0]?.message).toContain('clear some');
});
