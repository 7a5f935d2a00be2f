import type { AppContract } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { Services } from '../services/services.ts';

export function clipHandlers({ clips, media }: Services) {
  return {
    'clips.list': (query) => clips.list(query),
    'clips.get': ({ reference }) => clips.get(reference),
    'clips.label': ({ reference, labels }) => clips.label(reference, labels),
    'clips.proxy': async ({ clipId, format }, { signal }) => {
      await media.proxy(clipId, format, signal);
      return { address: `media/proxy/${encodeURIComponent(clipId)}.${format}` };
    },
  } satisfies Partial<Handlers<AppContract>>;
}
