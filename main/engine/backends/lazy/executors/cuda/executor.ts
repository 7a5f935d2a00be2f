import { availableParallelism } from 'node:os';
import { AppError } from '../../../../../../shared/ipc/result.ts';
import { Serialiser } from '../../../../../../shared/structures/serialiser.ts';
import type { CompactArray, DeviceBuffer, ElementType, HostArray } from '../../graph.ts';
import { copyModel } from '../../onnx-encoder.ts';
import { byteLengthOf, viewAs } from '../element-arrays.ts';
import type { Executor, Program, TensorType } from '../executor.ts';
import { type Address, type Bound, type Handle, loadOnnxRuntime, type Provider } from './binding.ts';
import { type CardMemory, cardMemory } from './driver.ts';

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
  /** Tells of the device's memory: NVIDIA's driver unless given, and nobody of the processor's. */
  readMemory?: (() => CardMemory) | undefined;
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
/** Buffers up to this size are kept with their tensors, up to this many bytes together: asking for them anew takes longer than small programs. */
const pooledBytes = { each: 2 ** 20, together: 2 ** 28 };
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
  readMemory = provider === 'cuda' ? () => cardMemory(deviceId) : undefined,
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
  const copierNames = { inputs: runtime.createNames(['i0']), outputs: runtime.createNames(['o0']) };
  const allocator = runtime.createAllocator(copier('float32'), memory);

  const living = new Set<CudaBuffer>();
  const pool = new Map<number, CudaBuffer[]>();
  let inPool = 0;
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
    let buffer = pool.get(byteLength)?.pop();
    if (buffer) inPool -= byteLength;
    // Of nothing there is no address.
    else buffer = { byteLength, address: take(Math.max(1, byteLength)), views: new Map() };
    living.add(buffer);
    usedBytes += byteLength;
    return buffer;
  };
  const free = ({ address, views }: CudaBuffer) => {
    for (const view of views.values()) runtime.release('tensor', view);
    runtime.free(allocator, address);
  };
  const keepOrFree = (buffer: CudaBuffer) => {
    const { byteLength } = buffer;
    if (ended || byteLength > pooledBytes.each || inPool + byteLength > pooledBytes.together) return free(buffer);
    inPool += byteLength;
    const waiting = pool.get(byteLength);
    if (waiting) waiting.push(buffer);
    else pool.set(byteLength, [buffer]);
  };
  const emptyPool = () => {
    for (const buffer of [...pool.values()].flat()) free(buffer);
    pool.clear();
    inPool = 0;
  };
  const release = (buffer: CudaBuffer) => {
    if (!living.delete(buffer)) return; // gone with the executor
    usedBytes -= buffer.byteLength;
    if (begun > 0) released.push(buffer);
    else keepOrFree(buffer);
  };
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    begun++;
    try {
      return await turns.run(work);
    } catch (error) {
      throw inWords(error);
    } finally {
      begun--;
      if (begun === 0) for (const buffer of released.splice(0)) keepOrFree(buffer);
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
  /** A copier's input and output. */
  const copying = (input: Handle, output: Handle): Bound => ({
    inputNames: copierNames.inputs,
    inputs: BigUint64Array.of(input),
    outputNames: copierNames.outputs,
    outputs: BigUint64Array.of(output),
  });

  const compile = (model: Uint8Array, inputs: readonly TensorType[], outputs: readonly TensorType[]): Program => {
    // Compilation goes on off the event loop; the first run waits for it. One that fails, for lack of memory, is begun again by the next.
    let compiled: Promise<Handle> | undefined;
    const bound: Bound = {
      inputNames: runtime.createNames(inputs.map((_, index) => `i${index}`)),
      inputs: new BigUint64Array(inputs.length),
      outputNames: runtime.createNames(outputs.map((_, index) => `o${index}`)),
      outputs: new BigUint64Array(outputs.length),
    };
    const begin = () => {
      const beginning = runtime.createSession(model, settings);
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
        const session = await (compiled ?? begin());
        for (const [index, buffer] of buffers.entries()) bound.inputs[index] = viewOf(buffer, inputs[index]!);
        for (const [index, type] of outputs.entries()) {
          const buffer = allocate(byteLengthOf(type));
          results.push(buffer);
          bound.outputs[index] = viewOf(buffer, type);
        }
        await runtime.run(session, bound);
      } catch (error) {
        for (const buffer of results) release(buffer);
        throw error;
      }
      return results;
    };
    const end = async () => {
      const ending = compiled;
      compiled = undefined;
      if (ending) runtime.release('session', await ending);
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
  const trim = () => {
    emptyPool();
    const where = `${provider === 'cuda' ? 'gpu' : 'cpu'}:${deviceId}`;
    runtime.runAndShrink(copier('float32'), copying(idle[0]!.tensor, idle[1]!.tensor), where);
  };

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
      float16Weights: true,
      int8Weights: true,
      deepestFirst: true,
    },
    compile(...given) {
      refuseWhenEnded();
      return compile(...given);
    },
    upload(values: HostArray | CompactArray, { type }) {
      refuseWhenEnded();
      const flat = { type, shape: [values.length] };
      let buffer: CudaBuffer | undefined;
      const source = runtime.createTensor(hostMemory, values, values.byteLength, type, flat.shape);
      try {
        buffer = allocate(values.byteLength);
        if (values.length > 0) runtime.runSync(copier(type), copying(source, viewOf(buffer, flat)));
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
        await inTurn(() => runtime.run(copier(type), copying(viewOf(buffer, flat), target)));
        return result;
      } finally {
        runtime.release('tensor', target);
      }
    },
    release: (buffer) => release(buffer as CudaBuffer),
    memory() {
      if (ended) return { usedBytes: 0, keptBytes: 0 };
      const { inUse, total } = runtime.statistics(allocator);
      return { usedBytes, keptBytes: total - inUse + inPool };
    },
    deviceMemoryBytes() {
      if (ended || !readMemory) return undefined;
      const held = runtime.statistics(allocator).total;
      return Math.min(memoryLimitBytes ?? Number.POSITIVE_INFINITY, held + readMemory().free);
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
