import type { Deletion } from '../../shared/domain/library.ts';
import type { libraryCalls } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import { resolveItem } from '../library/ids.ts';
import { allTags } from '../library/labels.ts';
import { searchItems } from '../library/search.ts';
import { deleteItems, emptyTrash, listTrash, restoreItems } from '../library/trash.ts';
import type { ServiceParts } from './parts.ts';

export function libraryHandlers({ library, emitter }: ServiceParts): Handlers<typeof libraryCalls> {
  const telling = (deletion: Deletion): Deletion => {
    for (const kind of new Set(deletion.items.map((item) => item.kind))) emitter.emit('library.changed', { kind });
    return deletion;
  };
  return {
    'library.status': () => library.status(),
    'library.search': ({ text, ...options }) => searchItems(library, text, options),
    'library.tags': () => allTags(library),
    'library.resolve': ({ reference, kinds }) => resolveItem(library, reference, kinds),
    'library.delete': ({ items }) => telling(deleteItems(library, items)),
    'library.restore': ({ deletionId }) => telling(restoreItems(library, deletionId)),
    'library.trash': () => listTrash(library),
    'library.emptyTrash': () => ({ count: emptyTrash(library) }),
  };
}
