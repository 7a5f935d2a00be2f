import { z } from 'zod';
import { measurement, middle } from './measurement.ts';

/** What `motif bench --peers` compares: the same work on our devices and in four forms of PyTorch. */

export const peerVariants = ['eager-float32', 'eager-bfloat16', 'compiled-float32', 'compiled-bfloat16'] as const;
export const ourDevices = ['openvino', 'openvino-f32', 'onnxruntime'] as const;
type OurDevice = (typeof ourDevices)[number];

/** The most that our time and memory may be, as ratios to the fastest peer of the same run. */
interface Target {
  device: OurDevice;
  time: number;
  memory: number;
  /** Compared with PyTorch's float32 alone. */
  float32Only?: true;
}

/** One row of measurements, or one line of a plot with a row for each size. */
export interface Part {
  name: string;
  title: string;
  /** What test/bench/measure.ts and peer.py call the work. */
  task: string;
  targets: readonly Target[];
  /** The size that grows, as both programs' option, and what else is fixed for it. */
  growth?: { option: 'layers' | 'tokens' | 'batch' | 'concepts'; sizes: readonly number[]; fixed: readonly string[] };
}

const openVino = (time: number, memory: number): Target => ({ device: 'openvino', time, memory });

export const parts: readonly Part[] = [
  {
    name: 'reference-step',
    title: 'LoRA step, reference transformer',
    task: 'reference-step',
    targets: [openVino(0.5, 0.7), { device: 'onnxruntime', time: 1.15, memory: 0.5, float32Only: true }],
  },
  { name: 'identity-step', title: 'LoRA step, stage I', task: 'identity-step', targets: [openVino(0.5, 0.6)] },
  { name: 'motion-step', title: 'LoRA step, stage II', task: 'motion-step', targets: [openVino(0.5, 0.6)] },
  { name: 'edit', title: 'sampling one edit, decoded', task: 'edit', targets: [openVino(0.5, 0.6)] },
  { name: 'autoencoder', title: 'autoencoder, encode + decode', task: 'autoencoder', targets: [openVino(0.6, 0.6)] },
  { name: 'encode', title: 'autoencoder, encode', task: 'encode', targets: [] },
  { name: 'decode', title: 'autoencoder, decode', task: 'decode', targets: [] },
  {
    name: 'twin',
    title: 'twin autoencoder, encode + decode',
    task: 'twin',
    // So small a network is faster in float32 where the processor has no matrix unit for bfloat16.
    targets: [{ device: 'openvino-f32', time: 0.7, memory: 1 }],
  },
  { name: 'text', title: 'text encoding, one prompt', task: 'text', targets: [] },
  { name: 'preview', title: 'slider preview, decoded', task: 'preview', targets: [] },
  growing('layers', 'depth', [2, 4, 8, 16, 32], ['--batch', '1', '--tokens', '320']),
  growing('tokens', 'tokens', [320, 1024, 2048, 4096, 8192], ['--batch', '1', '--layers', '2']),
  growing('batch', 'batch', [1, 2, 4, 8, 16], ['--tokens', '320', '--layers', '6']),
  {
    ...growing('concepts', 'concepts', [1, 2, 4, 8], []),
    title: 'step of stage II with tokens that learn, by number of concepts',
    task: 'joint-step',
  },
];

function growing(
  option: NonNullable<Part['growth']>['option'],
  name: string,
  sizes: readonly number[],
  fixed: readonly string[],
): Part {
  const title = `LoRA step, reference transformer, by ${name === 'depth' ? 'number of layers' : name}`;
  return { name, title, task: 'reference-step', targets: [], growth: { option, sizes, fixed } };
}

/** Everything that was measured of one part in one run, by contender; `size` is null where nothing grows. */
export const partResult = z.object({
  part: z.string(),
  measuredAt: z.string(),
  machine: z.object({ processor: z.string(), threads: z.int(), memoryBytes: z.number(), node: z.string() }),
  rows: z.array(z.object({ size: z.number().nullable(), contender: z.string(), rounds: z.array(measurement) })),
});
export type PartResult = z.infer<typeof partResult>;

export interface PeerRow {
  contender: string;
  size: number | null;
  milliseconds: number | null;
  processorMilliseconds: number | null;
  peakBytes: number;
  /** From the start of the process to the first result: in the first round, with nothing compiled, and in the last. */
  coldStartMilliseconds: number | null;
  warmStartMilliseconds: number | null;
  compileMilliseconds: number | null;
  note: string;
}

export function peerRows(result: PartResult): PeerRow[] {
  return result.rows.map(({ size, contender, rounds }) => {
    const { milliseconds, processorMilliseconds = null, peakBytes, note } = middle(rounds);
    const [first, last] = [rounds[0]!, rounds.at(-1)!];
    return {
      contender,
      size,
      milliseconds,
      processorMilliseconds,
      peakBytes,
      coldStartMilliseconds: first.startMilliseconds ?? null,
      warmStartMilliseconds: rounds.length > 1 ? (last.startMilliseconds ?? null) : null,
      compileMilliseconds:
        first.firstMilliseconds === undefined || milliseconds === null
          ? null
          : Math.max(0, first.firstMilliseconds - milliseconds),
      note: note ?? '',
    };
  });
}

const isPeer = (contender: string) => (peerVariants as readonly string[]).includes(contender);

/** The fastest peer of a size, among those in float32 alone if asked for. */
export function bestPeer(rows: readonly PeerRow[], size: number | null, float32Only = false): PeerRow | undefined {
  return rows
    .filter((row) => row.size === size && isPeer(row.contender) && row.milliseconds !== null)
    .filter(({ contender }) => !float32Only || contender.endsWith('float32'))
    .sort((a, b) => a.milliseconds! - b.milliseconds!)[0];
}

export interface Verdict {
  title: string;
  device: string;
  peer: string;
  time: number;
  /** The same for the processor time of all threads; null where it was not measured. Told, but no target. */
  processorTime: number | null;
  memory: number;
  target: Target;
  met: boolean;
}

/** How a part stands to its targets; empty where either side is missing. */
export function verdicts(part: Part, rows: readonly PeerRow[]): Verdict[] {
  return part.targets.flatMap((target): Verdict[] => {
    const ours = rows.find(({ contender }) => contender === target.device);
    const peer = bestPeer(rows, null, target.float32Only);
    if (ours?.milliseconds == null || peer?.milliseconds == null) return [];
    const [time, memory] = [ours.milliseconds / peer.milliseconds, ours.peakBytes / peer.peakBytes];
    const met = time <= target.time && memory <= target.memory;
    const processorTime =
      ours.processorMilliseconds === null || peer.processorMilliseconds === null
        ? null
        : ours.processorMilliseconds / peer.processorMilliseconds;
    return [
      { title: part.title, device: target.device, peer: peer.contender, time, processorTime, memory, target, met },
    ];
  });
}
