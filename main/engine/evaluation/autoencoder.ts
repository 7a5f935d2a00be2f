import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  type AutoencoderSummary,
  type EvaluateModelRequest,
  type ReconstructedClip,
  reconstructedClip,
  type SheetRow,
} from '../../../shared/domain/evaluation.ts';
import { parseRational } from '../../../shared/domain/time.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { type Pictures, writeRawFrames } from '../formats/raw-frames.ts';
import { gradientDistance } from '../metrics/gradient-distance.ts';
import { meanSquaredError } from '../metrics/mse.ts';
import { psnrOfMse } from '../metrics/psnr.ts';
import { structuralSimilarity } from '../metrics/ssim.ts';
import type { Judge } from '../models/judge/judge.ts';
import type { VideoModel } from '../models/video-model.ts';
import { type ClipSource, clipSources } from './clip-sources.ts';
import { readKept, writePart } from './folder.ts';
import { judgeDistanceOf } from './judging.ts';
import { phaseReporter } from './progress.ts';
import { statisticOf } from './statistics.ts';

/** So many clips of each set are kept as pictures, for the contact sheet. */
const shownPerSet = 2;

/**
 * Encodes and decodes clips of test scenes and of files. `takenOver`: how many an earlier run had measured.
 */
export async function evaluateAutoencoder(
  pipeline: VideoModel,
  judge: Judge,
  request: EvaluateModelRequest,
  { signal, onEvent }: EngineCallOptions,
): Promise<{ summaries: AutoencoderSummary[]; sheet: SheetRow[]; takenOver: number }> {
  const { size, realClips } = request;
  const seeds = request.seeds.slice(0, request.worldClips);
  const sources = clipSources(pipeline, { seeds, size, realClips });
  const report = phaseReporter(onEvent, 'autoencoder', 'clips', sources.length);
  const rate = parseRational(String(pipeline.extras.frameRate));
  const clips: { source: ClipSource; measured: ReconstructedClip }[] = [];
  const sheet: SheetRow[] = [];
  let takenOver = 0;
  for (const source of sources) {
    signal?.throwIfAborted();
    const pictures = await source.pictures();
    // By what it shows: another folder may hold another clip of the same name.
    const content = createHash('sha256').update(pictures.data).digest('hex').slice(0, 8);
    const name = `autoencoder-${source.name.replaceAll(/[^\w.-]+/g, '-')}-${content}`;
    const stem = join(request.outputFolder, name);
    let measured = await readKept(`${stem}.json`, reconstructedClip);
    const shown = clips.filter((clip) => clip.source.set === source.set).length < shownPerSet;
    if (measured) takenOver++;
    if (!measured || shown) {
      const { result, rebuilt } = await reconstructClip(pipeline, judge, source.name, pictures, signal);
      measured ??= result;
      if (shown) {
        const note = measured.psnr === null ? '' : `${measured.psnr.toFixed(1)} dB`;
        sheet.push(
          {
            group: 'model',
            label: source.name,
            note: 'original',
            frames: await writeRawFrames(`${stem}.rgb`, pictures, rate),
          },
          {
            group: 'model',
            label: source.name,
            note: `through the autoencoder, ${note}`,
            frames: await writeRawFrames(`${stem}-rebuilt.rgb`, rebuilt, rate),
          },
        );
      }
      await writePart(`${stem}.json`, measured);
    }
    clips.push({ source, measured });
    report(clips.length, clips.length - takenOver);
  }
  const summaries = (['world', 'real'] as const).flatMap((set) => {
    const measured = clips.filter((clip) => clip.source.set === set).map((clip) => clip.measured);
    return measured.length > 0 ? [summarise(set, measured)] : [];
  });
  return { summaries, sheet, takenOver };
}

async function reconstructClip(
  pipeline: VideoModel,
  judge: Judge,
  name: string,
  pictures: Pictures,
  signal?: AbortSignal,
): Promise<{ result: ReconstructedClip; rebuilt: Pictures }> {
  const startedAt = performance.now();
  const latents = await pipeline.encodeFrames(pictures, { signal });
  await latents.data(); // which is when a recording backend computes them
  const encodedAt = performance.now();
  const rebuilt = await pipeline.decodeFrames(latents, { signal }).finally(() => latents.dispose());
  const decodedAt = performance.now();
  const mse = meanSquaredError(rebuilt.data, pictures.data);
  const result: ReconstructedClip = {
    name,
    mse,
    psnr: mse > 0 ? psnrOfMse(mse) : null,
    ssim: structuralSimilarity(rebuilt.data, pictures.data, pictures),
    gradientDistance: gradientDistance(rebuilt.data, pictures.data, pictures),
    judgeDistance: judgeDistanceOf(await judge.assess(rebuilt), await judge.assess(pictures)),
    encodeSeconds: (encodedAt - startedAt) / 1000,
    decodeSeconds: (decodedAt - encodedAt) / 1000,
  };
  return { result, rebuilt };
}

function summarise(set: AutoencoderSummary['set'], clips: ReconstructedClip[]): AutoencoderSummary {
  return {
    set,
    clips,
    psnr: statisticOf(clips.map(({ psnr }) => psnr)),
    ssim: statisticOf(clips.map(({ ssim }) => ssim)),
    gradientDistance: statisticOf(clips.map((clip) => clip.gradientDistance)),
    judgeDistance: statisticOf(clips.map((clip) => clip.judgeDistance)),
  };
}
