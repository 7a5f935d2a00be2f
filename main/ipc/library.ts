import type { AppContract } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { Services } from '../services/services.ts';

export function libraryHandlers({ library }: Services) {
  return {
    'library.status': () => library.status(),
    'library.search': ({ text, ...options }) => library.search(text, options),
    'library.tags': () => library.tags(),
    'library.delete': ({ items }) => library.delete(items),
    'library.restore': ({ deletionId }) => library.restore(deletionId),
    'library.trash': () => library.trash(),
    'library.emptyTrash': () => ({ count: library.emptyTrash() }),
  } satisfies Partial<Handlers<AppContract>>;
}
