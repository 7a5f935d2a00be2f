import type { Job } from '../../../shared/domain/job.ts';
import type { Services } from '../../services/services.ts';
import type { CommandContext, Registration } from '../context.ts';
import { runAgain } from '../run-job.ts';
import { formatMoment, formatTable, shorten } from '../tables.ts';

export const registerJobs: Registration = (program, run) => {
  const jobs = program
    .command('jobs')
    .description('Lists, pauses, resumes, cancels and cuts short imports, learnings, edits and exports.')
    .addHelpText(
      'after',
      `
Examples:
  motif jobs list
  motif jobs pause JOB
  motif jobs resume JOB
  motif jobs cancel JOB`,
    );

  jobs
    .command('list', { isDefault: true })
    .description('Lists all jobs, running ones first, then those that wait, then the newest.')
    .addHelpText('after', '\nExamples:\n  motif jobs list\n  motif jobs list --json')
    .action(
      run((context) =>
        context.withServices({ access: 'any' }, async (services) => {
          const all = inOrder(await services.call['jobs.list']());
          const table = formatTable(
            ['id', 'kind', 'state', 'progress', 'title', 'created'],
            all.map((job) => [
              job.id,
              job.kind,
              job.state,
              counted(job),
              shorten(job.title, 50),
              formatMoment(job.createdAt),
            ]),
          );
          const errors = all.flatMap((job) => (job.error ? [`${job.id}: ${job.error.message}`] : []));
          context.output.result('jobs', { jobs: all }, all.length > 0 ? [table, ...errors].join('\n') : 'No jobs.');
        }),
      ),
    );

  jobs
    .command('pause')
    .description('Pauses a job after its current step, even one running in another program.')
    .argument('<job>', 'an id or the start of one')
    .addHelpText('after', '\nExample:\n  motif jobs pause JOB')
    .action(
      run((context, reference: string) =>
        context.withServices({ access: 'any' }, async (services) => {
          const { job, requested } = await services.call['jobs.pause']({ reference });
          tell(context, job, requested, 'paused');
        }),
      ),
    );

  jobs
    .command('resume')
    .description('Resumes a paused, interrupted or failed job from its last checkpoint, in this process.')
    .argument('<job>', 'an id or the start of one')
    .addHelpText('after', '\nExample:\n  motif jobs resume JOB')
    .action(
      run((context, reference: string) =>
        context.withServices({ access: 'any' }, async (services) => {
          if (services.library.status().access === 'read') {
            const { job, requested } = await services.call['jobs.resume']({ reference });
            tell(context, job, requested, 'resumed');
            return;
          }
          const job = await services.call['jobs.get']({ reference });
          if (job.state === 'failed' || job.state === 'cancelled')
            await services.call['jobs.retry']({ reference: job.id });
          const done = await runAgain(context, services, job.id);
          context.output.result(
            'job',
            { job: done },
            `${done.id}  ${done.title}: ${done.state}${await madeBy(services, done)}`,
          );
        }),
      ),
    );

  jobs
    .command('cancel')
    .description('Cancels a job, even one running in another program.')
    .argument('<job>', 'an id or the start of one')
    .addHelpText('after', '\nExample:\n  motif jobs cancel JOB')
    .action(
      run((context, reference: string) =>
        context.withServices({ access: 'any' }, async (services) => {
          const { job, requested } = await services.call['jobs.cancel']({ reference });
          tell(context, job, requested, 'cancelled');
        }),
      ),
    );

  jobs
    .command('keep')
    .description('Stops learning early: what has been learned so far becomes the concept.')
    .argument('<job>', 'an id or the start of one')
    .addHelpText('after', '\nExample:\n  motif jobs keep JOB')
    .action(
      run((context, reference: string) =>
        context.withServices({ access: 'any' }, async (services) => {
          const { job, requested } = await services.call['jobs.keep']({ reference });
          if (requested) return tell(context, job, requested, 'done');
          const done = await runAgain(context, services, job.id);
          context.output.result(
            'job',
            { job: done },
            `${done.id}  ${done.title}: ${done.state}${await madeBy(services, done)}`,
          );
        }),
      ),
    );
};

function tell(context: CommandContext, job: Job, requested: boolean, what: string): void {
  const text = requested
    ? `${job.id}  ${job.title}: the program that runs it has been asked; it will be ${what} after the step at hand`
    : `${job.id}  ${job.title}: ${job.state}`;
  context.output.result('job', { job, requested }, text);
}

function counted({ progress }: Job): string {
  return progress && progress.total > 0 ? `${progress.phase} ${progress.done}/${progress.total}` : '';
}

async function madeBy(services: Services, job: Job): Promise<string> {
  const output = (job.output ?? {}) as { conceptId?: string; editId?: string; clipId?: string; file?: string };
  if (output.conceptId) return `, concept ${(await services.call['concepts.get']({ reference: output.conceptId })).id}`;
  const made = output.editId ?? output.clipId ?? output.file;
  return made ? `, ${made}` : '';
}

const states: readonly Job['state'][] = ['running', 'queued', 'paused'];

/** What runs, what waits in the order of the queue, and what is over, the newest first. */
function inOrder(jobs: readonly Job[]): Job[] {
  const open = states.flatMap((state) => jobs.filter((job) => job.state === state));
  return [...open, ...jobs.filter(({ state }) => !states.includes(state)).reverse()];
}
