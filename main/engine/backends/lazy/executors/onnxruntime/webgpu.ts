import type { Tensor } from 'onnxruntime-node';
import type { DeviceBuffer, ElementType } from '../../graph.ts';
import { copyModel } from '../../onnx-encoder.ts';
import { byteLengthOf } from '../element-arrays.ts';
import type { Executor } from '../executor.ts';
import { createNativeSession, deviceTensor, hostTensor, type NativeSession } from './native-session.ts';

interface GpuBuffer extends DeviceBuffer {
  /** On the device, or, for small values from outside, on the host: ONNX Runtime takes those along with each run. */
  readonly tensor: Tensor;
  /** The session that made it, which must outlive it. */
  readonly maker?: Maker;
}

/** Values up to this size are not worth a copy of their own. */
const hostLimit = 1024;

/** A session with its living outputs: releasing it before them crashes the process. */
class Maker {
  private living = 0;
  private unwanted = false;
  readonly session: NativeSession;

  constructor(session: NativeSession) {
    this.session = session;
  }

  made(): this {
    this.living++;
    return this;
  }

  released(): void {
    this.living--;
    this.disposeWhenFree();
  }

  dispose(): void {
    this.unwanted = true;
    this.disposeWhenFree();
  }

  private disposeWhenFree(): void {
    if (this.unwanted && this.living === 0) this.session.dispose();
  }
}

/**
 * ONNX Runtime's WebGPU provider: any GPU with Vulkan, Metal or Direct3D 12. Values stay on the device between programs. Throws where
 * no adapter answers. ONNX Runtime does not say what the adapter is. `without`: capabilities that this adapter computes wrongly.
 * `float16Weights`: whether it was found to cast float16, which not every adapter can (shader-f16).
 */
export function createWebGpuExecutor({
  without = [],
  float16Weights = false,
}: {
  without?: readonly string[];
  float16Weights?: boolean;
} = {}): Executor {
  const open = (model: Uint8Array, location: 'gpu-buffer' | 'cpu') =>
    createNativeSession(model, {
      executionProviders: [{ name: 'webgpu' }],
      preferredOutputLocation: location,
      executionMode: 'sequential',
      enableMemPattern: false,
      logSeverityLevel: 3,
    });
  // Reading a device tensor directly aborts the process, so values go up and down through sessions that copy.
  const copiers = new Map<string, Maker>();
  const copier = (type: ElementType, location: 'gpu-buffer' | 'cpu') => {
    const key = `${type} ${location}`;
    const known = copiers.get(key);
    if (known) return known;
    const made = new Maker(open(copyModel(type), location));
    copiers.set(key, made);
    return made;
  };
  let usedBytes = 0;

  const adopt = (tensor: Tensor, byteLength: number, maker?: Maker): GpuBuffer => {
    usedBytes += byteLength;
    return { byteLength, tensor, maker: maker?.made() };
  };
  const release = ({ byteLength, tensor, maker }: GpuBuffer) => {
    usedBytes -= byteLength;
    if (maker) tensor.dispose();
    maker?.released();
  };
  const shaped = ({ tensor, maker }: GpuBuffer, shape: readonly number[]) => {
    if (`${tensor.dims}` === `${shape}`) return tensor;
    return maker ? deviceTensor(tensor, shape) : tensor.reshape(shape);
  };

  try {
    copier('float32', 'gpu-buffer');
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : String(error);
    // ONNX Runtime begins with the place in its source, and names the state of its own request.
    if (/adapter/i.test(reason)) throw new Error('no graphics adapter answered', { cause: error });
    throw error;
  }

  return {
    name: 'ONNX Runtime on the graphics processor (WebGPU)',
    capabilities: {
      fusedMatMul: false, // falls back to the processor
      multiHeadAttention: !without.includes('multiHeadAttention'),
      rotaryEmbedding: !without.includes('rotaryEmbedding'),
      simplifiedLayerNormalization: false, // its second output is wrong
      layerNormalizationStatistics: false, // fails in the optimiser
      gelu: !without.includes('gelu'),
      videoResize: false,
      float16Weights,
      int8Weights: false, // no cast of it on the device
      deepestFirst: true,
    },
    compile(model, inputs, outputs) {
      const maker = new Maker(open(model, 'gpu-buffer'));
      return {
        run(buffers) {
          const feeds: Record<string, Tensor> = {};
          for (const [index, buffer] of buffers.entries())
            feeds[`i${index}`] = shaped(buffer as GpuBuffer, inputs[index]!.shape);
          const fetches = Object.fromEntries(outputs.map((_, index) => [`o${index}`, null]));
          const results = maker.session.run(feeds, fetches, {});
          return outputs.map((type, index) => adopt(results[`o${index}`]!, byteLengthOf(type), maker));
        },
        dispose: () => maker.dispose(),
      };
    },
    upload(values, type) {
      const tensor = hostTensor(type.type, values, [values.length]);
      if (values.byteLength <= hostLimit) return adopt(tensor, values.byteLength);
      const maker = copier(type.type, 'gpu-buffer');
      const { o0 } = maker.session.run({ i0: tensor }, { o0: null }, {});
      return adopt(o0!, values.byteLength, maker);
    },
    download(buffer, type) {
      const { tensor, maker } = buffer as GpuBuffer;
      if (!maker) return tensor.data as Float32Array;
      const { o0 } = copier(type.type, 'cpu').session.run(
        { i0: deviceTensor(tensor, [tensor.size]) },
        { o0: null },
        {},
      );
      return o0!.data as Float32Array;
    },
    release: (buffer) => release(buffer as GpuBuffer),
    memory: () => ({ usedBytes, keptBytes: 0 }),
    // No `deviceMemoryBytes`: WebGPU tells of no memory, only how large one buffer may be, and ONNX Runtime hands out neither that nor which
    // adapter it took. Integrated adapters share the machine's memory, which plans then go by; other cards have their own.
    trim() {},
    dispose() {
      for (const maker of copiers.values()) maker.dispose();
      copiers.clear();
    },
  };
}
