import { z } from 'zod';
import { deviceName } from './engine.ts';
import { exportSettings } from './export.ts';
import { nameText, pathText } from './text.ts';

/** Everything a user can set that outlives the program. */
export const settings = z.object({
  device: deviceName,
  /** null: as many as the machine has physical cores. */
  threads: z.int().positive().nullable(),
  /** The engine is stopped, and its job fails, when it takes more than this; null: no limit. */
  engineMemoryLimitBytes: z.int().positive().nullable(),
  /** The model that learns and generates when a job names none; null: the embedded one. */
  defaultModel: pathText.nullable(),
  /** Folders of models (diffusers layout) that the user added. */
  modelDirectories: z.array(pathText).max(1000),
  /** Models are fetched from this server instead of the Hugging Face Hub, whose addresses it must have; null: from the Hub. */
  modelMirror: z
    .url({ protocol: /^https?$/, error: 'A mirror is an address such as https://mirror.example.org.' })
    .max(2000)
    .nullable(),
  theme: z.enum(['system', 'light', 'dark']),
  previewSteps: z.int().min(1).max(50),
  previewCacheBytes: z.int().nonnegative(),
  proxyCacheBytes: z.int().nonnegative(),
  /** Nothing that waits in the queue begins, but imports: clips can always be had. */
  queuePaused: z.boolean(),
  trashDays: z.int().min(0).max(3650),
  exportFolder: pathText.nullable(),
  exportPresets: z.array(z.object({ name: nameText.min(1), settings: exportSettings })).max(200),
});
export type Settings = z.infer<typeof settings>;
export type SettingName = keyof Settings;

/** Apart from the schema, so that a patch of one setting does not bring the defaults of all others along. */
export const defaultSettings: Settings = {
  device: 'auto',
  threads: null,
  engineMemoryLimitBytes: null,
  defaultModel: null,
  modelDirectories: [],
  modelMirror: null,
  theme: 'system',
  previewSteps: 7,
  previewCacheBytes: 256 * 1024 ** 2,
  proxyCacheBytes: 8 * 1024 ** 3,
  queuePaused: false,
  trashDays: 30,
  exportFolder: null,
  exportPresets: [],
};

export const settingsPatch = settings.partial();
