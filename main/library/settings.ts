import {
  defaultSettings,
  type SettingName,
  type Settings,
  settings,
  settingsPatch,
} from '../../shared/domain/settings.ts';
import { parseInput } from '../../shared/ipc/result.ts';
import type { Library } from './open.ts';

/** One row per setting that differs from what it was born with. A row that no longer parses (an older Motif's) counts as absent. */
export function readSettings(library: Library): Settings {
  const rows = library.db.prepare<[], { name: string; value: string }>('SELECT name, value FROM settings').all();
  const known = rows.flatMap(({ name, value }) => {
    const schema = Object.hasOwn(settings.shape, name) ? settings.shape[name as SettingName] : undefined;
    const parsed = schema?.safeParse(JSON.parse(value));
    return parsed?.success ? [[name, parsed.data] as const] : [];
  });
  return { ...defaultSettings, ...Object.fromEntries(known) };
}

/** Stores the given settings and leaves the others. Throws `invalid-input` when one is out of its range; then none is stored. */
export function writeSettings(library: Library, patch: Partial<Settings>): Settings {
  const parsed = parseInput(settingsPatch, patch);
  library.write(() => {
    const upsert = library.db.prepare(
      'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    );
    for (const [name, value] of Object.entries(parsed)) {
      if (value !== undefined) upsert.run(name, JSON.stringify(value));
    }
  });
  return readSettings(library);
}
