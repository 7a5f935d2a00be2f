import type { CompactArray, DeviceBuffer, ElementType, HostArray } from '../graph.ts';
import type { HalfType } from '../half-products.ts';

/** What a compiled graph's inputs and outputs look like. */
export interface TensorType {
  readonly shape: readonly number[];
  readonly type: ElementType;
}

/** Operations beyond standard ONNX that an executor runs well; kernels fall back to standard ones without them. */
export interface Capabilities {
  /** com.microsoft: FusedMatMul */
  readonly fusedMatMul: boolean;
  /** com.microsoft: MultiHeadAttention, with attention_bias */
  readonly multiHeadAttention: boolean;
  /** com.microsoft: RotaryEmbedding */
  readonly rotaryEmbedding: boolean;
  /** SimplifiedLayerNormalization of the default domain, as ONNX Runtime has it */
  readonly simplifiedLayerNormalization: boolean;
  /** LayerNormalization with its mean and inverse deviation as outputs */
  readonly layerNormalizationStatistics: boolean;
  /** Gelu of operator set 20 as one pass over memory */
  readonly gelu: boolean;
  /** Resize of video as it is, with five axes, faster than of its pictures with four */
  readonly videoResize: boolean;
  /** Inputs of float16, and of int8, that a program casts to float32: frozen weights in less memory */
  readonly float16Weights: boolean;
  readonly int8Weights: boolean;
  /** Of several things to compute the one with the longest way behind it comes first, in whatever order they were recorded. */
  readonly deepestFirst: boolean;
}

/** Compiles and runs ONNX models on one device. Nothing above it knows which. */
export interface Executor {
  /** For people: what computes, e.g. "ONNX Runtime on the processor, 2 threads". */
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Matrix products are encoded in numbers of this type instead of float32. */
  readonly products?: HalfType | undefined;
  /** Compiles a model whose inputs are named i0, i1, ... and outputs o0, o1, ... Throws where the device cannot run it. */
  compile(model: Uint8Array, inputs: readonly TensorType[], outputs: readonly TensorType[]): Program;
  /** Makes values available to programs. The array may be used in place: it must not change afterwards. */
  upload(values: HostArray | CompactArray, type: TensorType): DeviceBuffer;
  /** The values of a buffer, which may be the buffer's own memory: the executor does not use that again for anything else. */
  download(buffer: DeviceBuffer, type: TensorType): HostArray | Promise<HostArray>;
  /** Ends the use of a buffer; its memory may serve the next one. */
  release(buffer: DeviceBuffer): void;
  /** Bytes in use by buffers, and kept for the next ones. */
  memory(): { usedBytes: number; keptBytes: number };
  /**
   * Bytes that values and programs may take altogether in memory of the device's own: what is free there, with what they have, and no more
   * than a limit. Undefined, or left out, where they lie in the machine's memory, or where nothing tells. Throws where asking fails.
   */
  deviceMemoryBytes?(): number | undefined;
  /** Gives back memory that is only kept for later. */
  trim(): void;
  dispose(): void;
}

export interface Program {
  /** Runs once. New buffers are returned, for which the caller calls `release`; a failed run leaves none behind. */
  run(inputs: readonly DeviceBuffer[]): DeviceBuffer[] | Promise<DeviceBuffer[]>;
  /** Gives back what memory it holds between runs, where the next run has it again in a moment. */
  rest?(): void;
  dispose(): void;
}
