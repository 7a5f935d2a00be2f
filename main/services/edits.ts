import type { editCalls } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import { keepPicture } from './first-picture.ts';
import type { ServiceParts } from './parts.ts';
import { renderPreview } from './preview.ts';

export function editHandlers(parts: ServiceParts): Handlers<typeof editCalls> {
  const { edits, precedence, tellChanged } = parts;
  return {
    'edits.list': (query) => edits.list(query),
    'edits.get': ({ reference }) => edits.get(reference),
    'edits.label': ({ reference, labels }) => tellChanged('edit', edits.label(reference, labels)),
    'edits.keepPicture': (asked) => keepPicture(parts, asked),
    'edits.preview': (request, { signal }) => precedence.during(() => renderPreview(parts, request, signal)),
  };
}
