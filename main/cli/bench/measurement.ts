import { z } from 'zod';
import { editSettings } from '../../../shared/domain/edit.ts';
import { recipe } from '../../../shared/domain/recipe.ts';
import { defaultSettings } from '../../../shared/domain/settings.ts';

/** What one child process answers, ours and the peer's alike: its last line on stdout. */
export const measurement = z.object({
  /** Median of the repetitions; null when this machine or model cannot do it (see `note`). */
  milliseconds: z.number().positive().nullable(),
  repetitions: z.int().nonnegative(),
  /** Median of the processor time, of all threads together: tells more than the clock where others use the machine too. */
  processorMilliseconds: z.number().positive().optional(),
  /** Largest resident size of the process so far, in bytes. */
  peakBytes: z.number().positive(),
  /** The first run, which compiles. */
  firstMilliseconds: z.number().positive().optional(),
  /** From the start of the process to the end of the first run. */
  startMilliseconds: z.number().positive().optional(),
  /** Rate of a matrix product. */
  gflops: z.number().positive().optional(),
  /** The part of the time that was not spent in compiled programs: tracing, replaying, binding. */
  outsideShare: z.number().optional(),
  /** What the number means here: backend, sizes, why it is missing. */
  note: z.string().optional(),
});
export type Measurement = z.infer<typeof measurement>;

export interface Task {
  name: string;
  title: string;
  /** Whether the same work can be done by PyTorch with diffusers and peft. */
  peer: boolean;
  /** The most that our time and memory may be, as ratios to the peer's. */
  target?: { time: number; memory?: number };
}

const { rank, batchSize, batchSizeMotion } = recipe.parse({});
const editSteps = editSettings.parse({ prompt: '' }).steps;
const { previewSteps } = defaultSettings;

/** What users get unless they ask for something else; both sides are told, so that they do the same. */
export const workload: string[] = [
  ...['--rank', `${rank}`, '--pictures', `${batchSize}`, '--clips', `${batchSizeMotion}`],
  ...['--edit-steps', `${editSteps}`, '--preview-steps', `${previewSteps}`],
];

/** The rows of the table, in order. Each is measured in a process of its own, so that its peak memory is its own. */
export const tasks: Task[] = [
  { name: 'matmul', title: 'matrix product 1024 x 1024 x 1024', peer: true },
  {
    name: 'reference-step',
    title: 'LoRA step, reference transformer (6 x 384, 4 x 512 tokens, rank 8)',
    peer: true,
    target: { time: 1.15, memory: 0.6 },
  },
  {
    name: 'identity-step',
    title: `LoRA step, embedded model, stage I (rank ${rank}, ${batchSize} pictures)`,
    peer: true,
    target: { time: 1.15, memory: 0.6 },
  },
  {
    name: 'motion-step',
    title: `LoRA step, embedded model, stage II (rank ${rank}, ${batchSizeMotion} clips)`,
    peer: true,
    target: { time: 1.15, memory: 0.6 },
  },
  { name: 'text', title: 'text encoding, one prompt', peer: true },
  { name: 'encode', title: 'autoencoder, encode one clip', peer: true, target: { time: 1.2 } },
  { name: 'decode', title: 'autoencoder, decode one clip', peer: true, target: { time: 1.2 } },
  { name: 'edit', title: `one edit, ${editSteps} steps with guidance, decoded`, peer: true, target: { time: 1.2 } },
  {
    name: 'twin-generate',
    title: `one clip of words in a twin's latents, ${editSteps} steps with guidance, decoded`,
    peer: false,
  },
  { name: 'preview', title: `slider preview, ${previewSteps} steps, cached text`, peer: true, target: { time: 1.2 } },
];

export interface Row extends Task {
  ours: Measurement;
  peers: Measurement | null;
}

/** The middle one of several measurements of the same work by time; the smallest peak, since a process can only be disturbed upwards. */
export function middle(measurements: Measurement[]): Measurement {
  const sorted = [...measurements].sort((a, b) => (a.milliseconds ?? 0) - (b.milliseconds ?? 0));
  const chosen = sorted[Math.floor((sorted.length - 1) / 2)];
  if (!chosen) throw new RangeError('expected at least one measurement');
  return { ...chosen, peakBytes: Math.min(...measurements.map(({ peakBytes }) => peakBytes)) };
}

export function ratios({ ours, peers }: Row): { time: number; memory: number } | null {
  if (!peers || ours.milliseconds === null || peers.milliseconds === null) return null;
  return { time: ours.milliseconds / peers.milliseconds, memory: ours.peakBytes / peers.peakBytes };
}

/** true, false, or null when there is nothing to compare with. */
export function meetsTarget(row: Row): boolean | null {
  const found = ratios(row);
  if (!found || !row.target) return null;
  return found.time <= row.target.time && found.memory <= (row.target.memory ?? Number.POSITIVE_INFINITY);
}
