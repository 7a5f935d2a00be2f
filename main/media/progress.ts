/** What ffmpeg reports with `-progress pipe:1` about twice a second, plus what follows from the expected length. */
export interface MediaProgress {
  frame: number;
  timeSeconds: number;
  /** Of real time; 0 while unknown. */
  speed: number;
  framesPerSecond: number;
  /** 0..1; undefined when the expected length is unknown. */
  ratio: number | undefined;
  /** Seconds left; undefined until a rate is known. */
  secondsLeft: number | undefined;
  done: boolean;
}

export interface ExpectedLength {
  frames?: number | undefined;
  seconds?: number | undefined;
}

/**
 * A parser of `-progress` output in pieces of any size. Each call answers the reports completed by that piece:
 * a report is a run of `key=value` lines closed by `progress=continue` or `progress=end`.
 */
export function createProgressParser(expected: ExpectedLength = {}): (text: string) => MediaProgress[] {
  let rest = '';
  let fields = new Map<string, string>();
  return (text) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? '';
    const reports: MediaProgress[] = [];
    for (const line of lines) {
      const at = line.indexOf('=');
      if (at < 0) continue;
      const key = line.slice(0, at).trim();
      const value = line.slice(at + 1).trim();
      fields.set(key, value);
      if (key !== 'progress') continue;
      reports.push(toProgress(fields, expected));
      fields = new Map();
    }
    return reports;
  };
}

function toProgress(fields: Map<string, string>, expected: ExpectedLength): MediaProgress {
  const frame = toNumber(fields.get('frame'));
  // out_time_ms is in microseconds too: an old mistake of ffmpeg that programs rely on.
  const timeSeconds = Math.max(0, toNumber(fields.get('out_time_us') ?? fields.get('out_time_ms')) / 1e6);
  const speed = toNumber(fields.get('speed')?.replace(/x$/, ''));
  const framesPerSecond = toNumber(fields.get('fps'));
  const done = fields.get('progress') === 'end';
  let ratio: number | undefined;
  if (expected.frames && expected.frames > 0) ratio = frame / expected.frames;
  else if (expected.seconds && expected.seconds > 0) ratio = timeSeconds / expected.seconds;
  if (ratio !== undefined) ratio = done ? 1 : Math.min(1, ratio);
  let secondsLeft: number | undefined;
  if (done) secondsLeft = 0;
  else if (expected.frames && framesPerSecond > 0) {
    secondsLeft = Math.max(0, expected.frames - frame) / framesPerSecond;
  } else if (expected.seconds && speed > 0) secondsLeft = Math.max(0, expected.seconds - timeSeconds) / speed;
  return { frame, timeSeconds, speed, framesPerSecond, ratio, secondsLeft, done };
}

/** 'N/A', a missing field and rubbish count as 0. */
function toNumber(text: string | undefined): number {
  const value = Number(text);
  return text && Number.isFinite(value) ? value : 0;
}
