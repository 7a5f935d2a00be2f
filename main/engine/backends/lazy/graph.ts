/** The recorded graph: values, the nodes that compute them, and who still needs them. */

/** float16 and int8 are only ever what frozen weights are stored in: nothing computes in them. */
export type ElementType = 'float32' | 'int32' | 'bool' | 'int64' | 'float16' | 'int8';
export type HostArray = Float32Array | Int32Array | Uint8Array;
/** Frozen weights in fewer bits; float16 values are their bits. */
export type CompactArray = Uint16Array | Int8Array;
export type Attributes = Record<string, number | string | readonly number[]>;

/** Memory of an executor; only the executor looks inside. */
export interface DeviceBuffer {
  readonly byteLength: number;
}

/** Contents that are brought each time a program needs them, and let go after it. */
export interface Streamed {
  read(): Promise<Float32Array>;
  /** The array that `read` gave is no longer used. */
  done(values: Float32Array): void;
}

/**
 * One tensor of the graph. Exactly one of node, literal, buffer, streamed and placeholder says where its
 * contents come from.
 */
export interface Value {
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** What computes it; gone once it is computed. */
  node?: Node;
  /**
   * Contents that belong to the structure of the graph and are compiled into it: axes, shapes, small
   * constants.
   */
  literal?: readonly number[] | HostArray;
  buffer?: DeviceBuffer;
  streamed?: Streamed;
  /** Its node is computed inside every program that uses it, and its contents are never kept. */
  expanded?: boolean;
  /** Position among the inputs of the step that is being traced. */
  placeholder?: number;
  /** Unfinished nodes, tensors and traces that need it. */
  references: number;
  /** How many of them are tensors: these can be read, so they must be computed when anything is. */
  tensors: number;
  /** Set after its computation failed: from then on it is only computed when it is itself asked for. */
  suspect?: boolean;
}

/** What a node computes: all of it but its place in the graph. */
export interface Operation {
  readonly op: string;
  /** '' for standard ONNX, otherwise an executor's own domain. */
  readonly domain: string;
  /** undefined where an optional input is left out. */
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  readonly outputs: readonly Pick<Value, 'shape' | 'type'>[];
}

export interface Node extends Operation {
  readonly outputs: readonly Value[];
  /** Order of recording, which is a valid order of computation. */
  readonly sequence: number;
  /**
   * Nodes of different sections are never compiled together; those of one section are, unless the graph is
   * deep, then by segments.
   */
  readonly section: number;
  readonly segment: number;
  /** Outputs that somebody still needs. */
  wanted: number;
}

/** Sees a graph before it is computed: its nodes in order of computation, and what is wanted of it. */
export type Inspect = (nodes: readonly Node[], wanted: readonly Value[]) => void;

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);
export const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

export class Graph {
  /** Values that a tensor holds and nothing has computed yet. */
  readonly unread = new Set<Value>();
  private sequence = 0;
  private section = 0;
  private segment = 0;
  private readonly free: (buffer: DeviceBuffer) => void;

  constructor(free: (buffer: DeviceBuffer) => void) {
    this.free = free;
  }

  /**
   * What is recorded from here on is compiled apart from what was recorded before: always, or only in a deep
   * graph, where it keeps the time to compile independent of the depth.
   */
  cut(when: 'always' | 'deep'): void {
    this.segment++;
    if (when === 'always') this.section++;
  }

  /** Records a node and returns its outputs, which nobody holds yet. */
  add(operation: Operation): Value[] {
    const values: Value[] = operation.outputs.map(({ shape, type }) => ({ shape, type, references: 0, tensors: 0 }));
    const node: Node = {
      ...operation,
      outputs: values,
      sequence: this.sequence++,
      section: this.section,
      segment: this.segment,
      wanted: 0,
    };
    for (const value of values) value.node = node;
    return values;
  }

  /** A node holds its inputs from when one of its outputs is first held: one that a rewrite left unused holds nothing. */
  hold(value: Value): void {
    const held = [value];
    for (let next = held.pop(); next; next = held.pop()) {
      if (next.references++ > 0 || !next.node) continue;
      if (next.node.wanted++ === 0) for (const input of next.node.inputs) if (input) held.push(input);
    }
  }

  holdForTensor(value: Value): void {
    this.hold(value);
    if (value.tensors++ === 0 && value.node && !value.expanded) this.unread.add(value);
  }

  dropForTensor(value: Value): void {
    if (--value.tensors === 0) this.unread.delete(value);
    this.drop(value);
  }

  /** Ends one hold; a value that nobody holds is forgotten with everything that only it needed. */
  drop(value: Value): void {
    const dropped = [value];
    for (let next = dropped.pop(); next; next = dropped.pop()) {
      if (--next.references > 0) continue;
      if (next.buffer) {
        this.free(next.buffer);
        next.buffer = undefined;
      }
      const node = next.node;
      if (node && --node.wanted === 0) for (const input of node.inputs) if (input) dropped.push(input);
    }
  }

  /** Gives a value its contents; the node that computed it, and what only that node needed, are forgotten. */
  settle(value: Value, buffer: DeviceBuffer): void {
    const node = value.node;
    value.node = undefined;
    value.buffer = buffer;
    this.unread.delete(value);
    if (node && --node.wanted === 0) for (const input of node.inputs) if (input) this.drop(input);
  }
}
