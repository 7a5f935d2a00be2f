import { z } from 'zod';
import { deviceName } from './engine.ts';
import { exportSettings } from './export.ts';

/** Everything a user can set that outlives the program. A stored value that no longer parses falls back to its default. */
export const settings = z.object({
  device: deviceName.default('auto'),
  /** null: as many as the machine has physical cores. */
  threads: z.int().positive().nullable().default(null),
  /** The engine is stopped, and its job fails, when it takes more than this; null: no limit. */
  engineMemoryLimitBytes: z.int().positive().nullable().default(null),
  /** The model that learns and generates when a job names none; null: the embedded one. */
  defaultModel: z.string().nullable().default(null),
  /** Folders of models (diffusers layout) that the user added. */
  modelDirectories: z.array(z.string()).default([]),
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  previewSteps: z.int().min(1).max(50).default(8),
  previewCacheBytes: z
    .int()
    .nonnegative()
    .default(256 * 1024 * 1024),
  proxyCacheBytes: z
    .int()
    .nonnegative()
    .default(8 * 1024 * 1024 * 1024),
  trashDays: z.int().min(0).max(3650).default(30),
  exportFolder: z.string().nullable().default(null),
  exportPresets: z.array(z.object({ name: z.string().min(1), settings: exportSettings })).default([]),
});
export type Settings = z.infer<typeof settings>;
export type SettingName = keyof Settings;

export const settingsPatch = settings.partial();
