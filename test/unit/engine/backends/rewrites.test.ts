import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { attention, gelu, layerNorm, rmsNorm, rotary } from '../../../../main/engine/backends/fused.ts';
import type { Capabilities } from '../../../../main/engine/backends/lazy/executors/executor.ts';
import { createCpuExecutor } from '../../../../main/engine/backends/lazy/executors/onnxruntime/cpu.ts';
import { Graph, type Node, type Value } from '../../../../main/engine/backends/lazy/graph.ts';
import { Recorder } from '../../../../main/engine/backends/lazy/recorder.ts';
import { type RewriteName, rewrites, rewritesNamed } from '../../../../main/engine/backends/lazy/rewrites.ts';
import { useLazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { convolve3d } from '../../../../main/engine/nn/conv.ts';
import { randomValues, relativeError } from './outcomes.ts';
import { verifyGraph } from './verify-graph.ts';

const names = Object.keys(rewrites) as RewriteName[];

type Run = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
interface Case {
  shapes: number[][];
  /** A graph where it applies, what is recorded of it, and without the rewrite. */
  applies: Run;
  with: string;
  without: string;
  /** A graph where it must not apply, and what is recorded of it with and without. */
  leaves: Run;
  as: string;
  /** What the executor lacks there. */
  lacking?: keyof Capabilities;
  /** How far values may be apart where sums are rounded otherwise; else they are equal to the bit. */
  tolerance?: number;
}

const convolve = (x: tf.Tensor, filter: tf.Tensor) =>
  tf.transpose(
    tf.conv2d(tf.transpose(x, [0, 2, 3, 1]) as tf.Tensor4D, filter as tf.Tensor4D, 1, 'valid'),
    [0, 3, 1, 2],
  );

const composedAttention =
  'Reshape Transpose Reshape Transpose Reshape Transpose FusedMatMul Add Softmax MatMul Transpose Reshape';

const cases: Record<RewriteName, Case> = {
  identities: {
    shapes: [[2, 3]],
    applies: (x) => tf.add(tf.slice(x, [0, 0], [2, 3]), 1),
    with: 'Add',
    without: 'Slice Add',
    leaves: (x) => tf.reverse(tf.slice(x, [0, 1], [2, 2]), 1),
    as: 'Slice Slice',
  },
  reshapes: {
    shapes: [[2, 6]],
    applies: (x) => tf.stack([tf.reshape(x, [3, 4]), tf.reshape(x, [3, 4])]),
    with: 'Reshape Reshape Concat',
    without: 'Reshape Reshape Reshape Reshape Concat',
    leaves: (x) => tf.exp(tf.reshape(x, [3, 4])),
    as: 'Reshape Exp',
  },
  transposes: {
    shapes: [[2, 3, 4]],
    applies: (x) => tf.transpose(tf.transpose(x, [2, 0, 1]), [1, 0, 2]),
    with: 'Transpose',
    without: 'Transpose Transpose',
    leaves: (x) => tf.transpose(tf.exp(tf.transpose(x, [2, 0, 1])), [1, 0, 2]),
    as: 'Transpose Exp Transpose',
  },
  'unit-transposes': {
    shapes: [[2, 1, 3]],
    applies: (x) => tf.transpose(x, [1, 0, 2]),
    with: 'Reshape',
    without: 'Transpose',
    leaves: (x) => tf.transpose(x, [2, 1, 0]),
    as: 'Transpose',
  },
  'unit-reductions': {
    shapes: [[2, 1, 3]],
    applies: (x) => tf.sum(x, 1),
    with: 'Reshape',
    without: 'ReduceSum',
    leaves: (x) => tf.sum(x, [1, 2]),
    as: 'ReduceSum',
  },
  concats: {
    shapes: [
      [2, 3],
      [2, 0],
    ],
    applies: (x, none) => tf.exp(tf.concat([x, none], 1)),
    with: 'Exp',
    without: 'Concat Exp',
    leaves: (x) => tf.concat([x, x], 1),
    as: 'Concat',
  },
  bias: {
    shapes: [[1, 2, 4, 4], [1, 1, 2, 3], [3], [1, 1, 4, 4]],
    applies: (x, filter, bias) => tf.add(convolve(x, filter), tf.reshape(bias, [3, 1, 1])),
    with: 'Transpose Conv',
    without: 'Transpose Conv Reshape Add',
    leaves: (x, filter, bias, perPixel) => {
      const convolved = convolve(x, filter);
      return [tf.add(convolved, perPixel), tf.add(convolved, tf.reshape(bias, [3, 1, 1, 1, 1]))];
    },
    as: 'Transpose Conv Add Reshape Add',
    tolerance: 1e-6,
  },
  broadcasts: {
    shapes: [
      [2, 3],
      [1, 3],
    ],
    applies: (x, row) => tf.mul(x, tf.broadcastTo(row, [2, 3])),
    with: 'Mul',
    without: 'Expand Mul',
    leaves: (_, row) => tf.mul(tf.broadcastTo(row, [2, 3]), tf.broadcastTo(row, [2, 3])),
    as: 'Expand Expand Mul',
  },
  repeats: {
    shapes: [[2, 3, 1, 4, 1]],
    applies: (x) => tf.tile(x, [1, 1, 2, 1, 2]),
    with: 'Reshape Resize Reshape',
    without: 'Expand',
    leaves: (x) => tf.tile(x, [1, 1, 2, 1, 1]),
    as: 'Expand',
  },
  slices: {
    shapes: [[2, 3]],
    applies: (x) => tf.slice(tf.pad(x, [[1, 0], [1, 2]]), [1, 2], [2, 1]), // biome-ignore format: pairs
    with: 'Slice',
    without: 'Pad Slice',
    leaves: (x) => tf.slice(tf.pad(x, [[1, 0], [1, 2]]), [0, 2], [2, 1]), // biome-ignore format: pairs
    as: 'Pad Slice',
  },
  pads: {
    shapes: [[2, 3]],
    applies: (x) => tf.pad(tf.pad(x, [[1, 0], [1, 2]]), [[0, 2], [1, 0]]), // biome-ignore format: pairs
    with: 'Pad',
    without: 'Pad Pad',
    leaves: (x) => tf.pad(tf.pad(x, [[1, 0], [1, 2]], 5), [[0, 2], [1, 0]]), // biome-ignore format: pairs
    as: 'Pad Pad',
  },
  'convolution-pads': {
    shapes: [
      [1, 2, 4, 4],
      [3, 3, 2, 3],
    ],
    applies: (x, filter) => convolve(tf.pad(x, [[0, 0], [0, 0], [1, 2], [2, 1]]), filter), // biome-ignore format: pairs
    with: 'Transpose Conv',
    without: 'Pad Transpose Conv',
    leaves: (x, filter) => convolve(tf.pad(x, [[0, 0], [0, 0], [1, 2], [2, 1]], 1), filter), // biome-ignore format: pairs
    as: 'Pad Transpose Conv',
    tolerance: 1e-6,
  },
  gemm: {
    shapes: [
      [3, 2],
      [3, 4],
    ],
    applies: (a, b) => tf.matMul(a, b, true, false),
    with: 'Gemm',
    without: 'FusedMatMul',
    leaves: (a, b) => tf.matMul(tf.exp(tf.transpose(a)), b),
    as: 'Transpose Exp MatMul',
    tolerance: 1e-6,
  },
  'batched-gemm': {
    shapes: [
      [2, 3, 2],
      [2, 3, 4],
    ],
    applies: (a, b) => tf.matMul(a, b, true, false),
    with: 'FusedMatMul',
    without: 'Transpose MatMul',
    leaves: (a, b) => tf.matMul(a, b, true, false),
    as: 'Transpose MatMul',
    lacking: 'fusedMatMul',
    tolerance: 1e-6,
  },
  gelu: {
    shapes: [[2, 5]],
    applies: (x) => gelu(x),
    with: 'Gelu',
    without: 'Mul Erf Mul Add Mul',
    leaves: (x) => gelu(x),
    as: 'Mul Erf Mul Add Mul',
    lacking: 'gelu',
    tolerance: 1e-6,
  },
  'layer-norm': {
    shapes: [[2, 5]],
    applies: (x) => layerNorm(x),
    with: 'LayerNormalization',
    without: 'ReduceMean Sub Mul ReduceMean Add Sqrt Reciprocal Mul',
    leaves: (x) => layerNorm(x),
    as: 'ReduceMean Sub Mul ReduceMean Add Sqrt Reciprocal Mul',
    lacking: 'layerNormalizationStatistics',
    tolerance: 1e-6,
  },
  'rms-norm': {
    shapes: [[2, 5], [5]],
    applies: (x, scale) => rmsNorm(x, scale),
    with: 'SimplifiedLayerNormalization',
    without: 'Mul ReduceMean Add Sqrt Reciprocal Mul Mul',
    leaves: (x, scale) => rmsNorm(x, scale),
    as: 'Mul ReduceMean Add Sqrt Reciprocal Mul Mul',
    lacking: 'simplifiedLayerNormalization',
    tolerance: 1e-6,
  },
  rotary: {
    shapes: [
      [1, 3, 8],
      [3, 2],
      [3, 2],
    ],
    applies: (x, cos, sin) => rotary(x, cos, sin, { heads: 2 }),
    with: 'RotaryEmbedding',
    without: 'Reshape Reshape MatMul Reshape Reshape Concat Reshape Mul Reshape Concat Reshape Mul Add Reshape',
    leaves: (x, cos, sin) => rotary(x, cos, sin, { heads: 2 }),
    as: 'Reshape Reshape MatMul Reshape Reshape Concat Reshape Mul Reshape Concat Reshape Mul Add Reshape',
    lacking: 'rotaryEmbedding',
    tolerance: 1e-6,
  },
  attention: {
    shapes: [
      [2, 3, 8],
      [2, 5, 8],
      [2, 5, 8],
      [1, 1, 3, 5],
    ],
    applies: (q, k, v, bias) => attention(q, k, v, { heads: 2, bias }),
    with: 'MultiHeadAttention',
    without: composedAttention,
    leaves: (q, k, v, bias) => attention(q, k, v, { heads: 2, bias }),
    as: composedAttention,
    lacking: 'multiHeadAttention',
    tolerance: 1e-6,
  },
};

/** What is recorded, verified, and its values, with some rewrites. */
async function recorded(run: Run, shapes: number[][], named: string, lacking?: keyof Capabilities) {
  const executor = createCpuExecutor({ threads: 1 });
  const capabilities = lacking ? { ...executor.capabilities, [lacking]: false } : executor.capabilities;
  const backend = await useLazyBackend({ ...executor, capabilities }, { MOTIF_REWRITES: named });
  const nodes: Node[] = [];
  backend.computation.inspect = (graph, wanted) => {
    verifyGraph(graph, wanted);
    nodes.push(...graph);
  };
  const inputs = shapes.map((shape, index) => tf.tensor(randomValues(tf.util.sizeFromShape(shape), index + 1), shape));
  const outputs = [tf.tidy(() => run(...inputs))].flat();
  const values: Float32Array[] = [];
  for (const output of outputs) values.push(Float32Array.from(await output.data()));
  return { operations: nodes.map(({ op }) => op).join(' '), shapes: outputs.map(({ shape }) => shape), values };
}

afterAll(async () => {
  await selectBackend({ device: 'onnxruntime' });
});

describe.each(names)('the rewrite %s', (name) => {
  const { shapes, applies, leaves, lacking, tolerance, ...expected } = cases[name];

  it('changes what is recorded where its pattern is, and no value', async () => {
    const changed = await recorded(applies, shapes, 'all');
    const plain = await recorded(applies, shapes, `-${name}`);
    expect({ with: changed.operations, without: plain.operations }).toEqual({
      with: expected.with,
      without: expected.without,
    });
    expect(changed.shapes).toEqual(plain.shapes);
    if (tolerance === undefined) expect(changed.values).toEqual(plain.values);
    else expect(relativeError(changed.values[0]!, plain.values[0]!)).toBeLessThan(tolerance);
  });

  it('leaves alone what only looks like it', async () => {
    const { operations, values } = await recorded(leaves, shapes, 'all', lacking);
    const plain = await recorded(leaves, shapes, `-${name}`, lacking);
    expect(operations).toBe(expected.as);
    expect(plain.operations).toBe(expected.as);
    expect(values).toEqual(plain.values);
  });
});

/**
 * A convolution with padding and bias, a block of a transformer with low-rank products, and all their
 * gradients.
 */
const network: Run = (...inputs) => {
  const loss = (x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, weight: tf.Tensor, angles: tf.Tensor) => {
    const padded = tf.pad(x, [[0, 0], [0, 0], [0, 0], [1, 1], [1, 1]]); // biome-ignore format: pairs
    const video = convolve3d({ weight: kernel as tf.Tensor5D, bias: bias as tf.Tensor1D }, padded); // [1, 4, 2, 3, 3]
    const tokens = tf.reshape(tf.transpose(video, [0, 2, 3, 4, 1]), [1, 18, 4]);
    const normal = rmsNorm(layerNorm(tokens));
    const turned = rotary(normal, tf.cos(angles), tf.sin(angles), { heads: 2 });
    const mixed = gelu(tf.matMul(attention(turned, turned, normal, { heads: 2 }), tf.expandDims(weight, 0)));
    return tf.mean(tf.square(tf.sub(mixed, tf.broadcastTo(tf.mean(tokens, 2, true), [1, 18, 4]))));
  };
  return [
    loss(...(inputs as Parameters<typeof loss>)),
    ...tf.grads(loss as (...values: tf.Tensor[]) => tf.Tensor)(inputs),
  ];
};
const networkShapes = [[1, 2, 2, 3, 3], [4, 2, 1, 3, 3], [4], [4, 4], [18, 1]]; // biome-ignore format: shapes

describe('rewrites together', () => {
  it.each(['none', ...names, ...names.map((name) => `-${name}`)])(
    'with %s a network has the same value and gradients',
    async (named) => {
      const expected = await recorded(network, networkShapes, 'all');
      const found = await recorded(network, networkShapes, named);
      expect(found.shapes).toEqual(expected.shapes);
      for (const [index, values] of expected.values.entries())
        expect(relativeError(found.values[index]!, values), `output ${index}`).toBeLessThan(1e-5);
    },
  );

  it('are chosen by name, and a wrong name is refused with the list of names', async () => {
    const chosen = (text?: string) =>
      rewritesNamed(text).map((rewrite) => names.find((name) => rewrites[name] === rewrite));
    expect(chosen()).toEqual(names);
    expect(chosen('all')).toEqual(names);
    expect(chosen('none')).toEqual([]);
    expect(chosen('pads, bias')).toEqual(['bias', 'pads']);
    expect(chosen('-bias,-pads')).toEqual(names.filter((name) => name !== 'bias' && name !== 'pads'));
    expect(() => rewritesNamed('-bias,paddings')).toThrow('"paddings"');
    process.env.MOTIF_REWRITES = 'toString';
    await expect(selectBackend()).rejects.toMatchObject({ hint: expect.stringContaining(names.join(', ')) });
    delete process.env.MOTIF_REWRITES;
  });

  it('show in the file that graphs are written to, each structure once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'motif-graphs-'));
    const file = join(folder, 'graphs.txt');
    await useLazyBackend(createCpuExecutor({ threads: 1 }), { MOTIF_DUMP_GRAPH: file });
    const x = tf.ones([2, 3]);
    for (let round = 0; round < 2; round++) await tf.tidy(() => tf.slice(tf.pad(x, [[1, 0], [0, 0]]), [1, 1], [2, 2])).data(); // biome-ignore format: pairs
    const text = readFileSync(file, 'utf8');
    rmSync(folder, { recursive: true });
    expect(text.trim().split('\n')).toEqual([
      '%0 float32[2,3] = held',
      '%1 float32[2,2] = Slice(%0, [1], [3], [1])',
      'result %1',
    ]);
  });
});

describe('the verifier', () => {
  const executor = createCpuExecutor({ threads: 1 });
  const input = (...shape: number[]): Value => ({ shape, type: 'float32', placeholder: 0, references: 0, tensors: 0 });
  const faults: [string, string, (record: Recorder, x: Value) => [Value[], Value]][] = [
    ['a shape that does not follow', 'makes float32[2,3], and says float32[3]', (record, x) => {
      const y = record.op('Exp', [x], [3], 'float32');
      return [[y], y];
    }],
    ['a type that does not follow', 'makes bool[2,3], and says float32[2,3]', (record, x) => {
      const y = record.elementwise('Less', [x, x]);
      return [[y], y];
    }],
    ['shapes that do not fit', 'do not broadcast', (record, x) => {
      const y = record.op('Add', [x, input(2)], [2, 3], 'float32');
      return [[y], y];
    }],
    ['an operation without a rule', 'no rule', (record, x) => {
      const y = record.op('Unheard', [x], [2, 3], 'float32');
      return [[y], y];
    }],
    ['a value without a source', '0 sources', (record, x) => {
      const y = record.elementwise('Exp', [{ ...x, placeholder: undefined }]);
      return [[y], y];
    }],
    ['a node that nothing needs', 'nothing needs it', (record, x) => {
      const [y, z] = [record.elementwise('Exp', [x]), record.elementwise('Sin', [x])];
      return [[y, z], z];
    }],
    ['a circle', 'does not come before it', (record, x) => {
      const y = record.elementwise('Exp', [x]);
      const z = record.elementwise('Sin', [y]);
      (y.node!.inputs as Value[])[0] = z;
      return [[y, z], z];
    }],
    ['a result that is not computed', 'computed by no node', (record, x) => [[], record.elementwise('Exp', [x])]],
  ]; // biome-ignore format: a row each
  it.each(faults)('refuses %s', (_, message, build) => {
    const record = new Recorder(new Graph(() => {}), executor.capabilities, []);
    const [values, wanted] = build(record, input(2, 3));
    expect(() =>
      verifyGraph(
        values.map(({ node }) => node!),
        [wanted],
      ),
    ).toThrow(message);
  });
});
