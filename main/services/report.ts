import { readFileSync } from 'node:fs';
import { arch, cpus, freemem, platform, release, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import AdmZip from 'adm-zip';
import type { Settings } from '../../shared/domain/settings.ts';
import { toErrorShape } from '../../shared/ipc/result.ts';
import { writeWhole } from '../files/place.ts';
import { readSettings } from '../library/settings.ts';
import type { ServiceParts } from './parts.ts';
import { Redactor, secretsOf } from './redact.ts';

/**
 * A zip for whoever is asked for help: the logs, the machine, the settings, and how the jobs went. No media,
 * no words of prompts and no names of what is in the library. Answers its path.
 */
export async function writeReport(parts: ServiceParts, version: string): Promise<string> {
  const { library, clips, concepts, edits, queue, engine, tools, models, log } = parts;
  const { folder } = library.status();
  const redactor = new Redactor(secretsOf(parts), programFolder);
  // A report is wanted when something hangs: it waits for nothing.
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      return await Promise.race([work(), sleep(answerMilliseconds, 'no answer yet', { ref: false })]);
    } catch (thrown) {
      return { error: redactor.value(toErrorShape(thrown)) };
    }
  };
  const report = {
    motif: version,
    node: process.versions,
    system: { platform: platform(), release: release(), arch: arch(), cpu: cpus()[0]?.model, cores: cpus().length },
    memory: { totalBytes: totalmem(), freeBytes: freemem() },
    device: await attempt(async () => redactor.value(await engine.device({}))),
    ffmpeg: await attempt(async () => redactor.value((await tools()).ffmpeg)),
    settings: plainSettings(readSettings(library)),
    models: await attempt(async () =>
      (await models.list()).map(({ embedded, info, error }) => ({
        embedded,
        info: info && { ...info, directory: undefined },
        error: error && redactor.text(error),
      })),
    ),
    library: {
      clips: clips.list().length,
      concepts: concepts.list().length,
      edits: edits.list().length,
    },
    jobs: queue.list().map(({ id, kind, state, progress, error, attempts, createdAt, startedAt, finishedAt }) => ({
      ...{ id, kind, state, attempts, createdAt, startedAt, finishedAt },
      progress: progress && { phase: progress.phase, done: progress.done, total: progress.total },
      error: error && { code: error.code, message: redactor.text(error.message) },
    })),
  };
  const zip = new AdmZip();
  zip.addFile('report.json', Buffer.from(JSON.stringify(report, null, 2)));
  for (const file of log.files())
    zip.addFile(`logs/${basename(file)}`, Buffer.from(redactor.log(readFileSync(file, 'utf8'))));
  const reports = join(folder, 'reports');
  const file = join(reports, `motif-report-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.zip`);
  await writeWhole(file, zip.toBuffer());
  return file;
}

const answerMilliseconds = 3000;

const programFolder = join(import.meta.dirname, '..');

/** What was set, without the folders and names that are in it. */
function plainSettings({ modelDirectories, exportFolder, exportPresets, defaultModel, ...plain }: Settings): object {
  return {
    ...plain,
    modelDirectories: modelDirectories.length,
    hasExportFolder: exportFolder !== null,
    exportPresets: exportPresets.map(({ settings }) => settings),
    hasDefaultModel: defaultModel !== null,
  };
}
