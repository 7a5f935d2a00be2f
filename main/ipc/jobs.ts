import type { AppContract } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { Services } from '../services/services.ts';

export function jobHandlers({ jobs }: Services) {
  return {
    'jobs.list': (filter) => jobs.list(filter),
    'jobs.get': ({ reference }) => jobs.get(reference),
    'jobs.enqueue': (request) =>
      jobs.enqueue(request.kind === 'export' ? { kind: 'export', ...request.request } : request),
    'jobs.pause': ({ reference }) => jobs.pause(reference),
    'jobs.resume': ({ reference }) => jobs.resume(reference),
    'jobs.cancel': ({ reference }) => jobs.cancel(reference),
    'jobs.keep': ({ reference }) => jobs.keep(reference),
    'jobs.retry': ({ reference }) => jobs.retry(reference),
    'jobs.move': ({ reference, before }) => jobs.move(reference, before),
    'jobs.remove': ({ reference }) => jobs.remove(reference),
    'jobs.makeWay': () => ({ makesWay: jobs.makeWay() }),
    'jobs.events': ({ reference }) => jobs.events(reference),
  } satisfies Partial<Handlers<AppContract>>;
}
