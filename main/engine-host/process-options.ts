import { z } from 'zod';
import { deviceName } from '../../shared/domain/engine.ts';

/** The engine process' one argument, as JSON. */
export const engineProcessOptions = z.object({
  device: deviceName.optional(),
  threads: z.int().positive().optional(),
  /** Jobs are planned for so much. */
  memoryLimitBytes: z.number().positive().nullable().optional(),
  cacheFolder: z.string().optional(),
  openVinoFolder: z.string().optional(),
  cudaFolder: z.string().optional(),
  beatMilliseconds: z.int().positive().default(1000),
});
export type EngineProcessOptions = z.infer<typeof engineProcessOptions>;

/**
 * A sign of life, written to the engine's standard output by a thread that computes nothing: the engine's
 * own thread is blocked for as long as a native run lasts, which is no fault. Lines that start otherwise are
 * the output of libraries.
 */
export const beat = z.object({
  /**
   * Processor time of the whole process so far: it grows while a native run computes, and stands still in a
   * deadlock.
   */
  cpuSeconds: z.number(),
  residentBytes: z.number(),
});
export type Beat = z.infer<typeof beat>;
export const beatMark = '\u001ebeat ';

/** Written to the engine's standard output once it has chosen what computes; a process that ends before did not outlive a device. */
export const createdMark = '\u001ecreated';
