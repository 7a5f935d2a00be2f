import { describe, expect, it } from 'vitest';
import { speaksOfMemory } from '../../../main/engine-host/memory.ts';
import { defaultLimits, Watch, type WatchLimits } from '../../../main/engine-host/watch.ts';

const second = 1000;
const minute = 60 * second;

/** Lets so much time go by, with beats each second that say how busy the processor is (cores), checking every five. */
function pass(watch: Watch, from: number, milliseconds: number, busyCores: number, start = { cpuSeconds: 0 }) {
  for (let now = from + second; now <= from + milliseconds; now += second) {
    start.cpuSeconds += busyCores;
    const fault =
      watch.beat({ cpuSeconds: start.cpuSeconds, residentBytes: 1e9 }, now) ??
      (now % 5000 === 0 ? watch.check(now) : null);
    if (fault) return { fault, at: now };
  }
  return { fault: null, at: from + milliseconds };
}

function makeWatch(limits: Partial<WatchLimits> = {}, starting = false): Watch {
  return new Watch({ ...defaultLimits, ...limits }, 0, starting);
}

describe('a call', () => {
  it('that computes for half an hour without a word is no hang', () => {
    expect(pass(makeWatch(), 0, 30 * minute, 1.9).fault).toBeNull();
  });

  it('that neither computes nor reports is a hang after three minutes', () => {
    const { fault, at } = pass(makeWatch(), 0, 30 * minute, 0.01);
    expect(fault).toMatchObject({ code: 'engine-hung' });
    expect(at).toBeGreaterThan(3 * minute);
    expect(at).toBeLessThan(3.2 * minute);
  });

  it('on a graphics card that reports after every step is no hang', () => {
    const watch = makeWatch();
    const cpu = { cpuSeconds: 0 };
    for (let step = 0; step < 20; step++) {
      expect(pass(watch, step * minute, minute, 0.02, cpu).fault).toBeNull();
      watch.event((step + 1) * minute);
    }
  });

  it('that computes for more than an hour without progress is a hang', () => {
    const { fault, at } = pass(makeWatch(), 0, 2 * 60 * minute, 1);
    expect(fault?.reason).toContain('without any progress');
    expect(at).toBeGreaterThan(60 * minute);
  });

  it('above the memory limit is ended at the next beat', () => {
    const watch = makeWatch({ memoryBytes: 5e8 });
    expect(pass(watch, 0, minute, 1)).toMatchObject({ fault: { code: 'out-of-memory' }, at: second });
  });
});

describe('a process', () => {
  const checkUntil = (watch: Watch, until: number) => {
    for (let now = 5 * second; now <= until; now += 5 * second) {
      const fault = watch.check(now);
      if (fault) return { fault, at: now };
    }
    return null;
  };

  it('stopped for good is noticed within half a minute', () => {
    expect(checkUntil(makeWatch(), 10 * minute)).toMatchObject({
      fault: { code: 'engine-hung' },
      at: 25 * second,
    });
  });

  it('that does not start is hung', () => {
    expect(checkUntil(makeWatch({ startSeconds: 30 }, true), 10 * minute)?.fault.reason).toContain(
      'did not start within 35 seconds',
    );
  });

  it('has its time counted from its first sign of life', () => {
    const watch = makeWatch({ idleSeconds: 10 }, true);
    checkUntil(watch, minute);
    watch.beat({ cpuSeconds: 1, residentBytes: 1 }, minute);
    expect(watch.check(minute + 5 * second)).toBeNull();
  });

  it('is not blamed for the time in which the whole machine slept', () => {
    const watch = makeWatch();
    pass(watch, 0, minute, 0.01);
    const night = 8 * 60 * minute;
    expect(watch.check(night)).toBeNull();
    expect(pass(watch, night, minute, 0.01, { cpuSeconds: 1 }).fault).toBeNull();
  });

  it('is not blamed for a machine so busy that the checks come late as well, and yet noticed there when it stands still', () => {
    const watch = makeWatch();
    const late = 9 * second;
    for (let now = late; now <= 3 * late; now += late) expect(watch.check(now)).toBeNull();
    watch.beat({ cpuSeconds: 1, residentBytes: 1 }, 3 * late);
    const noticed = [4, 5, 6, 7, 8].map((count) => watch.check(count * late) !== null);
    expect(noticed).toEqual([false, false, false, false, true]);
  });
});

it.each([
  ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', true],
  ["terminate called after throwing an instance of 'std::bad_alloc'", true],
  ['Non-zero status code returned while running MatMul node: bad allocation', true],
  ['RangeError: Array buffer allocation failed', true],
  // All three of OpenVINO 2026.4, compiling the same graph with 20, 60 and 350 MB left.
  ["OpenVINO could not compile the model: can't alloc", true],
  ['OpenVINO could not compile the model: Failed to allocate 66929664 bytes of memory', true],
  ['OpenVINO could not compile the model: std::bad_alloc', true],
  ['expected 30 blocks, found 29', false],
])('"%s" speaks of memory: %s', (text, expected) => {
  expect(speaksOfMemory(text)).toBe(expected);
});
