import { availableParallelism } from 'node:os';
import { Serialiser } from '../../../../../../shared/structures/serialiser.ts';
import { BufferPool, type HostBuffer } from '../buffer-pool.ts';
import { byteLengthOf, viewAs } from '../element-arrays.ts';
import type { Executor, Program, TensorType } from '../executor.ts';
import { elementTypes, type Handle, loadOpenVino } from './binding.ts';
import { BlobCache } from './blob-cache.ts';
import { isSupportedVersion } from './locate.ts';

export interface OpenVinoOptions {
  /** Path of libopenvino_c. */
  library: string;
  threads?: number;
  /** Arithmetic of matrix products and convolutions. What is stored stays float32 either way. */
  precision: 'bf16' | 'f32';
  /** Compiled programs are kept here and found again at the next start. */
  cacheDirectory?: string;
}

export interface OpenVinoExecutor extends Executor {
  /** The library's whole version. */
  readonly version: string;
  /** Whether this processor computes in bfloat16 at all. */
  readonly hasBf16: boolean;
}

/** OpenVINO on the processor: its matrix units in bfloat16, or float32. Values live in array buffers, bound without copies. */
export function createOpenVinoExecutor({
  library,
  precision,
  cacheDirectory,
  threads = availableParallelism(),
}: OpenVinoOptions): OpenVinoExecutor {
  const openVino = loadOpenVino(library);
  if (!isSupportedVersion(openVino.version))
    throw new Error(`${library} is version ${openVino.version}; 2025.0 or newer is needed`);
  const core = openVino.createCore();
  const pool = new BufferPool();
  const properties: Record<string, string> = {
    INFERENCE_PRECISION_HINT: precision,
    INFERENCE_NUM_THREADS: String(threads),
    NUM_STREAMS: '1',
    PERFORMANCE_HINT: 'LATENCY',
  };
  const processor = ['FULL_DEVICE_NAME', 'OPTIMIZATION_CAPABILITIES'].map((key) =>
    openVino.deviceProperty(core, 'CPU', key),
  );
  const cache = cacheDirectory === undefined ? undefined : new BlobCache(cacheDirectory);
  const keyOfMachine = [openVino.version, ...processor, JSON.stringify(properties)];
  const compileModel = (model: Uint8Array): Promise<Handle> => {
    if (!cache) return openVino.compile(core, model, properties);
    return cache.compile([...keyOfMachine, model], (folder) =>
      openVino.compile(core, model, folder === undefined ? properties : { ...properties, CACHE_DIR: folder }),
    );
  };
  return {
    version: openVino.version,
    hasBf16: processor[1]!.split(/\W+/).includes('BF16'),
    name: `OpenVINO ${openVino.version.split('-')[0]} on the processor in ${precision}, ${threads} thread${threads === 1 ? '' : 's'}`,
    capabilities: {
      fusedMatMul: false,
      multiHeadAttention: false,
      rotaryEmbedding: false,
      simplifiedLayerNormalization: false,
      layerNormalizationStatistics: false,
      gelu: true,
      videoResize: true,
      float16Weights: true,
      int8Weights: true,
      deepestFirst: false,
    },
    compile(model, inputs, outputs): Program {
      // Compilation goes on off the event loop; the first run waits for it. One that fails, for lack of memory, is begun again by the next.
      let compiled: Promise<Handle> | undefined;
      const compile = () => {
        const running = compileModel(model);
        compiled = running;
        running.catch(() => {
          compiled = undefined;
        });
        return running;
      };
      compile();
      let request: Handle | undefined;
      let bound: HostBuffer[] = [];
      const turns = new Serialiser();
      const runOnce = async (buffers: HostBuffer[]): Promise<HostBuffer[]> => {
        const handle = request ?? openVino.createRequest(await (compiled ?? compile()));
        request = handle;
        for (const [index, buffer] of buffers.entries()) {
          // Frozen weights are the same buffer in every run: binding them once saves most of the work.
          if (bound[index] !== buffer) bindTo(handle, 'input', index, inputs[index]!, buffer);
        }
        bound = buffers;
        const results: HostBuffer[] = [];
        try {
          for (const [index, output] of outputs.entries()) {
            const buffer = pool.take(byteLengthOf(output));
            results.push(buffer);
            bindTo(handle, 'output', index, output, buffer);
          }
          await openVino.infer(handle);
        } catch (error) {
          for (const buffer of results) pool.give(buffer);
          throw error;
        }
        return results;
      };
      const free = async () => {
        const [oldRequest, oldCompiled] = [request, compiled];
        [request, compiled, bound] = [undefined, undefined, []];
        if (oldRequest) openVino.freeRequest(oldRequest);
        if (oldCompiled) openVino.freeCompiled(await oldCompiled);
      };
      const freeInTurn = () => void turns.run(free).catch(() => {});
      return {
        run: (buffers) => turns.run(() => runOnce(buffers as HostBuffer[])),
        // All that a compiled graph needs between its operations stays with it. From the cache it is compiled again in a moment.
        ...(cache ? { rest: freeInTurn } : {}),
        dispose: freeInTurn,
      };
    },
    upload: (values) => pool.adopt(values),
    download: (buffer, type) => {
      const { memory, byteOffset } = pool.escape(buffer as HostBuffer);
      return viewAs(memory as ArrayBuffer, byteOffset, type);
    },
    release: (buffer) => pool.give(buffer as HostBuffer),
    memory: () => pool.memory(),
    trim: () => pool.trim(),
    dispose: () => pool.trim(), // the core stays: its programs may still be running
  };

  function bindTo(
    request: Handle,
    side: 'input' | 'output',
    index: number,
    type: TensorType,
    buffer: HostBuffer,
  ): void {
    const memory = new Uint8Array(buffer.memory, buffer.byteOffset, buffer.byteLength);
    openVino.bind(request, side, index, elementTypes[type.type], type.shape, memory);
  }
}
