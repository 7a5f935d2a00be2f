import type { SuppliedMetric } from '../../../../shared/domain/evaluation-table.ts';
import type {
  CodedRow,
  EvaluateTwinResult,
  ReenactedRow,
  WordedRow,
} from '../../../../shared/domain/evaluation-twin.ts';
import { formatTable } from '../../tables.ts';
import { percent, plain, spread } from '../numbers.ts';

const sets = { world: 'test scenes', real: 'real clips' };

/** Columns in their order; those of a user's networks only where there are any. */
const columns: { title: string; kind?: SuppliedMetric['kind']; cell(row: CodedRow): string }[] = [
  { title: 'rate %', cell: ({ rate }) => (rate.mean === null ? '-' : (100 * rate.mean).toFixed(3)) },
  { title: 'PSNR dB', cell: ({ psnr }) => spread(psnr, 2) },
  { title: 'SSIM', cell: ({ ssim }) => spread(ssim, 4) },
  { title: 'perceptual', cell: ({ perceptual }) => spread(perceptual, 4) },
  { title: 'LPIPS', kind: 'lpips', cell: ({ lpips }) => spread(lpips, 4) },
  { title: 'Fréchet, judge', cell: ({ frechet }) => plain(frechet, 2) },
  { title: 'FVD', kind: 'i3d', cell: ({ frechetVideo }) => plain(frechetVideo, 1) },
  { title: 'structure alone dB', cell: ({ psnrStructure }) => spread(psnrStructure, 2) },
  { title: 'dynamics alone dB', cell: ({ psnrDynamics }) => spread(psnrDynamics, 2) },
  { title: 's to encode', cell: ({ encodeSeconds }) => spread(encodeSeconds, 2) },
  { title: 's to decode', cell: ({ decodeSeconds }) => spread(decodeSeconds, 2) },
];

/** Titles, and the cells of each row. */
export function codedTable(rows: readonly CodedRow[], supplied: readonly SuppliedMetric[]) {
  const shown = columns.filter(({ kind }) => !kind || supplied.some((metric) => metric.kind === kind));
  return {
    header: shown.map(({ title }) => title),
    cells: rows.map((row) => [row.way, ...shown.map(({ cell }) => cell(row))]),
  };
}

export const reenactedHeader = [
  'pairs',
  'flow with dynamics',
  'flow with structure',
  'named as structure %',
  'as dynamics %',
];

export function reenactedCells(row: ReenactedRow): string[] {
  return [
    String(row.pairs),
    spread(row.agreementWithDynamics, 3),
    spread(row.agreementWithStructure, 3),
    percent(row.namedAsStructure),
    percent(row.namedAsDynamics),
  ];
}

export const wordedHeader = ['clips', 'named %', 'subject %', 'words and clip', 'Fréchet, judge', 's a clip'];

export function wordedCells(row: WordedRow): string[] {
  return [
    String(row.clips),
    percent(row.named),
    percent(row.subject),
    spread(row.agreement, 3),
    plain(row.frechet, 2),
    spread(row.seconds, 2),
  ];
}

/** Table 1 of the paper (arXiv 2412.17726): MCL-JCV at 25 frames a second, 16 frames of 224 x 224, its own LPIPS. */
export const paperRows = [
  ['iVideoGPT', '1.50', '19.35', '.5752'],
  ['MAGVIT-v2', '.65', '24.35', '.6877'],
  ['CMD', '6.85', '27.33', '.7746'],
  ['EMU-3', '.53', '25.36', '.7260'],
  ['CV-VAE', '.53', '28.06', '.7546'],
  ['VidTwin', '.20', '28.14', '.8044'],
];
export const paperHeader = ['in the paper', 'rate %', 'PSNR dB', 'SSIM'];

/** Table 3, equal training steps, and table 4, sizes in parameters. */
export const paperTrialsHeader = ['in the paper, ablations and sizes', 'PSNR dB', 'SSIM'];
export const paperTrials = [
  ['full', '26.12', '.731'],
  ['no-disentanglement', '23.51', '.654'],
  ['no-averaging', '24.84', '.693'],
  ['no-q-former', '25.39', '.702'],
  ['no-move', '23.17', '.630'],
  ['small, 126 M', '24.83', '.683'],
  ['base, 335 M', '26.13', '.732'],
  ['large, 1.3 B', '27.16', '.751'],
];

export const notes = [
  'Mean ± standard deviation over clips, over the frames that all ways code. Rate: numbers of the code for each number of the pixels.',
  "Perceptual: ours, by the features of the judge's convolutions, 0 equal; its numbers cannot be compared with LPIPS, which stands in the paper.",
  "Fréchet: the distance of all clips that came back to the clips themselves, by the judge's features or, as FVD, by your own network's. Of so few clips it is no number to compare with a paper's.",
  'Of words: captions of test scenes made into clips, in as many steps; named: what the caption says that the judge finds.',
  'DCT: a cosine transform over frames, rows and columns that keeps, for every clip, the coefficients with most energy in training scenes; not quantised, as latents are not.',
  "The paper's numbers are of other clips, other sizes and networks 15 to 170 times as large.",
];

export function formatTwinReport({ rows, reenacted, worded, supplied }: EvaluateTwinResult): string {
  const parts = (['world', 'real'] as const).flatMap((set) => {
    const own = rows.filter((row) => row.set === set);
    if (own.length === 0) return [];
    const { header, cells } = codedTable(own, supplied);
    const title = `${sets[set]} (${own[0]!.clips})`;
    return [formatTable([title, ...header], cells)];
  });
  if (reenacted.length > 0)
    parts.push(
      formatTable(
        ['reenacted', ...reenactedHeader],
        reenacted.map((row) => [row.twin, ...reenactedCells(row)]),
      ),
    );
  if (worded.length > 0)
    parts.push(
      formatTable(
        ['of words', ...wordedHeader],
        worded.map((row) => [row.way, ...wordedCells(row)]),
      ),
    );
  parts.push(formatTable(paperHeader, paperRows), formatTable(paperTrialsHeader, paperTrials));
  return [...parts, notes.join('\n')].join('\n\n');
}
