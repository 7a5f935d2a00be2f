import type { modelCalls } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import { describeRemote, hubAddress } from '../jobs/runners/hub.ts';
import { readSettings } from '../library/settings.ts';
import type { ServiceParts } from './parts.ts';

/** A server that has not said by then what it has is as good as none. */
const remoteMilliseconds = 30_000;

export function modelHandlers({ models, library, emitter }: ServiceParts): Handlers<typeof modelCalls> {
  /** Which folders were added is a setting. */
  const tellSettings = () => emitter.emit('settings.changed', { settings: readSettings(library) });
  return {
    'models.list': () => models.list(),
    'models.get': ({ model }) => models.get(model),
    'models.add': async ({ directory, ...parts }) => {
      const added = await models.add(directory, parts);
      tellSettings();
      return added;
    },
    'models.remote': (request) => describeRemote(hubAddress(library), request, AbortSignal.timeout(remoteMilliseconds)),
    'models.remove': ({ model }) => {
      models.remove(model);
      tellSettings();
    },
  };
}
