import { expect, test } from 'vitest';
import { createProgressParser } from '../../../main/media/progress.ts';

const report = (frame: number, end = false) =>
  `frame=${frame}\nfps=24.50\nstream_0_0_q=28.0\nbitrate= 512.3kbits/s\ntotal_size=12345\nout_time_us=${frame * 40_000}\nout_time_ms=${frame * 40_000}\nout_time=00:00:01.000000\ndup_frames=0\ndrop_frames=0\nspeed=0.98x\nprogress=${end ? 'end' : 'continue'}\n`;

test('a report gives frame, time, speed, ratio and time left', () => {
  const parse = createProgressParser({ frames: 100 });
  const [progress] = parse(report(51));
  expect(progress).toEqual({
    frame: 51,
    timeSeconds: 2.04,
    speed: 0.98,
    framesPerSecond: 24.5,
    ratio: 0.51,
    secondsLeft: 2,
    done: false,
  });
});

test('pieces cut anywhere give the same reports as the whole text', () => {
  const text = report(10) + report(20) + report(30, true);
  const whole = createProgressParser({ frames: 30 })(text);
  const parse = createProgressParser({ frames: 30 });
  const pieces = [...text].flatMap((character) => parse(character));
  expect(pieces).toEqual(whole);
  expect(whole.map(({ frame }) => frame)).toEqual([10, 20, 30]);
});

test('the last report counts as complete with nothing left, whatever was expected', () => {
  const [progress] = createProgressParser({ frames: 1000 })(report(30, true));
  expect(progress).toMatchObject({ ratio: 1, secondsLeft: 0, done: true });
});

test('more frames than expected never pass one', () => {
  expect(createProgressParser({ frames: 10 })(report(30))[0]).toMatchObject({ ratio: 1, secondsLeft: 0 });
});

test('without an expected length ratio and time left are unknown', () => {
  expect(createProgressParser()(report(30))[0]).toMatchObject({ ratio: undefined, secondsLeft: undefined });
});

test('an expected time is used when no frame count is known', () => {
  const [progress] = createProgressParser({ seconds: 4 })(report(50));
  expect(progress?.ratio).toBeCloseTo(0.5);
  expect(progress?.secondsLeft).toBeCloseTo(2 / 0.98);
});

test('values that ffmpeg does not know yet count as zero', () => {
  const text = 'frame=0\nfps=0.00\nout_time_us=N/A\nout_time_ms=N/A\nspeed=N/A\nprogress=continue\r\n';
  expect(createProgressParser({ frames: 5 })(text)[0]).toMatchObject({ frame: 0, timeSeconds: 0, speed: 0, ratio: 0 });
});

test('a negative time, from audio that begins early, is shown as zero', () => {
  expect(createProgressParser()('out_time_us=-23000\nprogress=continue\n')[0]?.timeSeconds).toBe(0);
});

test('lines of other kinds are passed over', () => {
  expect(createProgressParser()('hello\n\nframe=3\nprogress=continue\nframe=')).toHaveLength(1);
});
