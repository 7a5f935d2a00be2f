import type { DeviceName } from '../../../shared/domain/engine.ts';
import { createCpuExecutor } from './lazy/executors/onnxruntime/cpu.ts';
import { useLazyBackend } from './lazy/use.ts';
import { mayPass } from './trust.ts';

export type Precision = 'bf16' | 'f32';

export interface SelectOptions {
  device?: DeviceName;
  /** Threads of the processor to compute with; all unless given. */
  threads?: number;
  /** Where compiled programs and the results of self-tests are kept; nowhere unless given. */
  cacheFolder?: string;
  /** Folder of the application's own copy of OpenVINO, where there may be one. */
  openVinoFolder?: string;
  /** And that of ONNX Runtime with its CUDA provider. */
  cudaFolder?: string;
  /**
   * A test of what computes now, against what `compute` makes compute for a while: answers what it found,
   * throws where the two disagree. Without it no device is chosen that needs one.
   */
  selfTest?(precision: Precision, compute: () => Promise<unknown>): Promise<string>;
}

export type Setup = Omit<SelectOptions, 'device' | 'threads'> & { threads: number };

/** Something that can compute. Failing is answered with an Error whose message is the reason, for people. */
export interface Device {
  name: string;
  /** What it is called in lists. */
  label: string;
  /** Names the foreign library or driver that opening it loads, which may end the process. */
  loads?(setup: Setup): Promise<string>;
  /** Why it is chosen where nobody asks for it, for people. */
  because?: string;
  /**
   * What there is to gain by asking for it, where it is never chosen without that. Throws where it cannot be
   * had.
   */
  onRequest?(setup: Setup): Promise<string>;
  /** Makes it the backend that computes, and describes it. */
  use(setup: Setup): Promise<string>;
  /** Whether to choose it without being asked: the same as `use`, with further demands. Absent: never. */
  useIfBest?(setup: Setup): Promise<string>;
}

export const onnxRuntime: Device = {
  name: 'onnxruntime',
  label: 'ONNX Runtime',
  because: 'it comes with Motif and works on every processor, and nothing faster can be used here',
  use: async ({ threads }) => (await useLazyBackend(createCpuExecutor({ threads }))).executor.name,
  useIfBest: (setup) => onnxRuntime.use(setup),
};

/**
 * What rougher numbers have to gain, for their rougher answers. Processors that have bfloat16 without matrix
 * units may be faster in float32.
 */
export const bfloat16Gain = 1.2;

/** Fused operations that adapters have computed wrongly. */
const suspects = ['multiHeadAttention', 'rotaryEmbedding', 'gelu'];

/**
 * Leaves suspects to plain operations, one more each time, until a step of training comes out as on the
 * processor. Answers in words what was found, and what is left out. Throws where nothing helps.
 */
export async function testNarrowed(
  test: () => Promise<string>,
  use: (without: readonly string[]) => Promise<unknown>,
): Promise<{ reason: string; without: string[] }> {
  for (let count = 0; ; count++) {
    const without = suspects.slice(0, count);
    await use(without);
    try {
      const found = await test();
      return { reason: count > 0 ? `${found}, without ${without.join(', ')}` : found, without };
    } catch (error) {
      if (count === suspects.length || mayPass(error)) throw error;
    }
  }
}
