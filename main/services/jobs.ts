import type { jobCalls } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { ServiceParts } from './parts.ts';

export function jobHandlers({ queue, precedence }: ServiceParts): Handlers<typeof jobCalls> {
  return {
    'jobs.list': (filter) => queue.list(filter),
    'jobs.get': ({ reference }) => queue.get(reference),
    'jobs.enqueue': (request) =>
      queue.enqueue(request.kind === 'export' ? { kind: 'export', ...request.request } : request),
    'jobs.pause': ({ reference }) => queue.control(reference, 'pause'),
    'jobs.resume': ({ reference }) => queue.control(reference, 'resume'),
    'jobs.cancel': ({ reference }) => queue.control(reference, 'cancel'),
    'jobs.keep': ({ reference }) => queue.keep(reference),
    'jobs.retry': ({ reference }) => queue.retry(reference),
    'jobs.move': ({ reference, before }) => queue.move(reference, before),
    'jobs.remove': ({ reference }) => queue.remove(reference),
    'jobs.makeWay': () => ({ makesWay: precedence.begin() }),
    'jobs.events': ({ reference }) => queue.events(reference),
  };
}
