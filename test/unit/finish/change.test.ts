import { describe, expect, it } from 'vitest';
import { findChange, type SmallClip } from '../../../shared/finish/change.ts';
import { createFinisher } from '../../../shared/finish/finish-frame.ts';
import { placementOf } from '../../../shared/finish/placement.ts';
import { windowMeans } from '../../../shared/finish/windows.ts';

const size = { width: 24, height: 16 };

/** A clip of smooth colours with some texture, each channel of its own. */
function clip(frameCount: number, colour = (value: number, _channel: number, _frame: number) => value): SmallClip {
  const { width, height } = size;
  const data = new Uint8Array(frameCount * width * height * 3);
  for (let frame = 0, at = 0; frame < frameCount; frame++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let channel = 0; channel < 3; channel++, at++) {
          const value = 110 + 40 * Math.sin(x / (3 + channel)) + 30 * Math.cos(y / (2 + channel)) + 12 * ((x + y) % 2);
          data[at] = Math.round(Math.min(255, Math.max(0, colour(value, channel, frame))));
        }
  return { data, frameCount, ...size };
}

function pictureOf(value: SmallClip, frame: number) {
  const bytes = value.width * value.height * 3;
  return { rgb: value.data.slice(frame * bytes, (frame + 1) * bytes), width: value.width, height: value.height };
}

/** Any picture, of any size, that the model never saw. */
function largePicture(width: number, height: number) {
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * 7919) % 256);
  return { rgb, width, height };
}

function finished(
  [base, edited]: readonly [SmallClip, SmallClip],
  picture: ReturnType<typeof largePicture>,
  { time = 0, keepDetail = 0.5 } = {},
) {
  const placement = placementOf(picture, size, 'crop');
  const to = new Uint8Array(picture.rgb.length);
  createFinisher(findChange(base, edited, { keepDetail }), { placement, keepDetail }).finish(picture, time, to);
  return to;
}

const worst = (a: Uint8Array, b: Uint8Array) =>
  a.reduce((most, value, at) => Math.max(most, Math.abs(value - b[at]!)), 0);

describe('means over windows', () => {
  it('are those of every window counted one by one, with the picture reflected at its edges', () => {
    const [width, height, radius] = [5, 4, 2];
    const map = Float32Array.from({ length: width * height }, (_, at) => (at * 37) % 11);
    const reflect = (at: number, length: number) => (at < 0 ? -1 - at : at >= length ? 2 * length - 1 - at : at);
    const expected = Array.from(map, (_, at) => {
      let sum = 0;
      for (let dy = -radius; dy <= radius; dy++)
        for (let dx = -radius; dx <= radius; dx++)
          sum += map[reflect(Math.floor(at / width) + dy, height) * width + reflect((at % width) + dx, width)]!;
      return sum / 25;
    });
    const means = windowMeans(map, { width, height, channels: 1 }, radius);
    for (const [at, value] of expected.entries()) expect(means[at]).toBeCloseTo(value, 5);
  });

  it('keep channels apart', () => {
    const map = Float32Array.from({ length: 6 * 5 * 2 }, (_, at) => (at % 2 === 0 ? 3 : at));
    const means = windowMeans(map, { width: 6, height: 5, channels: 2 }, 3);
    for (let at = 0; at < means.length; at += 2) expect(means[at]).toBeCloseTo(3, 6);
  });
});

describe('a change of colours', () => {
  it.each([1, 0.75, 0.5])(
    'that changes nothing leaves every picture as it is, to the bit (detail %s)',
    (keepDetail) => {
      const source = clip(3);
      const picture = largePicture(97, 61);
      expect(finished([source, source], picture, { time: 1.4, keepDetail })).toEqual(picture.rgb);
    },
  );

  it('is found where it is a mix of channels, and done to pictures of another size', () => {
    const source = clip(2);
    const data = new Uint8Array(source.data.length);
    const mix = (r: number, g: number, b: number) => [
      0.6 * r + 0.2 * g + 20,
      0.7 * g + 0.1 * b,
      0.5 * b + 0.2 * r + 40,
    ];
    for (let at = 0; at < data.length; at += 3)
      data.set(mix(source.data[at]!, source.data[at + 1]!, source.data[at + 2]!).map(Math.round), at);
    const change = [source, { ...source, data }] as const;
    expect(worst(finished(change, pictureOf(source, 0)), pictureOf({ ...source, data }, 0).rgb)).toBeLessThanOrEqual(8);
    const large = pictureOf(source, 1);
    const expected = Uint8Array.from({ length: large.rgb.length }, (_, at) => {
      const pixel = at - (at % 3);
      return Math.round(mix(large.rgb[pixel]!, large.rgb[pixel + 1]!, large.rgb[pixel + 2]!)[at % 3]!);
    });
    const error = finished(change, large).reduce((sum, value, at) => sum + Math.abs(value - expected[at]!), 0);
    expect(error / expected.length).toBeLessThan(2.5);
  });

  it('keeps a detail that the model never saw', () => {
    const source = clip(1);
    const darker = clip(1, (value) => 0.5 * value);
    const picture = { rgb: new Uint8Array(96 * 64 * 3).fill(120), width: 96, height: 64 };
    const at = (32 * 96 + 48) * 3;
    picture.rgb.fill(200, at, at + 3);
    const result = finished([source, darker], picture);
    expect(result[at]! / result[at + 300]!).toBeCloseTo(200 / 120, 0);
  });

  it('goes linearly from frame to frame, and holds before the first and after the last', () => {
    const source = clip(7);
    // The fit is averaged over three frames: the ends of a step are pure two frames away from it.
    const stepped = clip(7, (value, _channel, frame) => (frame < 3 ? value : value + 40));
    const picture = pictureOf(source, 0);
    const meanAt = (time: number) => {
      const result = finished([source, stepped], picture, { time });
      return result.reduce((sum, value) => sum + value, 0) / result.length;
    };
    expect(meanAt(-5)).toBeCloseTo(meanAt(0), 6);
    expect(meanAt(99)).toBeCloseTo(meanAt(6), 6);
    expect(meanAt(2.5)).toBeCloseTo((meanAt(2) + meanAt(3)) / 2, 0);
    expect(meanAt(6) - meanAt(0)).toBeGreaterThan(30);
  });

  it('at 1 is the same for all of one brightness nearby, so that what an edit draws in besides is averaged away', () => {
    const wall: SmallClip = { data: new Uint8Array(64 * 32 * 3).fill(120), frameCount: 1, width: 64, height: 32 };
    const drawn = { ...wall, data: wall.data.map((value) => value + 40) };
    for (let y = 10; y < 16; y++) drawn.data.fill(0, (y * 64 + 20) * 3, (y * 64 + 26) * 3);
    const picture = pictureOf(wall, 0);
    const to = (keepDetail: number) => {
      const result = new Uint8Array(picture.rgb.length);
      const change = findChange(wall, drawn, { keepDetail });
      createFinisher(change, { placement: placementOf(picture, wall, 'crop'), keepDetail }).finish(picture, 0, result);
      return result;
    };
    expect(Math.min(...to(0.5))).toBeLessThan(90);
    expect(Math.min(...to(1))).toBeGreaterThan(120);
    expect(Math.max(...to(1)) - Math.min(...to(1))).toBeLessThan(45);
  });

  it('at 1 follows brightness: dark and bright places side by side change each in their own way', () => {
    const data = Uint8Array.from({ length: 64 * 32 * 3 }, (_, at) => (Math.floor(at / 3) % 2 ? 200 : 40));
    const edited = data.map((value) => (value > 100 ? 150 : 60));
    const parts = { frameCount: 1, width: 64, height: 32 };
    const change = findChange({ data, ...parts }, { data: edited, ...parts }, { keepDetail: 1 });
    const result = new Uint8Array(data.length);
    const picture = { rgb: data, width: 64, height: 32 };
    createFinisher(change, { placement: placementOf(picture, parts, 'crop'), keepDetail: 1 }).finish(
      picture,
      0,
      result,
    );
    expect(worst(result, edited)).toBeLessThanOrEqual(6);
  });

  it('gives back the contrast that averaging takes', () => {
    const source = clip(1);
    // Half of the edit's contrast is something else that was drawn in.
    const noisy = {
      ...source,
      data: source.data.map((value, at) => Math.min(255, Math.max(0, value + (Math.floor(at / 30) % 2 ? 45 : -45)))),
    };
    const spread = (values: Uint8Array) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    };
    const even = finished([source, noisy], pictureOf(source, 0), { keepDetail: 1 });
    expect(spread(even)).toBeGreaterThan(0.85 * Math.min(spread(noisy.data), 1.5 * spread(source.data)));
  });

  it('towards 0 lets the edit in where it shows something else', () => {
    const source = clip(1);
    const other: SmallClip = { ...clip(1), data: source.data.toReversed() };
    const at = (keepDetail: number) => finished([source, other], pictureOf(source, 0), { keepDetail });
    const errorOf = (result: Uint8Array) => result.reduce((sum, value, i) => sum + (value - other.data[i]!) ** 2, 0);
    expect(errorOf(at(0))).toBeLessThan(0.3 * errorOf(at(0.5)));
    expect(errorOf(at(0.25))).toBeLessThan(errorOf(at(0.5)));
  });

  it('towards 0 keeps the detail of what turns from light to dark', () => {
    const { width, height } = size;
    const pixels = (value: (x: number, y: number) => number): SmallClip => ({
      data: Uint8Array.from({ length: width * height * 3 }, (_, at) => {
        const pixel = Math.floor(at / 3);
        return value(pixel % width, Math.floor(pixel / width));
      }),
      frameCount: 1,
      ...size,
    });
    const check = (x: number, y: number) => ((Math.floor(x / 4) + Math.floor(y / 4)) % 2 ? 60 : 200);
    /** As soft as the model sees it: means of 3 x 3. */
    const soft = (x: number, y: number) => {
      let sum = 0;
      for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) sum += check(x + dx + 4, y + dy + 4);
      return sum / 9;
    };
    const change = [pixels(soft), pixels((x, y) => 260 - soft(x, y))] as const;
    const wanted = pixels((x, y) => 260 - check(x, y)).data;
    const errorOf = (made: Uint8Array) =>
      made.reduce((sum, value, at) => sum + Math.abs(value - wanted[at]!), 0) / wanted.length;
    const made = finished(change, pictureOf(pixels(check), 0), { keepDetail: 0 });
    expect(errorOf(made)).toBeLessThan(0.4 * errorOf(change[1].data));
  });

  it('follows an edit of one thing to where it differs, and one that differs everywhere evenly', () => {
    const size = { frameCount: 3, width: 64, height: 48 };
    // One colour everywhere: no even change tells the thing from the wall.
    const wall: SmallClip = { data: new Uint8Array(3 * 64 * 48 * 3).fill(120), ...size };
    const drawnOn = (from: SmallClip): SmallClip => {
      const data = from.data.slice();
      for (let frame = 0; frame < 3; frame++)
        for (let y = 16; y < 32; y++)
          for (let x = 24; x < 40; x++) data.set([220, 40, 40], ((frame * 48 + y) * 64 + x) * 3);
      return { ...from, data };
    };
    const strayed = { ...wall, data: wall.data.map((value, at) => value + (Math.floor(at / 24) % 2 ? 25 : -25)) };
    const picture = pictureOf(wall, 1);
    const to = (edited: SmallClip) => {
      const result = new Uint8Array(picture.rgb.length);
      const change = findChange(wall, edited, { keepDetail: 0.75 });
      const placement = placementOf(picture, wall, 'crop');
      createFinisher(change, { placement, keepDetail: 0.75 }).finish(picture, 1, result);
      return result;
    };
    const [clean, stray] = [to(drawnOn(wall)), to(drawnOn(strayed))];
    const [middle, corner] = [(24 * 64 + 32) * 3, (4 * 64 + 4) * 3];
    expect(worst(clean.subarray(middle, middle + 3), Uint8Array.of(220, 40, 40))).toBeLessThanOrEqual(12);
    expect(stray[middle]!).toBeLessThan(190);
    // And the rest of the clip stays.
    expect(worst(clean.subarray(corner, corner + 3), Uint8Array.of(120, 120, 120))).toBeLessThanOrEqual(1);
  });

  it('is done to rows apart as to the whole', () => {
    const source = clip(2);
    const inverted = clip(2, (value) => 255 - value);
    const picture = largePicture(50, 31);
    const placement = placementOf(picture, size, 'crop');
    const apart = new Uint8Array(picture.rgb.length);
    const finisher = createFinisher(findChange(source, inverted, { keepDetail: 0.25 }), {
      placement,
      keepDetail: 0.25,
    });
    finisher.finish(picture, 0.3, apart, { firstRow: 0, endRow: 13 });
    finisher.finish(picture, 0.3, apart, { firstRow: 13, endRow: 31 });
    expect(apart).toEqual(finished([source, inverted], picture, { time: 0.3, keepDetail: 0.25 }));
  });

  it.each([1, 0.5, 0.25])('is made as far as is wanted, and with as much colour (detail %s)', (keepDetail) => {
    const edited = clip(2, (value, channel) => value * [1.2, 0.9, 0.6][channel]! + [10, 0, -5][channel]!);
    const picture = pictureOf(clip(2), 0);
    const change = findChange(clip(2), edited, { keepDetail });
    const placement = placementOf(picture, size, 'crop');
    const to = (grade: { amount?: number; colour?: number }) => {
      const result = new Uint8Array(picture.rgb.length);
      createFinisher(change, { placement, keepDetail, ...grade }).finish(picture, 0, result);
      return result;
    };
    expect(to({ amount: 0 })).toEqual(picture.rgb);
    expect(to({ amount: 1, colour: 1 })).toEqual(to({}));
    const whole = to({});
    const half = Uint8Array.from(whole, (value, at) => Math.round((value + picture.rgb[at]!) / 2));
    expect(worst(to({ amount: 0.5 }), half)).toBeLessThanOrEqual(keepDetail < 0.5 ? 6 : 1);
    const grey = to({ colour: 0 });
    const lumaAt = (at: number) => 0.299 * whole[at]! + 0.587 * whole[at + 1]! + 0.114 * whole[at + 2]!;
    for (let at = 0; at < grey.length; at += 3) {
      expect(Math.max(...grey.subarray(at, at + 3)) - Math.min(...grey.subarray(at, at + 3))).toBeLessThanOrEqual(1);
      if (Math.max(...whole.subarray(at, at + 3)) < 255) expect(Math.abs(grey[at]! - lumaAt(at))).toBeLessThan(2);
    }
    expect(worst(to({ colour: 2, amount: 0 }), picture.rgb)).toBe(0);
  });

  it.each([1, 0.5, 0.25])('that is locked is done only where the edit changes much (detail %s)', (keepDetail) => {
    const grey: SmallClip = { data: new Uint8Array(2 * 64 * 48 * 3).fill(120), frameCount: 2, width: 64, height: 48 };
    const thing = { ...grey, data: grey.data.map((value, at) => value + (at % 7 === 0 ? 3 : 0)) };
    for (let frame = 0; frame < 2; frame++)
      for (let y = 12; y < 36; y++)
        for (let x = 20; x < 44; x++) {
          const at = ((frame * 48 + y) * 64 + x) * 3;
          thing.data.set([200, 60, 60], at);
        }
    const picture = largePicture(640, 480);
    const placement = placementOf(picture, grey, 'crop');
    const to = (lock: boolean) => {
      const result = new Uint8Array(picture.rgb.length);
      createFinisher(findChange(grey, thing, { keepDetail, lock }), { placement, keepDetail }).finish(
        picture,
        0.5,
        result,
      );
      return result;
    };
    const rows = (rgb: Uint8Array, from: number, end: number) => rgb.subarray(from * 640 * 3, end * 640 * 3);
    const locked = to(true);
    expect(rows(locked, 0, 40)).toEqual(rows(picture.rgb, 0, 40));
    expect(rows(locked, 440, 480)).toEqual(rows(picture.rgb, 440, 480));
    const middle = (rgb: Uint8Array) => rgb.subarray((240 * 640 + 315) * 3, (240 * 640 + 325) * 3);
    expect(middle(locked)).toEqual(middle(to(false)));
    expect(middle(locked)).not.toEqual(middle(picture.rgb));
  });

  it('is carried beyond its clip by what pictures show, and what is local fades', () => {
    const half = (frameCount: number, left: number, right: number): SmallClip => ({
      data: Uint8Array.from({ length: frameCount * 32 * 16 * 3 }, (_, at) =>
        Math.floor(at / 3) % 32 < 16 ? left : right,
      ),
      frameCount,
      width: 32,
      height: 16,
    });
    const [base, edited] = [half(3, 40, 200), half(3, 60, 150)];
    const mirrored = { ...half(1, 200, 40), rgb: half(1, 200, 40).data };
    const to = (keepDetail: number, time: number, carried: boolean) => {
      const change = findChange(base, edited, { keepDetail, carried });
      const result = new Uint8Array(mirrored.rgb.length);
      const placement = placementOf(mirrored, base, 'crop');
      createFinisher(change, { placement, keepDetail, carried }).finish(mirrored, time, result);
      return result;
    };
    const wanted = half(1, 150, 60).data;
    // Bright and dark have changed sides since: each still changes in its own way.
    expect(worst(to(1, 30, true), wanted)).toBeLessThanOrEqual(12);
    expect(to(0.5, 30, true)).toEqual(to(1, 30, true));
    expect(to(0, 2, true)).toEqual(to(0, 2, false));
    expect(() =>
      createFinisher(findChange(base, edited, { keepDetail: 0 }), {
        placement: placementOf(base, base, 'crop'),
        keepDetail: 0,
        carried: true,
      }),
    ).toThrow('beyond its clip');
  });

  it('refuses an edit of another size', () => {
    expect(() => findChange(clip(2), clip(3), { keepDetail: 1 })).toThrow(
      'expected an edit of 2 frames of 24 x 16, found 3',
    );
  });
});

describe('where the model looked', () => {
  it('is the middle of a picture that was cut to its shape, and all of one that was padded', () => {
    expect(placementOf({ width: 200, height: 100 }, { width: 50, height: 50 }, 'crop')).toEqual({
      left: 50,
      top: 0,
      width: 100,
      height: 100,
    });
    expect(placementOf({ width: 200, height: 100 }, { width: 50, height: 50 }, 'pad')).toEqual({
      left: 0,
      top: -50,
      width: 200,
      height: 200,
    });
  });
});
