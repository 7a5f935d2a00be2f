import type { AppContract } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { Services } from '../services/services.ts';

export function conceptHandlers({ concepts }: Services) {
  return {
    'concepts.list': (query) => concepts.list(query),
    'concepts.get': ({ reference, version }) => concepts.get(reference, version),
    'concepts.versions': ({ reference }) => concepts.versions(reference),
    'concepts.label': ({ reference, labels }) => concepts.label(reference, labels),
    'concepts.duplicate': ({ reference, name }) => concepts.duplicate(reference, name),
    'concepts.losses': ({ reference, version }) => concepts.losses(reference, version),
    'concepts.exportFile': ({ reference, target, ...options }) => concepts.exportFile(reference, target, options),
    'concepts.importFile': ({ file }) => concepts.importFile(file),
    'concepts.importLora': (request, { signal }) => concepts.importLora(request, signal),
  } satisfies Partial<Handlers<AppContract>>;
}
