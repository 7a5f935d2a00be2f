import type { conceptCalls } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import {
  duplicateConcept,
  exportConcept,
  importConcept,
  importLora,
  mixConcepts,
  readLosses,
} from './concept-files.ts';
import type { ServiceParts } from './parts.ts';

export function conceptHandlers(parts: ServiceParts): Handlers<typeof conceptCalls> {
  const { concepts, emitter, tellChanged } = parts;
  return {
    'concepts.list': (query) => concepts.list(query),
    'concepts.get': ({ reference, version }) => concepts.get(reference, version),
    'concepts.versions': ({ reference }) => concepts.versions(reference),
    'concepts.label': ({ reference, labels }) => tellChanged('concept', concepts.label(reference, labels)),
    'concepts.duplicate': ({ reference, name }) => tellChanged('concept', duplicateConcept(parts, reference, name)),
    'concepts.losses': ({ reference, version }) => readLosses(parts, reference, version),
    'concepts.exportFile': ({ reference, target, ...options }) => exportConcept(parts, reference, target, options),
    'concepts.importFile': async ({ file, show }) => {
      const imported = await importConcept(parts, file);
      if (!imported.duplicate)
        for (const kind of ['clip', 'concept'] as const) emitter.emit('library.changed', { kind });
      if (show) emitter.emit('concept.opened', imported);
      return imported;
    },
    'concepts.mix': async (request, { signal }) => tellChanged('concept', await mixConcepts(parts, request, signal)),
    'concepts.importLora': async (request, { signal }) =>
      tellChanged('concept', await importLora(parts, request, signal)),
  };
}
