import { availableParallelism } from 'node:os';
import { AppError } from '../../../../../../shared/ipc/result.ts';
import { Serialiser } from '../../../../../../shared/structures/serialiser.ts';
import type { DeviceBuffer, ElementType, HostArray } from '../../graph.ts';
import { encodeModel } from '../../onnx-encoder.ts';
import { byteLengthOf, viewAs } from '../element-arrays.ts';
import type { Executor, Program, TensorType } from '../executor.ts';
import { type Address, type Handle, loadOnnxRuntime, type Provider } from './binding.ts';

export interface CudaOptions {
  /** Path of ONNX Runtime's library; the provider's own lie beside it. */
  library: string;
  /** `cpu` runs the same executor on the processor, where everything but the kernels can be tested. */
  provider?: Provider;
  /** How matrix products compute. What is stored stays float32 either way. */
  precision: CudaPrecision;
  /** Operations that the device computes wrongly, left to plain ones. */
  without?: readonly string[];
  /** At most this much of the device's memory; all there is unless given. */
  memoryLimitBytes?: number | null;
  /** Threads for what is left to the processor. */
  threads?: number;
}

/**
 * tf32: float32 with 10 bits of mantissa in the products, on devices that have it. bf16, f16: operands are rounded to 16 bits before a product.
 */
export type CudaPrecision = 'f32' | 'tf32' | 'bf16' | 'f16';

interface CudaBuffer extends DeviceBuffer {
  readonly address: Address;
  /** Tensors over the memory, one for each type and shape that a program wants it in. */
  readonly views: Map<string, Handle>;
}

const deviceId = 0;
const spoken: Record<CudaPrecision, string> = { f32: 'float32', tf32: 'TF32', bf16: 'bfloat16', f16: 'float16' };
const halves = { bf16: 'bfloat16', f16: 'float16' } as const;

/**
 * ONNX Runtime's CUDA provider, through its C interface. Values live in the device's memory, in one arena with what programs need between
 * operations; they are bound without copies. Throws where the provider or its device is missing, with the reason.
 */
export function createCudaExecutor({
  library,
  provider = 'cuda',
  precision,
  without = [],
  memoryLimitBytes = null,
  threads = availableParallelism(),
}: CudaOptions): Executor {
  const runtime = loadOnnxRuntime(library);
  const where = provider === 'cuda' ? 'the graphics processor (CUDA)' : 'the processor, through its C interface';
  const name = `ONNX Runtime ${runtime.version} on ${where}, products in ${spoken[precision]}`;
  const providerOptions: Record<string, string> = {
    device_id: String(deviceId),
    use_tf32: precision === 'f32' ? '0' : '1',
    // The exhaustive search of the default runs every algorithm of every convolution, once for each of its shapes.
    cudnn_conv_algo_search: 'HEURISTIC',
    arena_extend_strategy: 'kSameAsRequested',
    ...(memoryLimitBytes === null ? {} : { gpu_mem_limit: String(memoryLimitBytes) }),
  };
  // Hardly anything is left to the processor, and every session has threads of its own.
  const settings = { provider, providerOptions, threads: provider === 'cuda' ? 1 : threads };
  runtime.requireProvider(settings);
  const memory = runtime.createMemoryInfo(provider, deviceId);
  const hostMemory = runtime.createMemoryInfo('cpu', 0);
  runtime.registerArena(provider, memory, memoryLimitBytes, providerOptions);

  /** Sessions that hand a value on: between this process and the device. */
  const copiers = new Map<ElementType, Handle>();
  const copier = (type: ElementType): Handle => {
    const known = copiers.get(type);
    if (known) return known;
    const made = runtime.createSessionSync(copyModel(type), settings);
    copiers.set(type, made);
    return made;
  };
  const allocator = runtime.createAllocator(copier('float32'), memory);

  const living = new Set<CudaBuffer>();
  let usedBytes = 0;
  let ended = false;
  /** What goes on off this thread, one after the other: it shares the device. */
  const turns = new Serialiser();
  let begun = 0;
  /** That may still read what was released meanwhile, which is freed when the last of it has ended. */
  const released: CudaBuffer[] = [];

  /** Everything of ONNX Runtime's is gone then: touching it would end the process. */
  const refuseWhenEnded = () => {
    if (ended) throw new Error(`${name} was disposed of`);
  };
  const inWords = (error: unknown): unknown => {
    const message = error instanceof Error ? error.message : String(error);
    if (!outOfMemory.test(message)) return error;
    return new AppError('out-of-memory', `ONNX Runtime ran out of memory on ${where}: ${message}`, {
      hint: 'Choose a smaller size, a shorter range, a lower batch size or a smaller model, close other programs that use the graphics processor, or compute on the processor.',
      cause: error,
    });
  };
  const take = (byteLength: number): Address => {
    try {
      return runtime.allocate(allocator, byteLength);
    } catch {
      trim(); // what was kept for later, in pieces of other sizes, may be what is missing
      return runtime.allocate(allocator, byteLength);
    }
  };
  const allocate = (byteLength: number): CudaBuffer => {
    const address = take(Math.max(1, byteLength)); // of nothing there is no address
    const buffer = { byteLength, address, views: new Map() };
    living.add(buffer);
    usedBytes += byteLength;
    return buffer;
  };
  const free = ({ address, views }: CudaBuffer) => {
    for (const view of views.values()) runtime.release('tensor', view);
    runtime.free(allocator, address);
  };
  const release = (buffer: CudaBuffer) => {
    if (!living.delete(buffer)) return; // gone with the executor
    usedBytes -= buffer.byteLength;
    if (begun > 0) released.push(buffer);
    else free(buffer);
  };
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    begun++;
    try {
      return await turns.run(work);
    } catch (error) {
      throw inWords(error);
    } finally {
      begun--;
      if (begun === 0) for (const buffer of released.splice(0)) free(buffer);
    }
  };
  const viewOf = ({ address, byteLength, views }: CudaBuffer, { type, shape }: TensorType): Handle => {
    const key = `${type}[${shape}]`;
    const known = views.get(key);
    if (known) return known;
    const view = runtime.createTensor(memory, address, byteLength, type, shape);
    views.set(key, view);
    return view;
  };
  /** Calls `run` with a binding from `input` to `output` of elements of one type. */
  const copy = <T>(
    type: ElementType,
    input: Handle,
    output: Handle,
    run: (session: Handle, binding: Handle) => T,
  ): T => {
    const session = copier(type);
    const binding = runtime.createBinding(session);
    const end = () => runtime.release('binding', binding);
    let result: T;
    try {
      runtime.bind(binding, 'input', 'i0', input);
      runtime.bind(binding, 'output', 'o0', output);
      result = run(session, binding);
    } catch (error) {
      end();
      throw error;
    }
    if (result instanceof Promise) return result.finally(end) as T;
    end();
    return result;
  };

  const compile = (model: Uint8Array, inputs: readonly TensorType[], outputs: readonly TensorType[]): Program => {
    // Compilation goes on off the event loop; the first run waits for it. One that fails, for lack of memory, is begun again by the next.
    let compiled: Promise<{ session: Handle; binding: Handle }> | undefined;
    let bound: readonly CudaBuffer[] = [];
    const begin = () => {
      const beginning = runtime
        .createSession(model, settings)
        .then((session) => ({ session, binding: runtime.createBinding(session) }));
      compiled = beginning;
      beginning.catch(() => {
        compiled = undefined;
      });
      return beginning;
    };
    begin();
    const runOnce = async (buffers: readonly CudaBuffer[]): Promise<CudaBuffer[]> => {
      const results: CudaBuffer[] = [];
      try {
        const { session, binding } = await (compiled ?? begin());
        // Frozen weights are the same buffer in every run: they stay bound.
        for (const [index, buffer] of buffers.entries())
          if (bound[index] !== buffer) runtime.bind(binding, 'input', `i${index}`, viewOf(buffer, inputs[index]!));
        bound = buffers;
        for (const [index, type] of outputs.entries()) {
          const buffer = allocate(byteLengthOf(type));
          results.push(buffer);
          runtime.bind(binding, 'output', `o${index}`, viewOf(buffer, type));
        }
        await runtime.run(session, binding);
      } catch (error) {
        bound = [];
        for (const buffer of results) release(buffer);
        throw error;
      }
      return results;
    };
    const end = async () => {
      const ending = compiled;
      compiled = undefined;
      if (!ending) return;
      const { session, binding } = await ending;
      runtime.release('binding', binding);
      runtime.release('session', session);
    };
    return {
      run: (buffers) => inTurn(() => runOnce(buffers as CudaBuffer[])),
      dispose: () => void turns.run(end).catch(() => {}),
    };
  };

  /** Two numbers that stay on the device, so that copying one onto the other needs no memory. */
  const idle = [0, 1].map(() => {
    const address = runtime.allocate(allocator, 4);
    return { address, tensor: runtime.createTensor(memory, address, 4, 'float32', [1]) };
  });
  /** The arena gives back what nothing uses at the end of a run, whatever it computes. */
  const trim = () =>
    copy('float32', idle[0]!.tensor, idle[1]!.tensor, (session, binding) =>
      runtime.runAndShrink(session, binding, `${provider === 'cuda' ? 'gpu' : 'cpu'}:${deviceId}`),
    );

  return {
    name,
    products: precision === 'bf16' || precision === 'f16' ? halves[precision] : undefined,
    capabilities: {
      fusedMatMul: !without.includes('fusedMatMul'),
      multiHeadAttention: !without.includes('multiHeadAttention'),
      rotaryEmbedding: !without.includes('rotaryEmbedding'),
      simplifiedLayerNormalization: !without.includes('simplifiedLayerNormalization'),
      layerNormalizationStatistics: !without.includes('layerNormalizationStatistics'),
      gelu: !without.includes('gelu'),
      videoResize: false,
      deepestFirst: true,
    },
    compile(...given) {
      refuseWhenEnded();
      return compile(...given);
    },
    upload(values: HostArray, { type }) {
      refuseWhenEnded();
      const flat = { type, shape: [values.length] };
      let buffer: CudaBuffer | undefined;
      const source = runtime.createTensor(hostMemory, values, values.byteLength, type, flat.shape);
      try {
        buffer = allocate(values.byteLength);
        if (values.length > 0) copy(type, source, viewOf(buffer, flat), runtime.runSync);
        return buffer;
      } catch (error) {
        if (buffer) release(buffer);
        throw inWords(error);
      } finally {
        runtime.release('tensor', source);
      }
    },
    async download(given, { type, shape }) {
      refuseWhenEnded();
      const buffer = given as CudaBuffer;
      const result = viewAs(new ArrayBuffer(buffer.byteLength), 0, { type, shape });
      if (result.length === 0) return result;
      const flat = { type, shape: [result.length] };
      const target = runtime.createTensor(hostMemory, result, result.byteLength, type, flat.shape);
      try {
        await inTurn(() => copy(type, viewOf(buffer, flat), target, runtime.run));
        return result;
      } finally {
        runtime.release('tensor', target);
      }
    },
    release: (buffer) => release(buffer as CudaBuffer),
    memory() {
      if (ended) return { usedBytes: 0, keptBytes: 0 };
      const { inUse, total } = runtime.statistics(allocator);
      return { usedBytes, keptBytes: total - inUse };
    },
    trim() {
      if (!ended) trim();
    },
    dispose() {
      if (ended) return;
      ended = true;
      const end = async () => {
        for (const buffer of living) release(buffer);
        trim();
        for (const { address, tensor } of idle) {
          runtime.release('tensor', tensor);
          runtime.free(allocator, address);
        }
        runtime.release('allocator', allocator);
        for (const session of copiers.values()) runtime.release('session', session);
        for (const info of [memory, hostMemory]) runtime.release('memoryInfo', info);
      };
      void turns.run(end).catch(() => {});
    },
  };
}

/** How ONNX Runtime's arena, CUDA, cuBLAS and cuDNN say that a device has no memory left. */
const outOfMemory =
  /smaller than requested bytes|failed to allocate memory|out of memory|_ALLOC_FAILED|bad_alloc|cudaErrorMemoryAllocation/i;

function copyModel(type: ElementType): Uint8Array {
  return encodeModel({
    nodes: [{ op: 'Identity', domain: '', inputs: ['i0'], outputs: ['o0'], attributes: {} }],
    inputs: [{ name: 'i0', shape: ['length'], type }],
    outputs: [{ name: 'o0', shape: ['length'], type }],
    literals: [],
  });
}
