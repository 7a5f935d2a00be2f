import type { clipCalls } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { ServiceParts } from './parts.ts';

export function clipHandlers({ clips, media, tellChanged }: ServiceParts): Handlers<typeof clipCalls> {
  return {
    'clips.list': (query) => clips.list(query),
    'clips.get': ({ reference }) => clips.get(reference),
    'clips.label': ({ reference, labels }) => tellChanged('clip', clips.label(reference, labels)),
    'clips.proxy': async ({ clipId, format }, { signal }) => {
      await media.proxy(clipId, format, signal);
      return { address: `media/proxy/${encodeURIComponent(clipId)}.${format}` };
    },
  };
}
