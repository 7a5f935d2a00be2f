import type { AppContract } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { Services } from '../services/services.ts';

export function editHandlers({ edits }: Services) {
  return {
    'edits.list': (query) => edits.list(query),
    'edits.get': ({ reference }) => edits.get(reference),
    'edits.label': ({ reference, labels }) => edits.label(reference, labels),
    'edits.preview': (request, { signal }) => edits.preview(request, signal),
  } satisfies Partial<Handlers<AppContract>>;
}
