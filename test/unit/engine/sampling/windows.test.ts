import { expect, it } from 'vitest';
import { createJoiner } from '../../../../main/engine/sampling/windows.ts';
import { windowsOf } from '../../../../shared/domain/sampling-plan.ts';

it('windows cover a clip of any length, share five frames, and the last one ends with it', () => {
  expect(windowsOf(9, 17)).toEqual([0]);
  expect(windowsOf(17, 17)).toEqual([0]);
  expect(windowsOf(21, 17)).toEqual([0, 4]);
  expect(windowsOf(41, 17)).toEqual([0, 12, 24]);
  for (let frameCount = 18; frameCount < 200; frameCount++) {
    const firsts = windowsOf(frameCount, 17);
    expect(firsts.at(-1)).toBe(frameCount - 17);
    for (const [index, first] of firsts.slice(1).entries()) {
      expect(first).toBeGreaterThan(firsts[index]!);
      expect(firsts[index]! + 17 - first).toBeGreaterThanOrEqual(5);
    }
  }
});

it('windows are joined to the clip that they came from, whatever their number', () => {
  for (const frameCount of [17, 20, 41, 53]) {
    const clip = Uint8Array.from({ length: frameCount * 2 }, (_, at) => (at * 37) % 251);
    const firsts = windowsOf(frameCount, 17);
    const join = createJoiner(2);
    const parts = firsts.map((first, index) =>
      join(first, clip.subarray(first * 2, (first + 17) * 2), index === firsts.length - 1),
    );
    expect([...Buffer.concat(parts)]).toEqual([...clip]);
  }
});

it('where windows differ one goes over into the next by equal steps', () => {
  const join = createJoiner(1);
  const parts = [
    join(0, new Uint8Array(17).fill(0), false),
    join(12, new Uint8Array(17).fill(60), false),
    join(24, new Uint8Array(17).fill(0), true),
  ];
  const joined = [...Buffer.concat(parts)];
  expect(joined).toHaveLength(41);
  expect(joined.slice(11, 18)).toEqual([0, 10, 20, 30, 40, 50, 60]);
  expect(joined.slice(23, 30)).toEqual([60, 50, 40, 30, 20, 10, 0]);
});
