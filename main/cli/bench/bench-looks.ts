import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportSettings } from '../../../shared/domain/export.ts';
import { exportFrames } from '../../media/export.ts';
import { finishedPictures } from '../../media/finished-pictures.ts';
import { locateMediaTools } from '../../media/locate.ts';
import type { CommandContext } from '../context.ts';
import { timeFfmpeg } from './ffmpeg-work.ts';
import {
  type ExportSpeed,
  exportRows,
  type LooksRow,
  looksRows,
  looksTable,
  meetsGoal,
  percentile,
} from './looks-rows.ts';
import { type LooksMeasured, measureLooks } from './measure-looks.ts';
import { watchResidentMemory } from './resident-memory.ts';

/**
 * Looks from a clip that is dropped to the exported video, in a library of their own that goes afterwards.
 */
export async function benchLooks(context: CommandContext, rounds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'motif-bench-looks-'));
  try {
    const home = join(folder, 'library');
    const { measured, device } = await context.withServices({ access: 'write', home }, async (services) => {
      const options = { services, folder, rounds, signal: context.signal, onProgress: telling(context) };
      return { measured: await measureLooks(options), device: await services.call['device.report']() };
    });
    const rows: LooksRow[] = [];
    const add = (more: LooksRow[]) => {
      for (const row of more) context.output.event('measurement', { ...row, meetsGoal: meetsGoal(row) });
      rows.push(...more);
    };
    add(looksRows(device.chosen, measured.times, measured.peakBytes));
    // The engine has ended: what is measured from here on is exporting alone.
    for (const made of measured.made) add(exportRows(await timeExport(context, folder, rounds, made)));
    context.output.endProgress();
    const machine = {
      processor: cpus()[0]?.model ?? 'unknown',
      threads: availableParallelism(),
      node: process.versions.node,
    };
    context.output.result(
      'bench-looks',
      { machine, device, rows: rows.map((row) => ({ ...row, meetsGoal: meetsGoal(row) })), times: measured.times },
      [
        `${machine.processor}, ${machine.threads} threads, Node ${machine.node}, ${device.chosen} (${device.description})`,
        '',
        looksTable(rows),
      ].join('\n'),
    );
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** Ours and ffmpeg's in turn, so that a busy moment of the machine hits both. */
async function timeExport(
  context: CommandContext,
  folder: string,
  rounds: number,
  { name, size, request }: LooksMeasured['made'][number],
): Promise<ExportSpeed> {
  const { signal } = context;
  const tools = await locateMediaTools();
  const settings = exportSettings.parse({ overwrite: 'replace' });
  const ours: number[] = [];
  const ffmpeg: number[] = [];
  const memory = watchResidentMemory();
  let frameCount = 0;
  for (let round = 0; round < rounds; round++) {
    telling(context)(`exporting at ${name}`, round, rounds);
    const started = performance.now();
    const frames = await finishedPictures(tools, request, signal);
    const written = await exportFrames(tools, { frames, settings, target: join(folder, 'finished.mp4'), signal });
    ours.push(performance.now() - started);
    frameCount = written.frameCount;
    const file = request.clip.source.path!;
    ffmpeg.push(await timeFfmpeg(tools, { file, output: join(folder, 'ffmpeg.mp4'), size, frameCount }, signal));
  }
  const perSecond = (milliseconds: number[]) => (1000 * frameCount) / percentile(milliseconds, 0.5);
  const { ownBytes, allBytes } = memory.end();
  return {
    name,
    framesPerSecond: perSecond(ours),
    ffmpegFramesPerSecond: perSecond(ffmpeg),
    ownBytes,
    allBytes,
    note: `${frameCount} frames in H.264, ${rounds} times, middle`,
  };
}

function telling(context: CommandContext): (phase: string, done: number, total: number) => void {
  return (phase, done, total) =>
    context.output.progress('Measuring looks', { phase, done, total, unit: '', perSecond: null, etaSeconds: null });
}
