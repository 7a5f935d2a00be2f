import type { Job } from '../../shared/domain/job.ts';
import {
  type DownloadOutput,
  downloadOutput,
  type ExportOutput,
  exportOutput,
  type GenerateOutput,
  generateOutput,
  type ImportOutput,
  importOutput,
  type LearnOutput,
  learnOutput,
} from '../../shared/domain/job-input.ts';
import { AppError, fromErrorShape } from '../../shared/ipc/result.ts';
import type { JobListener } from '../jobs/queue.ts';
import type { JobRequest, Services } from '../services/services.ts';
import type { CommandContext } from './context.ts';
import { shorten } from './tables.ts';

type Request<K extends JobRequest['kind']> = Extract<JobRequest, { kind: K }>;

export async function runImport(
  context: CommandContext,
  services: Services,
  request: Omit<Request<'import'>, 'kind'>,
): Promise<ImportOutput> {
  return importOutput.parse((await runNew(context, services, { kind: 'import', ...request })).output);
}

export async function runLearn(
  context: CommandContext,
  services: Services,
  request: Omit<Request<'learn'>, 'kind'>,
  tell?: Tell,
): Promise<LearnOutput> {
  return learnOutput.parse((await runNew(context, services, { kind: 'learn', ...request }, tell)).output);
}

export async function runGenerate(
  context: CommandContext,
  services: Services,
  request: Omit<Request<'generate'>, 'kind'>,
  tell?: Tell,
): Promise<GenerateOutput> {
  return generateOutput.parse((await runNew(context, services, { kind: 'generate', ...request }, tell)).output);
}

export async function runExport(
  context: CommandContext,
  services: Services,
  request: Request<'export'>['request'],
): Promise<ExportOutput> {
  return exportOutput.parse((await runNew(context, services, { kind: 'export', request })).output);
}

export async function runDownload(
  context: CommandContext,
  services: Services,
  request: Omit<Request<'download'>, 'kind'>,
): Promise<DownloadOutput> {
  return downloadOutput.parse((await runNew(context, services, { kind: 'download', ...request })).output);
}

/** Runs a job that exists already, from its last checkpoint if it has one. */
export async function runAgain(context: CommandContext, services: Services, id: string): Promise<Job> {
  return finished(context, await services.queue.run(id, { ...listener(context), signal: context.signal }));
}

/** What is said of a job once it is known to be possible, before it begins. */
type Tell = () => Promise<void>;

async function runNew(context: CommandContext, services: Services, request: JobRequest, tell?: Tell): Promise<Job> {
  const job = await services.call['jobs.enqueue'](request);
  context.output.event('job', { id: job.id, kind: job.kind, title: job.title });
  await tell?.().catch(() => {}); // what hinders it is for the job to say
  return runAgain(context, services, job.id);
}

function listener({ output }: CommandContext): JobListener {
  return {
    onChange(job) {
      if (job.state === 'running' && job.progress) output.progress(shorten(job.title, 60), job.progress);
    },
    onEvent(event) {
      if (event.type === 'loss') output.event('loss', { point: event.point });
      if (event.type === 'remark') output.note(event.text);
      if (event.type === 'sample' || event.type === 'checkpoint') output.event(event.type, event);
    },
  };
}

/** A job that is done, or the reason why it is not as an error. */
function finished(context: CommandContext, job: Job): Job {
  context.output.endProgress();
  switch (job.state) {
    case 'done':
      return job;
    case 'failed': {
      const error = fromErrorShape(job.error ?? { code: 'internal', message: `${job.title} failed without a reason.` });
      throw new AppError(error.code, error.message, {
        hint:
          error.hint ??
          (job.checkpoint ? `Try again from its last checkpoint: motif jobs resume ${job.id}` : undefined),
        details: { ...error.details, jobId: job.id },
      });
    }
    case 'queued':
    case 'running':
    case 'paused':
    case 'interrupted':
      throw new AppError('cancelled', `Stopped: ${job.title}.`, {
        hint: `Nothing is lost. Go on with: motif jobs resume ${job.id}`,
        details: { jobId: job.id },
      });
    case 'cancelled':
      throw new AppError('cancelled', `Stopped: ${job.title}.`, {
        hint: 'Nothing of it was kept; the same command starts it anew.',
        details: { jobId: job.id },
      });
    default:
      return job.state satisfies never;
  }
}
