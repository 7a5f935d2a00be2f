import * as tf from '../tf.ts';
import { Computation, type Work } from './computation.ts';
import type { Executor } from './executors/executor.ts';
import {
  type CompactArray,
  type ElementType,
  Graph,
  type HostArray,
  type Inspect,
  type Streamed,
  sameShape,
  sizeOf,
  type Value,
} from './graph.ts';
import type { Kernel } from './kernels/kernel.ts';
import { type Plan, planFor } from './plan.ts';
import { Recorder, type Rewrite } from './recorder.ts';

interface Stored {
  value: Value;
  /** Tensors of TensorFlow.js that share these values. */
  references: number;
}

/** Arrays up to this size that a traced step makes for itself are compiled into it. */
const literalLimit = 64;

/**
 * A TensorFlow.js backend that records: a kernel adds nodes to a graph and returns at once. Reading values
 * computes everything that is pending, as one program per segment of the graph, compiled once per structure.
 */
export class LazyBackend extends tf.KernelBackend {
  readonly executor: Executor;
  readonly recorder: Recorder;
  readonly computation: Computation;
  private readonly graph: Graph;
  private readonly storage: tf.DataStorage<Stored>;
  /** While a step is being traced: small constants become part of the program, and nothing can be read. */
  private tracing = false;

  constructor(executor: Executor, rewrites: readonly Rewrite[], inspect?: Inspect) {
    super();
    this.executor = executor;
    this.graph = new Graph((buffer) => executor.release(buffer));
    this.computation = new Computation(this.graph, executor, inspect);
    this.recorder = new Recorder(this.graph, executor.capabilities, rewrites);
    this.storage = new tf.DataStorage(this, tf.engine());
  }

  // --- what TensorFlow.js asks of a backend

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const id = {};
    this.move(id, values, shape, dtype, 1);
    return id;
  }

  override move(
    id: tf.DataId,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    references: number,
  ): void {
    this.store(id, this.hostValue(values as HostArray, shape, elementType(dtype)), references);
  }

  private hostValue(values: HostArray, shape: readonly number[], type: ElementType): Value {
    const value: Value = { shape, type, references: 0, tensors: 0 };
    if (this.tracing && values.length <= literalLimit) return { ...value, literal: values.slice() };
    if (this.tracing && values.every((item) => item === values[0])) return this.recorder.fill(shape, values[0]!, type);
    return { ...value, buffer: this.executor.upload(values, value) };
  }

  override async read(id: tf.DataId): Promise<tf.BackendValues> {
    const { value } = this.storage.get(id);
    if (value.literal) return literalArray(value);
    this.refuseWhileTracing();
    if (value.streamed) return value.streamed.read();
    if (value.expanded) {
      const copy = this.copyOf(value);
      return this.read(copy).finally(() => this.disposeData(copy));
    }
    if (value.node) await this.computation.compute(value);
    return this.executor.download(value.buffer!, value);
  }

  override readSync(id: tf.DataId): tf.BackendValues {
    const { value } = this.storage.get(id);
    if (value.literal) return literalArray(value);
    this.refuseWhileTracing();
    if (value.streamed || value.expanded)
      throw new Error('compact and streamed weights are read asynchronously: await data()');
    if (value.node) this.computation.computeSync(value);
    const values = this.executor.download(value.buffer!, value);
    if (values instanceof Promise) throw new Error(`${this.executor.name} cannot be read synchronously: await data()`);
    return values;
  }

  /** A tensor of contents that are otherwise computed inside each program that uses them. */
  private copyOf(value: Value): tf.DataId {
    return this.infoFor(this.recorder.op('Identity', [value], value.shape, value.type)).dataId;
  }

  private refuseWhileTracing(): void {
    if (this.tracing)
      throw new Error('values cannot be read inside a traced step: return the tensor and read it after the run');
  }

  override disposeData(id: tf.DataId, force = false): boolean {
    if (!this.storage.has(id)) return true;
    const stored = this.storage.get(id);
    stored.references--;
    if (!force && stored.references > 0) return false;
    this.storage.delete(id);
    this.graph.dropForTensor(stored.value);
    return true;
  }

  override refCount(id: tf.DataId): number {
    return this.storage.has(id) ? this.storage.get(id).references : 0;
  }

  override incRef(id: tf.DataId): void {
    this.storage.get(id).references++;
  }

  override numDataIds(): number {
    return this.storage.numDataIds();
  }

  override memory() {
    return {
      unreliable: false,
      ...this.executor.memory(),
      programs: this.computation.programs.size,
      pending: this.graph.unread.size,
    };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override dispose(): void {
    this.computation.programs.clear();
    this.executor.dispose();
  }

  // --- recording

  /** Runs a kernel of ours: tensors in, recorded values out. */
  record(kernel: Kernel, inputs: Record<string, tf.TensorInfo>, attributes: object): tf.TensorInfo | tf.TensorInfo[] {
    const values: Record<string, Value> = {};
    for (const [name, info] of Object.entries(inputs)) if (info) values[name] = this.valueFor(info);
    const made = kernel(this.recorder, values, attributes as never);
    return Array.isArray(made) ? made.map((value) => this.infoFor(value)) : this.infoFor(made as Value);
  }

  /** The same contents under another shape. */
  alias({ dataId }: tf.TensorInfo, shape: readonly number[], dtype: tf.DataType): tf.TensorInfo {
    this.incRef(dataId);
    return { dataId, shape: [...shape], dtype };
  }

  valueFor({ dataId, shape }: tf.TensorInfo): Value {
    const { value } = this.storage.get(dataId);
    return sameShape(value.shape, shape) ? value : this.recorder.reshape(value, shape);
  }

  infoFor(value: Value): tf.TensorInfo {
    const dataId = {};
    this.store(dataId, value, 1);
    return { dataId, shape: [...value.shape], dtype: value.type as tf.DataType };
  }

  private store(id: tf.DataId, value: Value, references: number): void {
    this.graph.holdForTensor(value);
    this.storage.set(id, { value, references });
  }

  /** What follows is compiled apart from what came before, always or only where the graph is deep. */
  cut(when: 'always' | 'deep'): void {
    this.graph.cut(when);
  }

  /**
   * A float32 tensor [..., columns] that is held as float16's bits, or as int8 with a factor for each column, and that every program
   * which uses it expands for itself. The arrays must not change afterwards.
   */
  compactWeight(values: CompactArray, shape: readonly number[], scale?: Float32Array): tf.TensorInfo {
    const type: ElementType = values instanceof Int8Array ? 'int8' : 'float16';
    const held: Value = { shape, type, references: 0, tensors: 0 };
    held.buffer = this.executor.upload(values, held);
    const wide = expanded(this.recorder.cast(held, 'float32'));
    if (!scale) return this.infoFor(wide);
    return this.infoFor(expanded(this.recorder.mul(wide, this.hostValue(scale, [scale.length], 'float32'))));
  }

  /** A float32 tensor that is in memory only while a program uses it. */
  streamedWeight(streamed: Streamed, shape: readonly number[]): tf.TensorInfo {
    return this.infoFor({ shape, type: 'float32', streamed, references: 0, tensors: 0 });
  }

  // --- tracing

  get isTracing(): boolean {
    return this.tracing;
  }

  /** Records a step without computing it. */
  async trace(inputs: readonly tf.Tensor[], step: (inputs: tf.Tensor[]) => readonly tf.Tensor[]): Promise<Recording> {
    await this.computation.compute();
    const outputs: Value[] = [];
    this.tracing = true;
    this.cut('always');
    try {
      tf.tidy(() => {
        const placeholders = inputs.map(({ shape, dtype }, index) =>
          this.tensorFor({ shape, type: elementType(dtype), placeholder: index, references: 0, tensors: 0 }),
        );
        for (const tensor of step(placeholders)) {
          const value = this.valueFor(tensor);
          const computed = value.literal ? this.recorder.op('Identity', [value], value.shape, value.type) : value;
          this.graph.hold(computed);
          outputs.push(computed);
        }
      });
      const plan = planFor([...new Set(outputs.filter(({ node }) => node))], this.computation.inspect);
      const captured = [...plan.sources.map(({ value }) => value), ...outputs].filter(({ buffer }) => buffer);
      for (const value of captured) this.graph.hold(value);
      return { plan, outputs, captured };
    } finally {
      this.tracing = false;
      this.cut('always');
      for (const value of outputs) this.graph.drop(value);
    }
  }

  /** Runs a recorded step with new inputs. */
  async replay({ plan, outputs }: Recording, inputs: readonly tf.Tensor[], signal?: AbortSignal): Promise<tf.Tensor[]> {
    const held = inputs.map(({ dataId }) => this.storage.get(dataId).value);
    for (const value of held) this.graph.hold(value);
    try {
      return await this.computation.alone(() => this.replaying(plan, outputs, held, signal));
    } finally {
      for (const value of held) this.graph.drop(value);
    }
  }

  private *replaying(
    plan: Plan,
    outputs: readonly Value[],
    inputs: readonly Value[],
    signal?: AbortSignal,
  ): Work<tf.Tensor[]> {
    for (const value of inputs) {
      if (value.node) yield* this.computation.pending(value);
      if (value.literal) throw new Error('a constant made in another step cannot be an input');
    }
    const bufferOf = (value: Value) => (value.placeholder === undefined ? value : inputs[value.placeholder]!).buffer;
    const buffers = yield* this.computation.runPlanned(
      plan,
      plan.sources.map(({ value }) => bufferOf(value)),
      signal,
    );
    const made = new Map<Value, Value>();
    for (const [index, value] of plan.wanted.entries())
      made.set(value, { shape: value.shape, type: value.type, buffer: buffers[index]!, references: 0, tensors: 0 });
    return outputs.map((value) =>
      this.tensorFor(made.get(value) ?? (value.placeholder === undefined ? value : inputs[value.placeholder]!), value),
    );
  }

  /** Ends the use of what a recording holds. */
  forget({ captured }: Recording): void {
    for (const value of captured) this.graph.drop(value);
  }

  private tensorFor(value: Value, { shape, type }: Pick<Value, 'shape' | 'type'> = value): tf.Tensor {
    const { dataId } = this.infoFor(value);
    return tf.engine().makeTensorFromDataId(dataId, [...shape], type as tf.DataType, this);
  }
}

const expanded = (value: Value): Value => Object.assign(value, { expanded: true });

/** A traced step: how to compute it, and the values from outside that it holds. */
export interface Recording {
  readonly plan: Plan;
  readonly outputs: readonly Value[];
  readonly captured: readonly Value[];
}

function elementType(dtype: tf.DataType): ElementType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new Error(`the lazy backend holds float32, int32 and bool values, not ${dtype}`);
}

function literalArray({ literal, shape, type }: Value): HostArray {
  const array = { float32: Float32Array, bool: Uint8Array }[type as string] ?? Int32Array;
  return new array(literal!).slice(0, sizeOf(shape));
}
