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
  change: ReturnType<typeof findChange>,
  picture: ReturnType<typeof largePicture>,
  time = 0,
  keepDetail = 1,
) {
  const placement = placementOf(picture, size, 'crop');
  const to = new Uint8Array(picture.rgb.length);
  createFinisher(change, { placement, keepDetail }).finish(picture, time, to);
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
  it('that changes nothing leaves every picture as it is, to the bit', () => {
    const source = clip(3);
    const picture = largePicture(97, 61);
    expect(finished(findChange(source, source), picture, 1.4)).toEqual(picture.rgb);
  });

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
    const change = findChange(source, { ...source, data });
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
    const result = finished(findChange(source, darker), picture);
    expect(result[at]! / result[at + 300]!).toBeCloseTo(200 / 120, 0);
  });

  it('goes linearly from frame to frame, and holds before the first and after the last', () => {
    const source = clip(7);
    // The fit is averaged over three frames: the ends of a step are pure two frames away from it.
    const stepped = clip(7, (value, _channel, frame) => (frame < 3 ? value : value + 40));
    const change = findChange(source, stepped);
    const picture = pictureOf(source, 0);
    const meanAt = (time: number) => {
      const result = finished(change, picture, time);
      return result.reduce((sum, value) => sum + value, 0) / result.length;
    };
    expect(meanAt(-5)).toBeCloseTo(meanAt(0), 6);
    expect(meanAt(99)).toBeCloseTo(meanAt(6), 6);
    expect(meanAt(2.5)).toBeCloseTo((meanAt(2) + meanAt(3)) / 2, 0);
    expect(meanAt(6) - meanAt(0)).toBeGreaterThan(30);
  });

  it('towards 0 lets the edit in where it shows something else', () => {
    const source = clip(1);
    const other: SmallClip = { ...clip(1), data: source.data.toReversed() };
    const change = findChange(source, other, { detailed: true });
    const at = (keepDetail: number) => finished(change, pictureOf(source, 0), 0, keepDetail);
    const errorOf = (result: Uint8Array) => result.reduce((sum, value, i) => sum + (value - other.data[i]!) ** 2, 0);
    expect(errorOf(at(0))).toBeLessThan(0.3 * errorOf(at(1)));
    expect(errorOf(at(0.5))).toBeLessThan(errorOf(at(1)));
  });

  it('is done to rows apart as to the whole', () => {
    const source = clip(2);
    const change = findChange(
      source,
      clip(2, (value) => 255 - value),
      { detailed: true },
    );
    const picture = largePicture(50, 31);
    const placement = placementOf(picture, size, 'crop');
    const apart = new Uint8Array(picture.rgb.length);
    const finisher = createFinisher(change, { placement, keepDetail: 0.5 });
    finisher.finish(picture, 0.3, apart, { firstRow: 0, endRow: 13 });
    finisher.finish(picture, 0.3, apart, { firstRow: 13, endRow: 31 });
    expect(apart).toEqual(finished(change, picture, 0.3, 0.5));
  });

  it('refuses an edit of another size', () => {
    expect(() => findChange(clip(2), clip(3))).toThrow('expected an edit of 2 frames of 24 x 16, found 3');
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
