import { describe, expect, it } from 'vitest';
import { frechetDistance } from '../../../../main/engine/metrics/frechet.ts';
import { motionAgainstSource } from '../../../../main/engine/metrics/motion.ts';
import { meanSquaredError } from '../../../../main/engine/metrics/mse.ts';
import { opticalFlow } from '../../../../main/engine/metrics/optical-flow.ts';
import { peakSignalToNoise } from '../../../../main/engine/metrics/psnr.ts';
import { structuralSimilarity } from '../../../../main/engine/metrics/ssim.ts';
import { temporalCoherence } from '../../../../main/engine/metrics/temporal-coherence.ts';

const size = { width: 64, height: 48 };

/** A smooth, textured picture moved by (dx, dy) pixels. */
function picture(dx: number, dy: number): Uint8Array {
  const bytes = new Uint8Array(size.width * size.height * 3);
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const [u, v] = [x - dx, y - dy];
      const value = 128 + 50 * Math.sin(u / 4) * Math.cos(v / 5) + 40 * Math.sin((u + 2 * v) / 9);
      bytes.fill(Math.round(value), (y * size.width + x) * 3, (y * size.width + x) * 3 + 3);
    }
  }
  return bytes;
}

function clip(...moves: [number, number][]): Uint8Array {
  const frames = moves.map(([dx, dy]) => picture(dx, dy));
  const bytes = new Uint8Array(frames.length * frames[0]!.length);
  for (const [i, frame] of frames.entries()) bytes.set(frame, i * frame.length);
  return bytes;
}

describe('picture metrics', () => {
  it('gives the MSE and PSNR of a known difference', () => {
    const [a, b] = [new Uint8Array(12).fill(100), new Uint8Array(12).fill(151)];
    expect(meanSquaredError(a, b)).toBeCloseTo(0.04, 12);
    expect(peakSignalToNoise(a, b)).toBeCloseTo(13.979, 3);
    expect(peakSignalToNoise(a, a)).toBe(Number.POSITIVE_INFINITY);
  });

  it('counts only masked pixels', () => {
    const a = new Uint8Array(6);
    const b = Uint8Array.from([255, 255, 255, 0, 0, 0]);
    expect(meanSquaredError(a, b, Uint8Array.from([1, 0]))).toBe(1);
    expect(meanSquaredError(a, b, Uint8Array.from([0, 1]))).toBe(0);
  });

  it('rates equal pictures 1 and worse ones lower, blur less than noise of another picture', () => {
    const a = picture(0, 0);
    expect(structuralSimilarity(a, a, size)).toBeCloseTo(1, 6);
    const near = structuralSimilarity(a, picture(0.5, 0), size);
    expect(near).toBeLessThan(1);
    expect(structuralSimilarity(a, picture(9, 7), size)).toBeLessThan(near);
  });

  it('refuses clips of different sizes', () => {
    expect(() => meanSquaredError(new Uint8Array(3), new Uint8Array(6))).toThrow(RangeError);
    expect(() => structuralSimilarity(picture(0, 0), new Uint8Array(6), size)).toThrow(RangeError);
  });
});

describe('motion metrics', () => {
  it('finds a known displacement', () => {
    const flow = opticalFlow(picture(0, 0), picture(2, -1), size);
    const inside: number[] = [];
    for (let y = 8; y < 40; y++) for (let x = 8; x < 56; x++) inside.push(y * size.width + x);
    const mean = (values: Float32Array) => inside.reduce((sum, i) => sum + values[i]!, 0) / inside.length;
    expect(mean(flow.x)).toBeCloseTo(2, 0);
    expect(mean(flow.y)).toBeCloseTo(-1, 0);
  });

  it('knows the same motion, half of it, and its opposite', () => {
    const source = clip([0, 0], [2, 0], [4, 0]);
    const same = motionAgainstSource(source, source, size);
    expect(same.amount).toBeCloseTo(1, 6);
    expect(same.agreement).toBeCloseTo(1, 6);
    const half = motionAgainstSource(clip([0, 0], [1, 0], [2, 0]), source, size);
    expect(half.amount).toBeGreaterThan(0.35);
    expect(half.amount).toBeLessThan(0.65);
    expect(motionAgainstSource(clip([4, 0], [2, 0], [0, 0]), source, size).agreement).toBeLessThan(-0.8);
  });
});

describe('feature metrics', () => {
  it('is zero for the same set and the squared shift for a shifted one', () => {
    const set = Array.from({ length: 20 }, (_, i) =>
      Float32Array.from([Math.sin(i), Math.cos(3 * i), Math.sin(7 * i)]),
    );
    const shifted = set.map((row) => row.map((value, j) => value + (j === 0 ? 2 : 0)));
    expect(frechetDistance(set, set)).toBeCloseTo(0, 6);
    expect(frechetDistance(set, shifted)).toBeCloseTo(4, 5);
  });

  it('rates coherent frames above incoherent ones', () => {
    const a = Float32Array.from([1, 0]);
    const b = Float32Array.from([0, 1]);
    expect(temporalCoherence([a, a, a])).toBeCloseTo(1, 6);
    expect(temporalCoherence([a, b, a])).toBeCloseTo(0, 6);
  });
});
