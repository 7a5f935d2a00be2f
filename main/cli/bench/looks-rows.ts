import { formatNumber } from '../progress-text.ts';
import { formatTable } from '../tables.ts';

/** One line of what `motif bench looks` answers. */
export interface LooksRow {
  what: string;
  value: number | null;
  unit: 's' | 'x' | 'MB' | 'frames/s';
  /** To the same clip decoded, scaled and encoded by ffmpeg alone in the same run: times as ratios of times, rates as ratios of rates. */
  toFfmpeg: number | null;
  /** The most that is aimed at. */
  atMost: number | null;
  note: string;
}

/** What was timed, in milliseconds, in the order of the rounds. */
export interface LooksTimes {
  /** From handing over the file to the first tile, finished. */
  firstTile: number[];
  fiveTiles: number[];
  /** Making one look of a new clip, and making all five. */
  oneLook: number[];
  fiveLooks: number[];
  /** Each change of strength to its finished preview; the first, which compiles, is left out. */
  previews: number[];
  /** ffmpeg alone: decoding, scaling and encoding the clip. */
  ffmpeg: number[];
}

export interface ExportSpeed {
  name: string;
  framesPerSecond: number;
  ffmpegFramesPerSecond: number;
  ownBytes: number;
  allBytes: number | null;
  note: string;
}

/** Seconds, by what computes. */
const goals = {
  openvino: { firstTile: 5, fiveTiles: 9, preview: 1 },
  onnxruntime: { firstTile: 6, fiveTiles: 15, preview: 1.5 },
};
const fiveToOne = 4;
const memoryMegabytes = 1500;

/** Of each kind of time the middle one; of previews the 95th percentile. */
export function looksRows(device: string, times: LooksTimes, peakBytes: number | null): LooksRow[] {
  const goal = device.startsWith('openvino') ? goals.openvino : device === 'onnxruntime' ? goals.onnxruntime : null;
  const ffmpeg = percentile(times.ffmpeg, 0.5);
  const seconds = (what: string, milliseconds: number, atMost: number | undefined, note: string): LooksRow => ({
    what,
    value: milliseconds / 1000,
    unit: 's',
    toFfmpeg: milliseconds / ffmpeg,
    atMost: atMost ?? null,
    note,
  });
  const rounds = `${times.firstTile.length} clips, middle`;
  const one = percentile(times.oneLook, 0.5);
  const five = percentile(times.fiveLooks, 0.5);
  return [
    seconds('ffmpeg alone: decode, scale, encode the clip', ffmpeg, undefined, `${times.ffmpeg.length} times, middle`),
    seconds('clip dropped to first finished tile', percentile(times.firstTile, 0.5), goal?.firstTile, rounds),
    seconds('clip dropped to five finished tiles', percentile(times.fiveTiles, 0.5), goal?.fiveTiles, rounds),
    seconds(
      'strength moved to finished preview, p95',
      percentile(times.previews, 0.95),
      goal?.preview,
      `${times.previews.length} moves, median ${formatNumber(percentile(times.previews, 0.5) / 1000)} s`,
    ),
    {
      what: 'five looks against one',
      value: five / one,
      unit: 'x',
      toFfmpeg: null,
      atMost: fiveToOne,
      note: `one after the other, ${formatNumber(five / 1000)} s and ${formatNumber(one / 1000)} s`,
    },
    {
      what: 'peak memory of all processes together',
      value: peakBytes === null ? null : peakBytes / 1e6,
      unit: 'MB',
      toFfmpeg: null,
      atMost: memoryMegabytes,
      note: peakBytes === null ? 'measured on Linux only' : 'engine, media and this program, resident',
    },
  ];
}

export function exportRows({ name, framesPerSecond, ffmpegFramesPerSecond, ...speed }: ExportSpeed): LooksRow[] {
  const { ownBytes, allBytes, note } = speed;
  return [
    {
      what: `finished export at ${name}`,
      value: framesPerSecond,
      unit: 'frames/s',
      toFfmpeg: framesPerSecond / ffmpegFramesPerSecond,
      atMost: null,
      note,
    },
    {
      what: `its peak memory at ${name}`,
      value: ownBytes / 1e6,
      unit: 'MB',
      toFfmpeg: null,
      atMost: null,
      note: `this process${allBytes === null ? '' : `; ${formatNumber(allBytes / 1e6)} MB with its ffmpeg processes`}`,
    },
  ];
}

/** true, false, or null when nothing was measured or nothing is aimed at. */
export function meetsGoal({ value, atMost }: LooksRow): boolean | null {
  return value === null || atMost === null ? null : value <= atMost;
}

export function looksTable(rows: LooksRow[]): string {
  return formatTable(
    ['what', 'measured', 'to ffmpeg', 'goal', 'note'],
    rows.map((row) => {
      const met = meetsGoal(row);
      return [
        row.what,
        row.value === null ? '-' : `${formatNumber(row.value)} ${row.unit}`,
        row.toFfmpeg === null ? '' : row.toFfmpeg.toFixed(2),
        row.atMost === null ? '' : `${row.atMost} ${row.unit}${met === null ? '' : met ? ' met' : ' MISSED'}`,
        row.note,
      ];
    }),
  );
}

/** The smallest value that at least `share` of all do not exceed. */
export function percentile(values: number[], share: number): number {
  if (values.length === 0) throw new RangeError('expected at least one value');
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}
