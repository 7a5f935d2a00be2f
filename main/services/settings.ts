import type { settingsCalls } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import { readSettings, writeSettings } from '../library/settings.ts';
import type { ServiceParts } from './parts.ts';

const engineSettings = ['device', 'threads', 'engineMemoryLimitBytes'] as const;

export function settingsHandlers(parts: ServiceParts): Handlers<typeof settingsCalls> {
  const { library, queue, emitter, configureEngine } = parts;
  return {
    'settings.get': () => readSettings(library),
    'settings.set': (patch) => {
      const settings = writeSettings(library, patch);
      if (engineSettings.some((name) => patch[name] !== undefined)) configureEngine(settings);
      emitter.emit('settings.changed', { settings });
      if (patch.queuePaused === false) queue.goOn();
      return settings;
    },
  };
}
