import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { middleSquare, pictureOf, resized } from '../../../../main/engine/formats/picture-input.ts';
import type { Pictures } from '../../../../main/engine/formats/raw-frames.ts';
import { alignedFace, facesOf } from '../../../../main/engine/metrics/supplied/faces.ts';
import {
  openSuppliedMetrics,
  type SuppliedMetrics,
} from '../../../../main/engine/metrics/supplied/supplied-metrics.ts';
import { describeNetwork, descriptions, writeStandIns } from './stand-ins.ts';

type Colour = readonly [number, number, number];

/** A clip whose frames are of one colour each. */
function plain(colours: readonly Colour[], width = 24, height = 16): Pictures {
  const data = new Uint8Array(colours.length * width * height * 3);
  for (const [frame, colour] of colours.entries())
    for (let place = 0; place < width * height; place++) data.set(colour, (frame * width * height + place) * 3);
  return { data, count: colours.length, width, height };
}
const red: Colour = [255, 0, 0];
const green: Colour = [0, 255, 0];
const white: Colour = [255, 255, 255];
const black: Colour = [0, 0, 0];

describe('with all networks', () => {
  let folder: string;
  let metrics: SuppliedMetrics;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'motif-metrics-'));
    await writeStandIns(folder);
    metrics = await openSuppliedMetrics(folder);
  });
  afterEach(async () => {
    metrics.dispose();
    await rm(folder, { recursive: true });
  });

  it('a clip is wholly like itself', () => {
    const clip = plain([red, [200, 40, 0], white]);
    const { clipImage, dinoImage, clipCoherence, faceIdentity } = metrics.measure(clip, metrics.see(clip), 'a dog');
    expect(clipImage).toBeLessThan(1);
    expect(dinoImage).toBeCloseTo(clipImage!, 5);
    expect(clipCoherence).toBeLessThan(1);
    expect(faceIdentity).toBeCloseTo(1, 5);
    const still = plain([red, red]);
    const same = metrics.measure(still, metrics.see(still), 'a dog');
    expect(same.clipImage).toBeCloseTo(1, 6);
    expect(same.clipCoherence).toBeCloseTo(1, 6);
  });

  it('all frames are compared with all of the source, and each with the next', () => {
    const made = plain([red, green]);
    const measured = metrics.measure(made, metrics.see(plain([red, red])), 'a dog');
    expect(measured.clipImage).toBeCloseTo(0.5, 6);
    expect(measured.dinoImage).toBeCloseTo(0.5, 6);
    expect(measured.clipCoherence).toBeCloseTo(0, 6);
  });

  it('words are read with their end, cut to the length and filled up', () => {
    const of = (words: string) => metrics.measure(plain([red]), metrics.see(plain([red])), words).clipText!;
    // n tokens are (n, 1, 1), and red is (1, 0, 0); eight are all that fit.
    const cosine = (tokens: number) => tokens / Math.hypot(tokens, 1, 1);
    expect(of('')).toBeCloseTo(cosine(1), 5);
    expect(of('a dog a dog a dog a dog a dog a dog')).toBeCloseTo(cosine(8), 5);
  });

  it('faces are compared where both frames have one, and how often that is, is said', () => {
    const source = metrics.see(plain([white, white, white, black]));
    const measured = metrics.measure(plain([white, black, [255, 255, 0], white]), source, 'a dog');
    expect(measured.faceShare).toBe(0.5);
    // White with white, and with yellow.
    expect(measured.faceIdentity).toBeCloseTo((1 + 2 / Math.sqrt(6)) / 2, 4);
    const none = metrics.measure(plain([black]), source, 'a dog');
    expect(none).toMatchObject({ faceShare: 0, faceIdentity: null });
  });

  it('a clip has a vector of frames that are spread evenly over it', () => {
    const features = metrics.featuresOf(plain([red, green, green, white, white, green, black]));
    // Frames 0, 2, 4 and 6, colour by colour.
    expect([...features!]).toEqual([1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0]);
  });

  it('pictures are compared with those at the same time, of any size', () => {
    const [made, source] = [plain([red, green, white]), plain([red, green, black])];
    expect(metrics.distanceOf(made, source)).toBeCloseTo((0 + 0 + 4) / 3, 5); // values go from -1 to 1
    expect(metrics.distanceOf(plain([white], 5, 7), plain([black], 5, 7))).toBeCloseTo(4, 5);
  });

  it('says which files were used', () => {
    expect(metrics.used.map(({ kind, name }) => `${kind}: ${name}`)).toEqual([
      'arcface: a stand-in for ArcFace',
      'clip: a stand-in for CLIP',
      'dino: a stand-in for DINO',
      'i3d: a stand-in for I3D',
      'lpips: a stand-in for LPIPS',
    ]);
    for (const { files } of metrics.used) for (const { sha256 } of files) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('what cannot be used is refused', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'motif-metrics-'));
    await writeStandIns(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const { clip, dino, arcface, i3d } = descriptions;
  const image = dino.image;
  it.each([
    ['a missing file', { ...dino, image: { ...image, file: 'no.onnx' } }, 'not-found', /no\.onnx cannot be read/],
    [
      'no network',
      { ...dino, image: { ...image, file: 'text.onnx' } },
      'damaged-file',
      /no ONNX model that can be used/,
    ],
    ['a wrong input', { ...dino, image: { ...image, input: 'x' } }, 'damaged-file', /token\.onnx has no input "x"/],
    ['a wrong output', { ...dino, image: { ...image, output: 'y' } }, 'damaged-file', /has no output "y"/],
    [
      'an input that is not named',
      { ...clip, text: { ...clip.text, mask: undefined } },
      'damaged-file',
      /also needs the input "mask"/,
    ],
    [
      'a network as a tokenizer',
      { ...clip, text: { ...clip.text, tokenizer: 'colour.onnx' } },
      'damaged-file',
      /not JSON/,
    ],
    [
      'levels without names',
      { ...arcface, detector: { ...arcface.detector, strides: [8, 16] } },
      'damaged-file',
      /one name for each stride/,
    ],
    ['an unknown kind', { ...dino, kind: 'vmaf' }, 'damaged-file', /kind/],
    ['an unknown setting', { ...dino, weights: 3 }, 'damaged-file', /weights/],
    ['a deviation of 0', { ...dino, image: { ...image, deviation: [0, 1, 1] } }, 'damaged-file', /must be above 0/],
  ])('%s', async (_, description, code, message) => {
    await writeFile(join(folder, 'text.onnx'), 'this is no network');
    await describeNetwork(folder, description.kind === 'vmaf' ? 'dino' : description.kind, description);
    await expect(openSuppliedMetrics(folder)).rejects.toMatchObject({ code, message });
  });

  it('a network for another size, and one that makes no vector, when they are run', async () => {
    await describeNetwork(folder, 'dino', { ...dino, image: { ...image, size: 24 } });
    const wrong = await openSuppliedMetrics(folder);
    expect(() => wrong.see(plain([red]))).toThrow(/token\.onnx cannot be run/);
    wrong.dispose();
    await describeNetwork(folder, 'dino', {
      ...dino,
      image: { ...image, file: 'detector.onnx', output: 'scores', size: 64 },
    });
    const scores = await openSuppliedMetrics(folder);
    expect(() => scores.see(plain([red]))).toThrow(/"scores" is \[32,1\], not one vector/);
    scores.dispose();
  });

  it('a detector whose levels have other sizes', async () => {
    const { detector } = arcface;
    await describeNetwork(folder, 'arcface', { ...arcface, detector: { ...detector, strides: [8] } });
    const metrics = await openSuppliedMetrics(folder);
    expect(() => metrics.see(plain([white]))).toThrow(/at stride 8 it has 32 scores/);
    metrics.dispose();
  });

  it('a network of pairs that makes more than a number', async () => {
    const { lpips } = descriptions;
    await describeNetwork(folder, 'lpips', { ...lpips, pair: { ...lpips.pair, output: 'squares' } });
    const metrics = await openSuppliedMetrics(folder);
    expect(() => metrics.distanceOf(plain([red]), plain([red]))).toThrow(/"squares" is \[1,3,16,24\], not one number/);
    metrics.dispose();
  });

  it('two of a kind, an empty folder, and none', async () => {
    await describeNetwork(folder, 'another', i3d);
    await expect(openSuppliedMetrics(folder)).rejects.toMatchObject({ message: /two networks of the kind i3d/ });
    const empty = await mkdtemp(join(tmpdir(), 'motif-metrics-'));
    await expect(openSuppliedMetrics(empty)).rejects.toMatchObject({
      code: 'not-found',
      message: /no file whose name/,
    });
    await rm(empty, { recursive: true });
    await expect(openSuppliedMetrics(empty)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('pictures', () => {
  /** A slope from left to right: 0, 10, 20 ... */
  const slope = () => {
    const data = new Uint8Array(12 * 4 * 3);
    for (let place = 0; place < 48; place++) data.fill(10 * (place % 12), place * 3, place * 3 + 3);
    return pictureOf({ data, count: 1, width: 12, height: 4 }, 0);
  };

  it('a slope stays a slope at other sizes', () => {
    const twice = resized(slope(), 24, 8);
    // Pixel 10 of 24 lies at 5.25 - 0.5 = 4.75 of 12.
    expect(twice.values[10 * 3]).toBe(48); // 47.5, as whole values
    const half = resized(slope(), 6, 2);
    expect(half.values[2 * 3]).toBeCloseTo(45, 3);
  });

  it('the middle of a wide picture is read', () => {
    const square = middleSquare(slope(), 4);
    expect([...square.values.slice(0, 12).filter((_, index) => index % 3 === 0)]).toEqual([40, 50, 60, 70]);
  });

  it('faces in one another are one, and the points of one come to their places when it is aligned', () => {
    const level = (scores: number[]) => ({
      stride: 32,
      scores: Float32Array.from(scores),
      boxes: new Float32Array(16).fill(1),
      points: new Float32Array(40),
    });
    expect(
      facesOf([level([0.9, 0.8, 0.1, 0.7])], 64, 2, 0.5).map(({ score, box }) => [score.toFixed(1), ...box]),
    ).toEqual([
      ['0.9', -16, -16, 16, 16],
      ['0.8', 0, -16, 32, 16],
      ['0.7', 0, 0, 32, 32],
    ]);
    const same = { ...level([0.9, 0.8]), boxes: new Float32Array(8).fill(1), points: new Float32Array(20) };
    expect(facesOf([{ ...same, stride: 64 }], 64, 1, 0.5)).toHaveLength(1);

    // Five marks, turned by a quarter and half as large, are upright again.
    const marks = [38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041];
    const points = marks.map((_, index) => (index % 2 ? marks[index - 1]! / 2 + 10 : 70 - marks[index + 1]! / 2));
    const picture = { values: new Float32Array(80 * 80 * 3), width: 80, height: 80 };
    for (let y = 0; y < 80; y++) for (let x = 0; x < 80; x++) picture.values.set([x, y, 0], (y * 80 + x) * 3);
    const aligned = alignedFace(picture, { score: 1, box: [0, 0, 80, 80], points }, 112);
    for (const [x, y] of [
      [38, 52],
      [56, 72],
      [90, 20],
    ] as const) {
      expect(aligned.values[(y * 112 + x) * 3]).toBeCloseTo(70 - y / 2, 3);
      expect(aligned.values[(y * 112 + x) * 3 + 1]).toBeCloseTo(x / 2 + 10, 3);
    }
  });
});
