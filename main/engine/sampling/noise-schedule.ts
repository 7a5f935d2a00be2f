import type { SchedulerConfig } from '../models/scheduler-config.ts';

/**
 * Noise levels of a sampling run. A noisy latent is `(1 - sigma) * clean + sigma * noise`. `sigmas` has one
 * more entry than there are steps, `timesteps` (sigma times 1000, what the transformer takes) has one per
 * step.
 */
export interface NoiseSchedule {
  sigmas: number[];
  timesteps: number[];
}

/** The schedule of `steps` steps that the scheduler's class in diffusers sets, to the digit. */
export function noiseSchedule(config: SchedulerConfig, steps: number): NoiseSchedule {
  if (!Number.isInteger(steps) || steps < 1) throw new Error(`expected at least one sampling step, found ${steps}`);
  return config._class_name === 'UniPCMultistepScheduler' ? uniPcSchedule(config, steps) : eulerSchedule(config, steps);
}

type Config<Name> = Extract<SchedulerConfig, { _class_name: Name }>;

function uniPcSchedule(config: Config<'UniPCMultistepScheduler'>, steps: number): NoiseSchedule {
  const { num_train_timesteps: count, flow_shift, final_sigmas_type } = config;
  const sigmas = between(1, 1 / count, steps + 1).slice(0, -1);
  const shifted = sigmas.map((sigma) => shiftSigma(sigma, flow_shift));
  if (Math.abs(shifted[0]! - 1) < 1e-6) shifted[0]! -= 1e-6; // the solver takes the logarithm of 1 - sigma
  const last = final_sigmas_type === 'zero' ? 0 : shifted.at(-1)!;
  return {
    sigmas: [...shifted, last].map(Math.fround),
    timesteps: shifted.map((sigma) => Math.trunc(sigma * count)),
  };
}

function eulerSchedule(config: Config<'FlowMatchEulerDiscreteScheduler'>, steps: number): NoiseSchedule {
  const { num_train_timesteps: count, shift } = config;
  // The ends are those of the training schedule, which is shifted already; then they are shifted again, as
  // diffusers does.
  const [largest, smallest] = [shiftSigma(1, shift), shiftSigma(1 / count, shift)];
  const sigmas = between(largest, smallest, steps).map((sigma) => Math.fround(shiftSigma(sigma, shift)));
  return { sigmas: [...sigmas, 0], timesteps: sigmas.map((sigma) => Math.fround(sigma * count)) };
}

function shiftSigma(sigma: number, shift: number): number {
  return (shift * sigma) / (1 + (shift - 1) * sigma);
}

/** `count` evenly spaced numbers from `first` to `last`. */
function between(first: number, last: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (count === 1 ? first : first + ((last - first) * i) / (count - 1)));
}
