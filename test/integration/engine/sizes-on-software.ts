import { attention, gelu, layerNorm, rmsNorm, rotary } from '../../../main/engine/backends/fused.ts';
import { lowRankLinear } from '../../../main/engine/backends/low-rank-linear.ts';
import { selectBackend } from '../../../main/engine/backends/select.ts';
import * as tf from '../../../main/engine/backends/tf.ts';
import { traced } from '../../../main/engine/backends/traced.ts';
import { rotaryTables } from '../../../main/engine/nn/positions.ts';
import { compareSampleSteps } from '../../../main/engine/training/sample-step.ts';
import { randomValues, relativeError } from '../../unit/engine/backends/outcomes.ts';

/**
 * Prints, as JSON, how far WebGPU as it is chosen here is from ONNX Runtime on the processor, in values and gradients of the operations that
 * steps of training are made of: a process of its own, since a driver is found by the environment that the process begins with. Those of one
 * size are one program, as in a step.
 */

/** A small clip's tokens, those of the embedded model's and of a larger one, a prompt's, and a prime number of them. */
const tokenCounts = [64, 77, 320, 1031, 2048];
const [width, heads, rank] = [8, 2, 4];
/** Up to so many tokens attention has all its heads, and gradients: a software adapter takes seconds for the scores of more. */
const mostInFull = 320;

type Operation = { shapes: number[][]; run: (inputs: tf.Tensor[], tables: Tables) => tf.Tensor; gradient?: boolean };
type Tables = ReturnType<typeof rotaryTables>;

const prompt = [1, 77, width];

const operationsOf = (rows: number[]): Record<string, Operation> => ({
  attention: {
    shapes: [rows, rows, rows],
    run: ([q, k, v]) => attention(q!, k!, v!, { heads: rows[1]! <= mostInFull ? heads : 1 }),
    gradient: rows[1]! <= mostInFull,
  },
  'attention to a prompt': { shapes: [rows, prompt, prompt], run: ([q, k, v]) => attention(q!, k!, v!, { heads }) },
  'attention of a prompt': { shapes: [prompt, rows, rows], run: ([q, k, v]) => attention(q!, k!, v!, { heads }) },
  rotary: { shapes: [rows], run: ([x], { cos, sin }) => rotary(x!, cos, sin, { heads }) },
  layerNorm: { shapes: [rows], run: ([x]) => layerNorm(x!) },
  rmsNorm: { shapes: [rows, [width]], run: ([x, scale]) => rmsNorm(x!, scale!) },
  gelu: { shapes: [rows], run: ([x]) => gelu(x!, 'tanh') },
  lowRankLinear: {
    shapes: [rows, [width, rank], [rank, width]],
    run: ([x, down, up]) => {
      const weight = tf.reshape(tf.linspace(-1, 1, width * width), [width, width]) as tf.Tensor2D;
      return lowRankLinear(x!, weight, undefined, down as tf.Tensor2D, up as tf.Tensor2D);
    },
  },
  mean: { shapes: [rows], run: ([x]) => tf.mean(tf.square(x!), 1) },
});

const random = (shape: number[], seed: number) => tf.tensor(randomValues(tf.util.sizeFromShape(shape), seed), shape);

/** Values and gradients of each operation at so many tokens. */
async function outcomeOf(tokens: number): Promise<Map<string, Float32Array[]>> {
  const operations = Object.entries(operationsOf([1, tokens, width]));
  const tables = rotaryTables(width / heads, [1, 1, tokens]);
  const inputs = operations.map(([, { shapes }], place) =>
    shapes.map((shape, index) => random(shape, 10 * place + index)),
  );
  const upstream = operations.map(([, { shapes, run }], place) =>
    tf.tidy(() =>
      random(
        run(
          shapes.map((shape) => tf.zeros(shape)),
          tables,
        ).shape,
        100 + place,
      ),
    ),
  );
  const step = traced((given: { inputs: tf.Tensor[][]; upstream: tf.Tensor[]; tables: Tables }) =>
    operations.map(([, { run, gradient = true }], place) => {
      const value = run(given.inputs[place]!, given.tables);
      const product = (...own: tf.Tensor[]) =>
        tf.sum(tf.mul(run(own, given.tables), given.upstream[place]!)) as tf.Scalar;
      return gradient ? [value, ...tf.grads(product)(given.inputs[place]!)] : [value];
    }),
  );
  const results = await step.run({ inputs, upstream, tables });
  const found = new Map<string, Float32Array[]>();
  for (const [place, [name]] of operations.entries()) {
    const values: Float32Array[] = [];
    for (const tensor of results[place]!) values.push(Float32Array.from(await tensor.data()));
    found.set(`${name}, ${tokens} tokens`, values);
  }
  step.dispose();
  return found;
}

async function outcomes(): Promise<[string, Float32Array[]][]> {
  const found: [string, Float32Array[]][] = [];
  for (const tokens of tokenCounts) found.push(...(await outcomeOf(tokens)));
  return found;
}

const [cacheFolder] = process.argv.slice(2);
try {
  await selectBackend({ device: 'onnxruntime' });
  const expected = await outcomes();
  const { description } = await selectBackend({ device: 'webgpu', cacheFolder, selfTest: compareSampleSteps });
  const started = process.cpuUsage();
  const found = await outcomes();
  const seconds = process.cpuUsage(started).user / 1e6;
  const errors = expected.map(([name, values], place) => [
    name,
    Math.max(...values.map((wanted, index) => relativeError(found[place]![1][index]!, wanted))),
  ]);
  console.log(JSON.stringify({ description, seconds, errors: Object.fromEntries(errors) }));
} catch (error) {
  console.log(JSON.stringify({ failed: error instanceof Error ? error.message : String(error) }));
}
process.exit(0);
