import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import type { VideoModel } from './video-model.ts';

const off = z.literal(false, 'this kind of noise schedule does not occur with Wan and is not supported').default(false);

/** `scheduler/scheduler_config.json` of UniPC (arXiv 2302.04867) as Wan uses it: on flow matching's straight paths. */
const uniPcConfigSchema = z.object({
  _class_name: z.literal('UniPCMultistepScheduler'),
  num_train_timesteps: z.int().positive().max(100_000).default(1000),
  solver_order: z.int().min(1).max(3).default(2),
  prediction_type: z.literal('flow_prediction'),
  use_flow_sigmas: z.literal(true),
  predict_x0: z.literal(true).default(true),
  solver_type: z.enum(['bh1', 'bh2']).default('bh2'),
  lower_order_final: z.boolean().default(true),
  disable_corrector: z.array(z.int()).max(1000).default([]),
  /** Above 1, more of the steps are spent at high noise levels, where a large picture's layout is decided. */
  flow_shift: z.number().positive().default(1),
  final_sigmas_type: z.enum(['zero', 'sigma_min']).default('zero'),
  use_karras_sigmas: off,
  use_exponential_sigmas: off,
  use_beta_sigmas: off,
  use_dynamic_shifting: off,
  thresholding: off,
});

/** The same of Euler's method (FlowMatchEulerDiscreteScheduler). */
const eulerConfigSchema = z.object({
  _class_name: z.literal('FlowMatchEulerDiscreteScheduler'),
  num_train_timesteps: z.int().positive().max(100_000).default(1000),
  shift: z.number().positive().default(1),
  use_karras_sigmas: off,
  use_exponential_sigmas: off,
  use_beta_sigmas: off,
  use_dynamic_shifting: off,
  invert_sigmas: off,
  stochastic_sampling: off,
});

export const schedulerConfigSchema = z.discriminatedUnion('_class_name', [uniPcConfigSchema, eulerConfigSchema]);

export type UniPcConfig = z.infer<typeof uniPcConfigSchema>;
export type SchedulerConfig = z.infer<typeof schedulerConfigSchema>;

/** A model's noise schedule. Throws `damaged-file` for one that no model of this kind has. */
export function schedulerConfigOf({
  directory,
  schedulerConfig,
}: Pick<VideoModel, 'directory' | 'schedulerConfig'>): SchedulerConfig {
  const parsed = schedulerConfigSchema.safeParse(schedulerConfig);
  if (parsed.success) return parsed.data;
  throw new AppError(
    'damaged-file',
    `${directory}: its scheduler_config.json does not fit: ${z.prettifyError(parsed.error)}`,
    {
      hint: 'Copy or download the folder "scheduler" of the model again.',
    },
  );
}

/** How much more of the steps are spent at high noise levels: a level s of an even schedule becomes shift s / (1 + (shift - 1) s). */
export const noiseShift = (config: SchedulerConfig): number =>
  config._class_name === 'UniPCMultistepScheduler' ? config.flow_shift : config.shift;
