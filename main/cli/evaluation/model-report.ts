import type {
  AutoencoderSummary,
  EvaluateModelResult,
  NamedLook,
  TextToVideoSummary,
} from '../../../shared/domain/evaluation.ts';
import { formatTable } from '../tables.ts';
import { plain, spread } from './numbers.ts';

/** The tables of `motif evaluate model`. */
export function formatModelReport(result: EvaluateModelResult): string {
  const parts: string[] = [];
  if (result.autoencoder.length > 0) parts.push(autoencoderText(result.autoencoder));
  if (result.textToVideo) parts.push(textToVideoText(result.textToVideo));
  if (result.looks.length > 0) parts.push(looksText(result.looks));
  return parts.join('\n\n');
}

const sets = { world: 'test scenes', real: 'real clips' };

function autoencoderText(summaries: AutoencoderSummary[]): string {
  const header = ['autoencoder', 'clips', 'PSNR dB', 'SSIM', 'gradient distance', 'judge distance'];
  const rows = summaries.flatMap((summary) => [
    [
      sets[summary.set],
      String(summary.clips.length),
      spread(summary.psnr, 2),
      spread(summary.ssim, 4),
      spread(summary.gradientDistance, 3),
      spread(summary.judgeDistance, 4),
    ],
    ...(summary.set === 'real' ? summary.clips : []).map((clip) => [
      `  ${clip.name}`,
      '1',
      plain(clip.psnr, 2),
      plain(clip.ssim, 4),
      plain(clip.gradientDistance, 3),
      plain(clip.judgeDistance, 4),
    ]),
  ]);
  return [
    formatTable(header, rows),
    'Mean ± standard deviation over clips. Gradient distance: ours, multi-scale, 0 equal to 1 unrelated edges.',
    'Judge distance: 1 minus the cosine of the embeddings of corresponding frames.',
  ].join('\n');
}

function textToVideoText(summary: TextToVideoSummary): string {
  const rows = summary.attributes.map(({ name, prompts, generated, rendered }) => [
    name,
    String(prompts),
    plain(generated, 1, 100),
    plain(rendered, 1, 100),
  ]);
  rows.push(['mean of attributes', '', plain(summary.generatedMean, 1, 100), plain(summary.renderedMean, 1, 100)]);
  const { textAgreement, temporalCoherence, frechet, frechetFloor } = summary;
  return [
    formatTable(['text to video: named as the prompt says', 'prompts', 'generated %', 'rendered truth %'], rows),
    '',
    formatTable(
      ['', 'generated', 'rendered truth'],
      [
        ['C-T (judge)', spread(textAgreement.generated, 3), spread(textAgreement.rendered, 3)],
        ['TC (judge)', spread(temporalCoherence.generated, 4), spread(temporalCoherence.rendered, 4)],
        ['Fréchet distance on judge features', plain(frechet, 2), plain(frechetFloor, 2)],
        ['seconds per clip', spread(summary.secondsPerClip, 1), ''],
      ],
    ),
    "The rendered truth's names are the judge's own accuracy; its Fréchet distance is to as many scenes of other seeds. Compare",
    'Fréchet distances of equal numbers of prompts only.',
  ].join('\n');
}

function looksText(looks: NamedLook[]): string {
  const rows = looks.map(({ attribute, value, prompts, generated, rendered }) => [
    `${attribute}: ${value}`,
    String(prompts),
    plain(generated, 0, 100),
    plain(rendered, 0, 100),
  ]);
  return formatTable(['look', 'prompts', 'generated %', 'rendered truth %'], rows);
}
