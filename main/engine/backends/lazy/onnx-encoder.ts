/** Writes ONNX models as bytes: the few messages of onnx.proto3 that a flat graph needs. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 */
import type { Attributes, ElementType, HostArray } from './graph.ts';

interface OnnxTensorType {
  name: string;
  /** A length by name is only known when the graph is run. */
  shape: readonly (number | string)[];
  type: ElementType;
}

interface OnnxNode {
  op: string;
  domain: string;
  /** '' for an optional input that is left out. */
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Attributes;
}

export interface OnnxGraph {
  nodes: readonly OnnxNode[];
  inputs: readonly OnnxTensorType[];
  outputs: readonly OnnxTensorType[];
  literals: readonly OnnxLiteral[];
}

interface OnnxLiteral {
  name: string;
  shape: readonly number[];
  type: ElementType;
  values: readonly number[] | HostArray;
}

/** Operator set 20: the first with Gelu; read by ONNX Runtime 1.17 and OpenVINO 2025.0 and newer. */
const operatorSet = 20;
const intermediateVersion = 9;
/** TensorProto.DataType */
export const onnxTypes: Record<ElementType, number> = { float32: 1, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 };
/** Attributes that are floats even where their value is whole. */
const floatAttributes = new Set(['alpha', 'beta', 'gamma', 'epsilon', 'scale', 'extrapolation_value', 'cubic_coeff_a']);

class ProtobufWriter {
  private bytes = new Uint8Array(256);
  private length = 0;

  private reserve(extra: number): void {
    if (this.length + extra <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + extra));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  private varint(value: number): void {
    this.reserve(10);
    if (value < 0) {
      // Negative numbers are ten bytes of two's complement.
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest > 127n; rest >>= 7n) this.bytes[this.length++] = Number(rest & 127n) | 128;
      this.bytes[this.length++] = Number(rest);
      return;
    }
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.bytes[this.length++] = (rest % 128) | 128;
    this.bytes[this.length++] = rest;
  }

  integer(field: number, value: number): void {
    this.varint(field << 3);
    this.varint(value);
  }

  float(field: number, value: number): void {
    this.varint((field << 3) | 5);
    this.reserve(4);
    new DataView(this.bytes.buffer).setFloat32(this.length, value, true);
    this.length += 4;
  }

  data(field: number, data: Uint8Array): void {
    this.varint((field << 3) | 2);
    this.varint(data.length);
    this.reserve(data.length);
    this.bytes.set(data, this.length);
    this.length += data.length;
  }

  text(field: number, text: string): void {
    this.data(field, new TextEncoder().encode(text));
  }

  message(field: number, write: (writer: ProtobufWriter) => void): void {
    const inner = new ProtobufWriter();
    write(inner);
    this.data(field, inner.finish());
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

/** Bytes of an ONNX ModelProto. */
export function encodeModel({ nodes, inputs, outputs, literals }: OnnxGraph): Uint8Array {
  const writer = new ProtobufWriter();
  writer.integer(1, intermediateVersion);
  writer.text(2, 'motif');
  writer.message(7, (graph) => {
    for (const node of nodes) graph.message(1, (message) => writeNode(message, node));
    graph.text(2, 'graph');
    for (const literal of literals) graph.message(5, (message) => writeLiteral(message, literal));
    for (const input of inputs) graph.message(11, (message) => writeTensorType(message, input));
    for (const output of outputs) graph.message(12, (message) => writeTensorType(message, output));
  });
  for (const [domain, version] of [['', operatorSet] as const, ...otherDomains(nodes)])
    writer.message(8, (set) => {
      set.text(1, domain);
      set.integer(2, version);
    });
  return writer.finish().slice();
}

function otherDomains(nodes: readonly OnnxNode[]): [string, number][] {
  return [...new Set(nodes.map(({ domain }) => domain))].filter((domain) => domain !== '').map((domain) => [domain, 1]);
}

function writeNode(writer: ProtobufWriter, { op, domain, inputs, outputs, attributes }: OnnxNode): void {
  for (const input of inputs) writer.text(1, input);
  for (const output of outputs) writer.text(2, output);
  writer.text(4, op);
  for (const [name, value] of Object.entries(attributes))
    writer.message(5, (attribute) => {
      attribute.text(1, name);
      if (typeof value === 'string') {
        attribute.text(4, value);
        attribute.integer(20, 3);
      } else if (typeof value !== 'number') {
        for (const item of value) attribute.integer(8, item);
        attribute.integer(20, 7);
      } else if (floatAttributes.has(name)) {
        attribute.float(2, value);
        attribute.integer(20, 1);
      } else {
        attribute.integer(3, value);
        attribute.integer(20, 2);
      }
    });
  if (domain) writer.text(7, domain);
}

function writeLiteral(writer: ProtobufWriter, { name, shape, type, values }: OnnxLiteral): void {
  for (const size of shape) writer.integer(1, size);
  writer.integer(2, onnxTypes[type]);
  writer.text(8, name);
  const typed =
    type === 'int64'
      ? BigInt64Array.from(values, (value) => BigInt(value))
      : type === 'int32'
        ? Int32Array.from(values)
        : type === 'bool'
          ? Uint8Array.from(values)
          : Float32Array.from(values);
  writer.data(9, new Uint8Array(typed.buffer));
}

function writeTensorType(writer: ProtobufWriter, { name, shape, type }: OnnxTensorType): void {
  writer.text(1, name);
  writer.message(2, (typeMessage) =>
    typeMessage.message(1, (tensor) => {
      tensor.integer(1, onnxTypes[type]);
      tensor.message(2, (shapeMessage) => {
        for (const size of shape)
          shapeMessage.message(1, (dimension) =>
            typeof size === 'number' ? dimension.integer(1, size) : dimension.text(2, size),
          );
      });
    }),
  );
}

/** A model that hands on as many values as it gets: brings them from one kind of memory to another. */
export function copyModel(type: ElementType): Uint8Array {
  return encodeModel({
    nodes: [{ op: 'Identity', domain: '', inputs: ['i0'], outputs: ['o0'], attributes: {} }],
    inputs: [{ name: 'i0', shape: ['length'], type }],
    outputs: [{ name: 'o0', shape: ['length'], type }],
    literals: [],
  });
}
