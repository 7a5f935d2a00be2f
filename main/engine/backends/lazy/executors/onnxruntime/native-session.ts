import { createRequire } from 'node:module';
import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-node';

/** The synchronous session under onnxruntime-node's promises, which only delay it: the run blocks its thread either way. */
export interface NativeSession {
  run(feeds: Record<string, Tensor>, fetches: Record<string, Tensor | null>, options: object): Record<string, Tensor>;
  dispose(): void;
}

interface Port {
  name: string;
  shape: number[];
  type: number;
}

/** One that was made from a file, and says what it takes and gives. */
interface FileSession extends NativeSession {
  readonly inputMetadata: readonly Port[];
  readonly outputMetadata: readonly Port[];
}

interface Binding {
  binding: {
    InferenceSession: new () => FileSession & {
      loadModel(path: string, options: InferenceSession.SessionOptions): void;
      loadModel(
        buffer: ArrayBufferLike,
        byteOffset: number,
        byteLength: number,
        options: InferenceSession.SessionOptions,
      ): void;
    };
  };
  initOrt(): void;
}

const require = createRequire(import.meta.url);
let loaded: Binding | undefined;

/** Loaded at first use, so that a machine on which it does not load can still use another backend. */
function load(): Binding {
  if (!loaded) {
    // A file of the package, pinned to its exact version, since its public face offers promises alone.
    loaded = require('onnxruntime-node/dist/binding.js') as Binding;
    loaded.initOrt();
  }
  return loaded;
}

export function createNativeSession(model: Uint8Array, options: InferenceSession.SessionOptions): NativeSession {
  const session = new (load().binding.InferenceSession)();
  session.loadModel(model.buffer, model.byteOffset, model.byteLength, options);
  return session;
}

/** A model in a file, weights that it keeps beside itself included. */
export function createFileSession(path: string): FileSession {
  const session = new (load().binding.InferenceSession)();
  session.loadModel(path, { executionProviders: ['cpu'], logSeverityLevel: 3 });
  return session;
}

/** The version of ONNX Runtime. */
export function runtimeVersion(): string {
  const { env } = require('onnxruntime-node') as { env: { versions: { node?: string } } };
  return env.versions.node ?? '';
}

/** A tensor over an array, without a copy. */
export function hostTensor(
  type: Tensor.Type,
  values: Tensor.DataTypeMap[Tensor.Type],
  shape: readonly number[],
): Tensor {
  const { Tensor: Constructor } = require('onnxruntime-node') as { Tensor: TensorConstructor };
  if (type !== 'float16') return new Constructor(type, values as never, shape);
  // The constructor makes a Float16Array of them where there is one, of which the native side sees no values.
  const tensor = new Constructor('uint16', values as never, shape);
  return Object.assign(tensor, { type });
}

/** A tensor that lives on the device, under another shape. It does not own the memory. */
export function deviceTensor(owner: Tensor, shape: readonly number[]): Tensor {
  const { Tensor: Constructor } = require('onnxruntime-node') as { Tensor: TensorConstructor };
  return Constructor.fromGpuBuffer(owner.gpuBuffer, { dataType: owner.type as 'float32', dims: shape });
}
