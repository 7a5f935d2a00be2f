import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { KoffiFunc, TypeObject } from 'koffi';

/**
 * OpenVINO's C interface (openvino/c/openvino.h, 2025.0 and newer), as far as the executor needs it. Handles are opaque pointers;
 * functions answer a status code, which `call` turns into an exception with OpenVINO's own message.
 */
export interface OpenVino {
  readonly version: string;
  readonly library: string;
  createCore(): Handle;
  /** Read-only property of a device, e.g. 'FULL_DEVICE_NAME', 'OPTIMIZATION_CAPABILITIES'. */
  deviceProperty(core: Handle, device: string, key: string): string;
  /** Reads and compiles ONNX bytes without blocking the event loop. */
  compile(core: Handle, model: Uint8Array, properties: Record<string, string>): Promise<Handle>;
  compiledProperty(compiled: Handle, key: string): string;
  createRequest(compiled: Handle): Handle;
  /** Lays a tensor over `memory` without a copy; the caller keeps the memory alive while the request may use it. */
  bind(
    request: Handle,
    side: 'input' | 'output',
    index: number,
    type: number,
    shape: readonly number[],
    memory: ArrayBufferView,
  ): void;
  infer(request: Handle): Promise<void>;
  freeRequest(request: Handle): void;
  freeCompiled(compiled: Handle): void;
  freeCore(core: Handle): void;
}

/** An opaque pointer of the library. */
export type Handle = { readonly handle: unique symbol };

/** ov_element_type_e */
export const elementTypes = { bool: 1, float16: 3, float32: 4, int8: 7, int32: 9, int64: 10 } as const;

const stackBytes = 16 * 2 ** 20;

/** Loads the library at `path` (libopenvino_c). Throws with the loader's reason. */
export function loadOpenVino(path: string): OpenVino {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  try {
    // Compilation recurses deeply through the graph; the default stacks of the worker threads overflow.
    koffi.config({ ...koffi.config(), sync_stack_size: stackBytes, async_stack_size: stackBytes });
  } catch {
    // Another library was loaded through koffi before: its settings stay.
  }
  loadDependencies(koffi, path);
  const library = koffi.load(path);
  const pointer = koffi.pointer(koffi.opaque());
  const out = (type: TypeObject) => koffi.out(koffi.pointer(type));
  const shapeType = koffi.struct({ rank: 'int64_t', dims: 'int64_t *' });
  const propertyType = koffi.struct({ key: 'str', value: 'str' });
  const versionType = koffi.struct({ buildNumber: 'str', description: 'str' });

  const lastError = library.func('ov_get_last_err_msg', 'str', []);
  const errorInfo = library.func('ov_get_error_info', 'str', ['int']);
  const freeText = library.func('ov_free', 'void', [pointer]);
  const status = (name: string, ...parameters: (TypeObject | ReturnType<typeof koffi.out> | string)[]) =>
    library.func(name, 'int', parameters as never);
  const check = (what: string, code: number) => {
    if (code !== 0) throw new Error(`OpenVINO could not ${what}: ${withoutPlaces(lastError()) || errorInfo(code)}`);
  };
  const offThread = (what: string, func: KoffiFunc<(...args: never[]) => number>, ...args: unknown[]) =>
    new Promise<void>((resolve, reject) => {
      func.async(...(args as never[]), (failure: unknown, code: number) => {
        try {
          if (failure) throw failure;
          check(what, code);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });

  const getVersion = status('ov_get_openvino_version', out(versionType));
  const createCore = status('ov_core_create', out(pointer));
  const getProperty = status('ov_core_get_property', pointer, 'str', 'str', out(pointer));
  const readModel = status('ov_core_read_model_from_memory_buffer', pointer, 'void *', 'size_t', pointer, out(pointer));
  const compileModel = status(
    'ov_core_compile_model_props',
    pointer,
    pointer,
    'str',
    'size_t',
    koffi.pointer(propertyType),
    out(pointer),
  );
  const getCompiledProperty = status('ov_compiled_model_get_property', pointer, 'str', out(pointer));
  const createRequest = status('ov_compiled_model_create_infer_request', pointer, out(pointer));
  const createTensor = status('ov_tensor_create_from_host_ptr', 'int', shapeType, 'void *', out(pointer));
  const setTensor = {
    input: status('ov_infer_request_set_input_tensor_by_index', pointer, 'size_t', pointer),
    output: status('ov_infer_request_set_output_tensor_by_index', pointer, 'size_t', pointer),
  };
  const infer = status('ov_infer_request_infer', pointer);
  const free = (name: string) => library.func(name, 'void', [pointer]);
  const freeTensor = free('ov_tensor_free');
  const freeModel = free('ov_model_free');

  const textResult = (what: string, read: (answer: unknown[]) => number) => {
    const answer = [null];
    check(what, read(answer));
    const result = koffi.decode(answer[0], 'char', -1) as string;
    freeText(answer[0]);
    return result;
  };
  const version: { buildNumber?: string }[] = [{}];
  check('tell its version', getVersion(version[0]));

  return {
    version: version[0]!.buildNumber ?? '',
    library: path,
    createCore() {
      const core = [null];
      check('start', createCore(core));
      return core[0] as unknown as Handle;
    },
    deviceProperty: (core, device, key) =>
      textResult(`tell ${key} of ${device}`, (answer) => getProperty(core, device, key, answer)),
    async compile(core, model, properties) {
      const read = [null];
      const compiled = [null];
      await offThread('read the model', readModel, core, model, model.byteLength, null, read);
      try {
        const list = Object.entries(properties).map(([key, value]) => ({ key, value }));
        await offThread('compile the model', compileModel, core, read[0], 'CPU', list.length, list, compiled);
      } finally {
        freeModel(read[0]);
      }
      return compiled[0] as unknown as Handle;
    },
    compiledProperty: (compiled, key) =>
      textResult(`tell ${key} of a compiled model`, (answer) => getCompiledProperty(compiled, key, answer)),
    createRequest(compiled) {
      const request = [null];
      check('create a request', createRequest(compiled, request));
      return request[0] as unknown as Handle;
    },
    bind(request, side, index, type, shape, memory) {
      const tensor = [null];
      const dims = BigInt64Array.from(shape.length === 0 ? [1] : shape, BigInt);
      check(`lay a tensor of [${shape}] over memory`, createTensor(type, { rank: shape.length, dims }, memory, tensor));
      try {
        check(`bind ${side} ${index} of [${shape}]`, setTensor[side](request, index, tensor[0]));
      } finally {
        freeTensor(tensor[0]);
      }
    },
    infer: (request) => offThread('run the model', infer, request),
    freeRequest: free('ov_infer_request_free'),
    freeCompiled: free('ov_compiled_model_free'),
    freeCore: free('ov_core_free'),
  };
}

/** What an exception says, without the lines about where in the library it came from. */
function withoutPlaces(message: string | null): string {
  const lines = (message ?? '').split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('Exception from ')).join(' ');
}

/** The C library finds its neighbours by its own folder where it was linked so; a copied folder may not be, so they are loaded first. */
function loadDependencies(koffi: typeof import('koffi'), path: string): void {
  const folder = dirname(path);
  const suffix = path.slice(path.lastIndexOf('libopenvino_c') + 'libopenvino_c'.length);
  for (const name of [`libtbb.so.12`, `libopenvino${suffix}`]) {
    try {
      koffi.load(`${folder}/${name}`, { global: true });
    } catch {
      // Linked statically, elsewhere on the search path, or another platform's name: loading the library itself gives the reason.
    }
  }
}
