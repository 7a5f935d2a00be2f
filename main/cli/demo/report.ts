import type { Clip } from '../../../shared/domain/clip.ts';
import type { Concept } from '../../../shared/domain/concept.ts';
import type { EditSettings } from '../../../shared/domain/edit.ts';
import type { DeviceReport } from '../../../shared/domain/engine.ts';
import { toNumber } from '../../../shared/domain/time.ts';
import { formatBytes, formatDuration, formatNumber } from '../progress-text.ts';

export interface DemoVideo {
  file: string;
  label: string;
  settings: EditSettings;
  /** Seconds of sampling and decoding when it was made. */
  seconds: number | null;
  /** Mean squared error (values 0 to 1) and PSNR in dB against the frames that were learned. */
  meanSquaredError: number;
  psnr: number;
}

/** A look by words alone, finished. */
export interface DemoLook {
  file: string;
  label: string;
  settings: EditSettings;
  /** Seconds of sampling and decoding when it was made. */
  seconds: number | null;
  /** From the start of the program to the finished video. */
  finishedAfterSeconds: number;
  /** Whether it was made by an earlier run, and only finished by this one. */
  reused: boolean;
}

export interface DemoReport {
  clip: Clip;
  looks: DemoLook[];
  /** From the start of the program to the first finished look. */
  firstLookSeconds: number;
  concept: Concept;
  model: { name: string; parameters: number };
  device: DeviceReport;
  videos: DemoVideo[];
  lora: { file: string; sizeBytes: number };
  /** From the start of the program to the end; less when parts of an earlier one were taken over. */
  seconds: number;
  takenOver: string[];
}

/** The measured numbers in words, for people who do not open the JSON file beside it. */
export function formatReport(report: DemoReport): string {
  const { clip, concept, device, looks, model, videos } = report;
  const { frames } = clip;
  const rate =
    device.matMulGflops === null ? '' : `, ${formatNumber(device.matMulGflops)} GFLOP/s in float32 matrix products`;
  const learned = concept.metrics.seconds;
  return [
    '# What the demo measured',
    '',
    `- Clip: ${clip.name}, ${frames.frameCount} frames of ${frames.width}x${frames.height} at ${formatNumber(toNumber(frames.rate))} a second`,
    `- First finished look: ${report.firstLookSeconds.toFixed(1)} s after the start; all ${looks.length}: ${looks.at(-1)!.finishedAfterSeconds.toFixed(1)} s`,
    `- Captions: "${concept.captions[0]!.static}" and "${concept.captions[0]!.dynamic}"`,
    `- Model: ${model.name}, ${formatNumber(model.parameters / 1e6)} million parameters`,
    `- Computed by: ${device.chosen} (${device.description}), ${device.threads} threads${rate}`,
    `- Learned with ${concept.recipe.method}, rank ${concept.rank}, ${concept.recipe.stepsIdentity} steps of stage I and ${concept.recipe.stepsMotion} of stage II, batch ${concept.recipe.batchSize}${learned === undefined ? '' : `, in ${formatDuration(learned)}`}`,
    `- The whole run: ${formatDuration(report.seconds)}${report.takenOver.length > 0 ? ` (taken over from an earlier run: ${report.takenOver.join(', ')})` : ''}`,
    `- LoRA file: ${report.lora.file}, ${formatBytes(report.lora.sizeBytes)}`,
    '',
    "Looks need no learning: they are made from prompts, at the clip's own size and frame rate.",
    '',
    '| look | from | to | seconds to make | finished after |',
    '|---|---|---|---|---|',
    ...looks.map(
      ({ file, settings, seconds, finishedAfterSeconds }) =>
        `| ${file} | ${cell(settings.shown)} | ${cell(settings.prompt)} | ${seconds === null ? '' : seconds.toFixed(1)} | ${finishedAfterSeconds.toFixed(1)} |`,
    ),
    '',
    'Errors are against the frames that were learned. Only the reconstruction should be close to them; an edit is meant to differ.',
    '',
    '| file | prompt | identity | motion | MSE | PSNR | seconds |',
    '|---|---|---|---|---|---|---|',
    ...videos.map(
      ({ file, settings, seconds, meanSquaredError, psnr }) =>
        `| ${file} | ${cell(settings.prompt)} | ${settings.sliders.identity} | ${settings.sliders.motion} | ${meanSquaredError.toFixed(4)} | ${psnr.toFixed(1)} dB | ${seconds === null ? '' : seconds.toFixed(1)} |`,
    ),
    '',
    'Strength of the directions of the identity basis, strongest first (`motif edit CONCEPT --direction K=gain`):',
    concept.directionStrengths.map((strength, index) => `${index}: ${formatNumber(strength)}`).join(', '),
    '',
  ].join('\n');
}

/** Words in a table. */
function cell(words: string): string {
  return words.replaceAll('|', '/');
}
