import type { AppContract } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { Services } from '../jobs/services.ts';

/** Models, the device, ffmpeg and the settings. */
export function machineHandlers({ models, device, media, settings }: Services) {
  return {
    'models.list': () => models.list(),
    'models.add': ({ directory }) => models.add(directory),
    'models.remove': ({ model }) => models.remove(model),
    'device.report': (options) => device.report(options),
    'settings.get': () => settings.get(),
    'settings.set': (patch) => settings.set(patch),
    'media.tools': async () => {
      const { ffmpeg } = await media.tools();
      return {
        version: ffmpeg.capabilities.version,
        path: ffmpeg.path,
        origin: ffmpeg.origin,
        encoders: [...ffmpeg.capabilities.encoders],
        missing: ffmpeg.missing.map(({ kind, names, purpose }) => `${kind} ${names.join(' or ')} (${purpose})`),
      };
    },
  } satisfies Partial<Handlers<AppContract>>;
}
