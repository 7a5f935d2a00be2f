import { AppError } from '../../../shared/ipc/result.ts';
import { createFileSession, hostTensor } from './lazy/executors/onnxruntime/native-session.ts';

/** An input or output as the file declares it; 0 or less is a length that is only known when it is run. */
interface OnnxPort {
  name: string;
  shape: readonly number[];
  /** ONNX's number of the type of its values: 1 float32, 6 int32, 7 int64. */
  type: number;
}

/** An ONNX file of a user's, on ONNX Runtime's processor. */
export interface OnnxFile {
  inputs: readonly OnnxPort[];
  outputs: readonly OnnxPort[];
  /** Runs it on values in the types that it declares -> those of its outputs that are named, as float32. */
  run(
    inputs: Readonly<Record<string, { values: Float32Array | readonly number[]; shape: readonly number[] }>>,
    outputs: readonly string[],
  ): { values: Float32Array; shape: readonly number[] }[];
  dispose(): void;
}

const [float32, int32, int64] = [1, 6, 7];

/** Throws `damaged-file` where the file is none that ONNX Runtime can read, with its reason. */
export function openOnnxFile(path: string): OnnxFile {
  const session = attempt(`${path} is no ONNX model that can be used`, () => createFileSession(path));
  const [inputs, outputs] = [session.inputMetadata, session.outputMetadata].map((ports) =>
    ports.map(({ name, shape, type }): OnnxPort => ({ name, shape, type })),
  ) as [OnnxPort[], OnnxPort[]];
  return {
    inputs,
    outputs,
    run(given, wanted) {
      const feeds = Object.entries(given).map(([name, { values, shape }]) => {
        const type = inputs.find((input) => input.name === name)?.type;
        if (type === int64)
          return [
            name,
            hostTensor(
              'int64',
              BigInt64Array.from(values as number[], (value) => BigInt(value)),
              shape,
            ),
          ];
        if (type === int32) return [name, hostTensor('int32', Int32Array.from(values), shape)];
        return [name, hostTensor('float32', Float32Array.from(values), shape)];
      });
      const fetches = Object.fromEntries(wanted.map((name) => [name, null]));
      const made = attempt(`${path} cannot be run`, () => session.run(Object.fromEntries(feeds), fetches, {}));
      return wanted.map((name) => {
        const { data, dims, type } = made[name]!;
        if (type === 'float32') return { values: data as Float32Array, shape: dims };
        throw new AppError('damaged-file', `${path}: its output "${name}" is ${type}, not float32.`, {
          hint: 'Export the model in float32.',
        });
      });
    },
    dispose: () => session.dispose(),
  };
}

/** Throws `damaged-file` unless the file has these inputs, of types that can be given, and outputs. */
export function requirePorts(
  path: string,
  { inputs, outputs }: OnnxFile,
  wanted: { inputs: readonly string[]; outputs: readonly string[] },
): void {
  for (const [kind, ports, names] of [
    ['input', inputs, wanted.inputs],
    ['output', outputs, wanted.outputs],
  ] as const) {
    const missing = names.find((name) => !ports.some((port) => port.name === name));
    if (missing !== undefined)
      throw new AppError('damaged-file', `${path} has no ${kind} "${missing}".`, {
        hint: `It has: ${ports.map(({ name }) => name).join(', ')}. Name one of these in its description.`,
      });
  }
  const extra = inputs.find(({ name }) => !wanted.inputs.includes(name));
  if (extra)
    throw new AppError(
      'damaged-file',
      `${path} also needs the input "${extra.name}", which its description leaves out.`,
    );
  const strange = inputs.find(({ type }) => ![float32, int32, int64].includes(type));
  if (strange)
    throw new AppError('damaged-file', `${path}: its input "${strange.name}" is neither float32 nor a whole number.`, {
      hint: 'Export the model in float32.',
    });
}

function attempt<T>(message: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('damaged-file', `${message}: ${(cause as Error).message}`, { cause });
  }
}
