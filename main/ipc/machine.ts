import { totalmem } from 'node:os';
import type { AppContract } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { Services } from '../services/services.ts';

/** Models, the device, ffmpeg and the settings. */
export function machineHandlers({ models, device, media, settings, disk, program }: Services) {
  return {
    'models.list': () => models.list(),
    'models.add': ({ directory }) => models.add(directory),
    'models.remove': ({ model }) => models.remove(model),
    'device.report': (options) => device.report(options),
    'settings.get': () => settings.get(),
    'settings.set': (patch) => settings.set(patch),
    'exports.inspect': ({ folder, names }) => disk.inspect(folder, names),
    'caches.sizes': () => disk.cacheSizes(),
    'caches.clear': () => {
      disk.clearCaches();
      return disk.cacheSizes();
    },
    'program.about': () => ({
      version: program.version,
      totalMemoryBytes: totalmem(),
      logFile: program.logFile,
      notices: program.notices(),
    }),
    'program.logError': ({ message }) => program.log('error', `window: ${message}`),
    'program.saveReport': async () => ({ file: await program.saveReport() }),
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
