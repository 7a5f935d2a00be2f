import { createRequire } from 'node:module';
import type { KoffiFunc, LibraryHandle, TypeObject } from 'koffi';
import type { ElementType } from '../../graph.ts';
import { onnxTypes } from '../../onnx-encoder.ts';

/**
 * ONNX Runtime's C interface (onnxruntime_c_api.h), as far as the executor needs it. Handles are opaque pointers. A function that fails
 * answers a status, which is thrown as an Error with ONNX Runtime's own message.
 */
export interface OnnxRuntime {
  /** Such as 1.30.0. */
  readonly version: string;
  readonly library: string;
  /** Where values lie: on the processor, or on one graphics processor. */
  createMemoryInfo(provider: Provider, deviceId: number): Handle;
  /**
   * One arena for all sessions made from now on, so that what one program frees serves the next; it takes the place of an earlier one.
   * At most `limitBytes` are taken from the device, null for all there is.
   */
  registerArena(provider: Provider, memory: Handle, limitBytes: number | null, options: ProviderOptions): void;
  /**
   * Throws where a provider cannot be loaded or finds no device, with the reason. Asked first: ONNX Runtime ends the process where an
   * arena is made on a provider that is not there.
   */
  requireProvider(options: SessionOptions): void;
  /** Compiles ONNX bytes without blocking the event loop. */
  createSession(model: Uint8Array, options: SessionOptions): Promise<Handle>;
  createSessionSync(model: Uint8Array, options: SessionOptions): Handle;
  /** The arena that a session takes its memory from. */
  createAllocator(session: Handle, memory: Handle): Handle;
  allocate(allocator: Handle, byteLength: number): Address;
  free(allocator: Handle, address: Address): void;
  /** Bytes that are in use, and that the arena holds altogether. */
  statistics(allocator: Handle): { inUse: number; total: number };
  /** A tensor over memory, of the device or of this process, without a copy. The caller keeps the memory. */
  createTensor(
    memory: Handle,
    data: Address | ArrayBufferView,
    byteLength: number,
    type: ElementType,
    shape: readonly number[],
  ): Handle;
  /** Names of inputs or outputs as the library takes them. */
  createNames(names: readonly string[]): Names;
  /** Runs a session off the event loop: it reads the inputs, and writes into the outputs, where they lie. */
  run(session: Handle, tensors: Bound): Promise<void>;
  runSync(session: Handle, tensors: Bound): void;
  /** Afterwards the arena gives back what it only keeps: `where` is cpu:0 or gpu:0. */
  runAndShrink(session: Handle, tensors: Bound, where: string): void;
  release(kind: 'session' | 'tensor' | 'allocator' | 'memoryInfo', handle: Handle): void;
}

/** An opaque pointer of the library. */
export type Handle = bigint & { readonly handle: unique symbol };
/** A place in the memory of a device. */
export type Address = bigint & { readonly address: unique symbol };

interface Names {
  readonly pointers: BigUint64Array;
  /** What they point into. */
  readonly text: Uint8Array;
}

/** Tensors for a session's inputs and outputs, in the order of their names. */
export interface Bound {
  readonly inputNames: Names;
  readonly inputs: BigUint64Array;
  readonly outputNames: Names;
  readonly outputs: BigUint64Array;
}

/** `cpu` computes on the processor, through the same calls. */
export type Provider = 'cpu' | 'cuda';
/** Of the CUDA provider, by its own names. */
type ProviderOptions = Readonly<Record<string, string>>;

interface SessionOptions {
  provider: Provider;
  providerOptions: ProviderOptions;
  threads: number;
}

/**
 * Where in OrtApi, the table of functions, each lies. The table only grows at its end, so that an index is right for every version
 * that has it; the last of these came with version 23 (ONNX Runtime 1.23).
 */
const indices = {
  GetErrorMessage: 2,
  CreateEnv: 3,
  CreateSessionFromArray: 8,
  Run: 9,
  CreateSessionOptions: 10,
  SetSessionExecutionMode: 13,
  DisableMemPattern: 17,
  SetIntraOpNumThreads: 24,
  SetInterOpNumThreads: 25,
  CreateRunOptions: 39,
  CreateTensorWithDataAsOrtValue: 49,
  CreateMemoryInfo: 68,
  AllocatorAlloc: 75,
  AllocatorFree: 76,
  ReleaseStatus: 93,
  ReleaseMemoryInfo: 94,
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseRunOptions: 97,
  ReleaseSessionOptions: 100,
  AddSessionConfigEntry: 130,
  CreateAllocator: 131,
  ReleaseAllocator: 132,
  ReleaseArenaCfg: 157,
  CreateArenaCfgV2: 164,
  AddRunConfigEntry: 165,
  SessionOptionsAppendExecutionProvider_CUDA_V2: 204,
  CreateCUDAProviderOptions: 205,
  UpdateCUDAProviderOptions: 206,
  ReleaseCUDAProviderOptions: 208,
  CreateAndRegisterAllocatorV2: 259,
  GetKeyValue: 297,
  ReleaseKeyValuePairs: 300,
  AllocatorGetStats: 319,
} as const;
const tableVersion = 23;

const memoryNames = { cpu: 'Cpu', cuda: 'Cuda' } as const;
const providerNames = { cpu: 'CPUExecutionProvider', cuda: 'CUDAExecutionProvider' } as const;
/** OrtAllocatorType, OrtMemType and ExecutionMode */
const arenaAllocator = 1;
const defaultMemory = 0;
const sequential = 0;
/** Only errors: warnings tell of every operation that is left to the processor. */
const logSeverity = 3;
const pointerBytes = 8;
const stackBytes = 16 * 2 ** 20;

/** Kept, since koffi unloads a library that nothing holds, whatever still points into it. */
const loaded = new Map<string, { runtime: OnnxRuntime; library: LibraryHandle }>();

/**
 * The library at `path`, once for each path: its environment lives as long as the process. Throws with the loader's reason, and for a
 * version without what is needed.
 */
export function loadOnnxRuntime(path: string): OnnxRuntime {
  const known = loaded.get(path);
  if (known) return known.runtime;
  const made = open(path);
  loaded.set(path, made);
  return made.runtime;
}

function open(path: string): { runtime: OnnxRuntime; library: LibraryHandle } {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  try {
    // Optimising a graph recurses through it; the default stacks of the worker threads overflow.
    koffi.config({ ...koffi.config(), sync_stack_size: stackBytes, async_stack_size: stackBytes });
  } catch {
    // Another library was loaded through koffi before: its settings stay.
  }
  const library = koffi.load(path);
  const pointer = koffi.pointer(koffi.opaque());
  const out = koffi.out(koffi.pointer(pointer));
  type Parameters = (TypeObject | typeof out | string)[];
  const functionAt = (table: unknown, index: number, result: TypeObject | string, parameters: Parameters) =>
    koffi.decode(koffi.decode(table, index * pointerBytes, pointer), koffi.proto(result, parameters as never));

  const base = library.func('OrtGetApiBase', pointer, [])();
  const version = functionAt(base, 1, 'str', [])() as string;
  const api = functionAt(base, 0, pointer, ['uint32_t'])(tableVersion);
  if (!api) throw new Error(`${path} is ONNX Runtime ${version}; 1.${tableVersion} or newer is needed`);
  const at = (name: keyof typeof indices, result: TypeObject | string, ...parameters: Parameters) =>
    functionAt(api, indices[name], result, parameters);
  const releaser = (name: keyof typeof indices) => at(name, 'void', pointer) as (handle: unknown) => void;

  const errorMessage = at('GetErrorMessage', 'str', pointer);
  const releaseStatus = releaser('ReleaseStatus');
  const check = (status: unknown) => {
    if (!status) return;
    const message = errorMessage(status) as string;
    releaseStatus(status);
    throw new Error(withoutPlaces(message));
  };
  /** A function that answers a status. */
  const calling = (name: keyof typeof indices, ...parameters: Parameters) => {
    const call = at(name, pointer, ...parameters) as KoffiFunc<(...args: unknown[]) => unknown>;
    return Object.assign((...args: unknown[]) => check(call(...args)), {
      offThread: (...args: unknown[]) =>
        new Promise<void>((resolve, reject) => {
          call.async(...args, (failure: unknown, status: unknown) => {
            try {
              if (failure) throw failure;
              check(status);
              resolve();
            } catch (error) {
              reject(error);
            }
          });
        }),
    });
  };
  /** What a function hands out through its last parameter. */
  const made = (call: (...args: unknown[]) => void, ...args: unknown[]): Handle => {
    const answer = [null];
    call(...args, answer);
    return answer[0] as unknown as Handle;
  };

  const createEnvironment = calling('CreateEnv', 'int', 'str', out);
  const createMemoryInfo = calling('CreateMemoryInfo', 'str', 'int', 'int', 'int', out);
  const createArenaSettings = calling('CreateArenaCfgV2', 'str *', 'size_t *', 'size_t', out);
  const registerAllocator = calling(
    'CreateAndRegisterAllocatorV2',
    ...[pointer, 'str', pointer, pointer, 'str *', 'str *', 'size_t'],
  );
  const createOptions = calling('CreateSessionOptions', out);
  const disableMemoryPattern = calling('DisableMemPattern', pointer);
  const setExecutionMode = calling('SetSessionExecutionMode', pointer, 'int');
  const setThreads = calling('SetIntraOpNumThreads', pointer, 'int');
  const setThreadsBetween = calling('SetInterOpNumThreads', pointer, 'int');
  const addSessionEntry = calling('AddSessionConfigEntry', pointer, 'str', 'str');
  const createCudaOptions = calling('CreateCUDAProviderOptions', out);
  const updateCudaOptions = calling('UpdateCUDAProviderOptions', pointer, 'str *', 'str *', 'size_t');
  const appendCuda = calling('SessionOptionsAppendExecutionProvider_CUDA_V2', pointer, pointer);
  const createSession = calling('CreateSessionFromArray', pointer, 'void *', 'size_t', pointer, out);
  const createAllocator = calling('CreateAllocator', pointer, pointer, out);
  const allocate = calling('AllocatorAlloc', pointer, 'size_t', out);
  const free = calling('AllocatorFree', pointer, pointer);
  const getStatistics = calling('AllocatorGetStats', pointer, out);
  const valueOfKey = at('GetKeyValue', 'str', pointer, 'str') as (pairs: unknown, key: string) => string | null;
  const releasePairs = releaser('ReleaseKeyValuePairs');
  const createTensor = calling(
    'CreateTensorWithDataAsOrtValue',
    ...[pointer, 'void *', 'size_t', 'int64_t *', 'size_t', 'int', out],
  );
  const createRunOptions = calling('CreateRunOptions', out);
  const addRunEntry = calling('AddRunConfigEntry', pointer, 'str', 'str');
  const run = calling('Run', ...[pointer, pointer, 'void *', 'void *', 'size_t', 'void *', 'size_t', 'void *']);
  const argumentsOf = (
    session: Handle,
    options: Handle | null,
    { inputNames, inputs, outputNames, outputs }: Bound,
  ) => [
    ...[session, options, inputNames.pointers, inputs, inputs.length],
    ...[outputNames.pointers, outputs.length, outputs],
  ];
  /** What the library reads on another thread, so that it is not collected meanwhile. */
  const inUse = new Set<unknown>();
  const releaseOptions = releaser('ReleaseSessionOptions');
  const releaseRunOptions = releaser('ReleaseRunOptions');
  const releaseArenaSettings = releaser('ReleaseArenaCfg');
  const releaseCudaOptions = releaser('ReleaseCUDAProviderOptions');
  const releasers = {
    session: releaser('ReleaseSession'),
    tensor: releaser('ReleaseValue'),
    allocator: releaser('ReleaseAllocator'),
    memoryInfo: releaser('ReleaseMemoryInfo'),
  };

  const environment = made(createEnvironment, logSeverity, 'motif');

  const appendProvider = (options: Handle, settings: ProviderOptions) => {
    const cuda = made(createCudaOptions);
    try {
      updateCudaOptions(cuda, Object.keys(settings), Object.values(settings), Object.keys(settings).length);
      appendCuda(options, cuda);
    } finally {
      releaseCudaOptions(cuda);
    }
  };
  const sessionOptions = ({ provider, providerOptions, threads }: SessionOptions): Handle => {
    const options = made(createOptions);
    try {
      disableMemoryPattern(options);
      setExecutionMode(options, sequential);
      setThreads(options, threads);
      setThreadsBetween(options, 1);
      for (const kind of ['intra', 'inter']) addSessionEntry(options, `session.${kind}_op.allow_spinning`, '0');
      addSessionEntry(options, 'session.use_env_allocators', '1');
      if (provider === 'cuda') appendProvider(options, providerOptions);
    } catch (error) {
      releaseOptions(options);
      throw error;
    }
    return options;
  };

  const runtime: OnnxRuntime = {
    version,
    library: path,
    createMemoryInfo: (provider, deviceId) =>
      made(createMemoryInfo, memoryNames[provider], arenaAllocator, deviceId, defaultMemory),
    registerArena(provider, memory, limitBytes, options) {
      // An arena that grows by what is asked for (1), not to the next power of two.
      const limits = { max_mem: limitBytes ?? 0, arena_extend_strategy: 1 };
      const arena = made(createArenaSettings, Object.keys(limits), Object.values(limits), Object.keys(limits).length);
      try {
        const [keys, values] = [Object.keys(options), Object.values(options)];
        registerAllocator(environment, providerNames[provider], memory, arena, keys, values, keys.length);
      } finally {
        releaseArenaSettings(arena);
      }
    },
    requireProvider: (settings) => releaseOptions(sessionOptions(settings)),
    async createSession(model, settings) {
      const options = sessionOptions(settings);
      const answer = [null];
      inUse.add(model);
      try {
        await createSession.offThread(environment, model, model.byteLength, options, answer);
      } finally {
        inUse.delete(model);
        releaseOptions(options);
      }
      return answer[0] as unknown as Handle;
    },
    createSessionSync(model, settings) {
      const options = sessionOptions(settings);
      try {
        return made(createSession, environment, model, model.byteLength, options);
      } finally {
        releaseOptions(options);
      }
    },
    createAllocator: (session, memory) => made(createAllocator, session, memory),
    allocate: (allocator, byteLength) => made(allocate, allocator, byteLength) as unknown as Address,
    free: (allocator, address) => free(allocator, address),
    statistics(allocator) {
      const pairs = made(getStatistics, allocator);
      const number = (key: string) => Number(valueOfKey(pairs, key) ?? 0);
      try {
        return { inUse: number('InUse'), total: number('TotalAllocated') };
      } finally {
        releasePairs(pairs);
      }
    },
    createTensor: (memory, data, byteLength, type, shape) => {
      const dimensions = BigInt64Array.from(shape.length === 0 ? [1] : shape, BigInt);
      return made(createTensor, memory, data, byteLength, dimensions, shape.length, onnxTypes[type]);
    },
    createNames(names) {
      const text = new TextEncoder().encode(names.map((name) => `${name}\0`).join(''));
      let place = koffi.address(text);
      const pointers = BigUint64Array.from(names, (name) => {
        const start = place;
        place += BigInt(name.length + 1);
        return start;
      });
      return { pointers, text };
    },
    async run(session, tensors) {
      inUse.add(tensors);
      try {
        await run.offThread(...argumentsOf(session, null, tensors));
      } finally {
        inUse.delete(tensors);
      }
    },
    runSync: (session, tensors) => run(...argumentsOf(session, null, tensors)),
    runAndShrink(session, tensors, where) {
      const options = made(createRunOptions);
      try {
        addRunEntry(options, 'memory.enable_memory_arena_shrinkage', where);
        run(...argumentsOf(session, options, tensors));
      } finally {
        releaseRunOptions(options);
      }
    },
    release: (kind, handle) => releasers[kind](handle),
  };
  return { runtime, library };
}

/** What a message says, without the places in ONNX Runtime's source that it begins its lines with. */
function withoutPlaces(message: string): string {
  return message.replaceAll(/(\/[\w./-]+|[A-Z]:\\[\w\\.-]+)\.(cc|cpp|h|cu):\d+ /g, '').trim();
}
