import { fusedKernels } from '../../fused-names.ts';
import type { Value } from '../graph.ts';
import type { Recorder } from '../recorder.ts';
import type { Kernel, Kernels } from './kernel.ts';

/** Gaussian error linear unit. */
const gelu: Kernel = (record, { x }, { approximate }) =>
  record.mul(x!, approximate === 'tanh' ? tanhGate(record, x!) : exactGate(record, x!));

/** Phi(x) */
function exactGate(record: Recorder, x: Value): Value {
  const erf = record.elementwise('Erf', [record.mul(x, record.scalar(Math.SQRT1_2))]);
  return record.add(record.mul(erf, record.scalar(0.5)), record.scalar(0.5));
}

const slope = 2 * Math.sqrt(2 / Math.PI);
const cubic = slope * 0.044715;

/** sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3) */
function tanhGate(record: Recorder, x: Value): Value {
  const square = record.mul(x, x);
  const bent = record.add(record.mul(square, record.scalar(cubic)), record.scalar(slope));
  return record.elementwise('Sigmoid', [record.mul(x, bent)]);
}

/** d gelu(x) / dx * dy */
const geluGradient: Kernel = (record, { x, dy }, { approximate }) => {
  const square = record.mul(x!, x!);
  if (approximate === 'tanh') {
    // s = sigmoid(t), t = slope x + cubic x^3: (x s)' = s + x s (1 - s) t' = s (1 + (1 - s) (t + 2 cubic
    // x^3))
    const bend = record.mul(square, record.scalar(cubic));
    const t = record.mul(x!, record.add(bend, record.scalar(slope)));
    const s = record.elementwise('Sigmoid', [t]);
    const xSlope = record.mul(x!, record.add(record.mul(bend, record.scalar(3)), record.scalar(slope))); // x t'
    const inner = record.mul(record.sub(record.scalar(1), s), xSlope);
    return record.mul(dy!, record.mul(s, record.add(inner, record.scalar(1))));
  }
  const density = record.elementwise('Exp', [record.mul(square, record.scalar(-0.5))]);
  const scaled = record.mul(record.mul(density, record.scalar(1 / Math.sqrt(2 * Math.PI))), x!);
  return record.mul(dy!, record.add(exactGate(record, x!), scaled));
};

/** Mean 0 and variance 1 over the last axis: -> [normal, inverse deviation [..., 1]] */
const layerNorm: Kernel = (record, { x }, { epsilon }) => {
  const last = x!.shape.length - 1;
  const centred = record.sub(x!, record.reduce('ReduceMean', x!, [last], true));
  const inverse = inverseRoot(record, centred, epsilon);
  return [record.mul(centred, inverse), inverse];
};

/** 1 / sqrt(mean of squares over the last axis + epsilon): [..., size] -> [..., 1] */
function inverseRoot(record: Recorder, x: Value, epsilon: number): Value {
  const last = x.shape.length - 1;
  const variance = record.reduce('ReduceMean', record.mul(x, x), [last], true);
  return record.elementwise('Reciprocal', [record.elementwise('Sqrt', [record.add(variance, record.scalar(epsilon))])]);
}

/** dx = inverse (dy - mean(dy) - normal mean(dy normal)) */
const layerNormGradient: Kernel = (record, { dy, normal, inverse }) => {
  const last = dy!.shape.length - 1;
  const mean = record.reduce('ReduceMean', dy!, [last], true);
  const along = record.reduce('ReduceMean', record.mul(dy!, normal!), [last], true);
  return record.mul(record.sub(record.sub(dy!, mean), record.mul(normal!, along)), inverse!);
};

/** -> [x inverse scale, inverse root mean square [..., 1]] */
const rmsNorm: Kernel = (record, { x, scale }, { epsilon }) => {
  const inverse = inverseRoot(record, x!, epsilon);
  return [record.mul(record.mul(x!, inverse), scale!), inverse];
};

/** With g = dy scale: dx = inverse g - x inverse^3 mean(g x), dscale = sum(dy x inverse) -> [dx, dscale] */
const rmsNormGradient: Kernel = (record, { dy, x, scale, inverse }) => {
  const last = dy!.shape.length - 1;
  const upstream = record.mul(dy!, scale!);
  const along = record.reduce('ReduceMean', record.mul(upstream, x!), [last], true);
  const cube = record.mul(record.mul(inverse!, inverse!), inverse!);
  const dx = record.sub(record.mul(upstream, inverse!), record.mul(x!, record.mul(cube, along)));
  return [dx, record.sumTo(record.mul(dy!, record.mul(x!, inverse!)), scale!.shape)];
};

/** x [batch, tokens, heads * size], cos and sin [tokens, size / 2]; `inverse` turns back. */
const rotary: Kernel = (record, { x, cos, sin }, { heads, inverse }) => {
  const [batch, tokens, width] = x!.shape as [number, number, number];
  const half = width / heads / 2;
  // x cos + (x with every pair (a, b) as (-b, a)) sin. The pairs are turned by a product with ones and zeros:
  // OpenVINO takes channels apart and joins them again one value at a time, ten times slower.
  const size = 2 * half;
  const sine = inverse ? record.elementwise('Neg', [sin!]) : sin!;
  const table = (values: Value) => {
    const column = record.reshape(values, [tokens, half, 1]);
    return record.reshape(record.concat([column, column], 2), [1, tokens, 1, size]);
  };
  const split = record.reshape(x!, [batch, tokens, heads, size]);
  const rows = record.reshape(x!, [batch * tokens * heads, size]);
  const turned = record.reshape(record.matMul(rows, quarterTurn(record, size)), split.shape);
  const sum = record.add(record.mul(split, table(cos!)), record.mul(turned, table(sine)));
  return record.reshape(sum, x!.shape);
};

/** [size, size]: a row of pairs (a, b) times this is that row with pairs (-b, a). */
function quarterTurn(record: Recorder, size: number): Value {
  const values = new Float32Array(size * size);
  for (let even = 0; even < size; even += 2) {
    values[(even + 1) * size + even] = -1;
    values[even * size + even + 1] = 1;
  }
  return record.literal(values, [size, size], 'float32');
}

/** x [batch, tokens, heads * size] -> [batch, heads, tokens, size] */
function splitHeads(record: Recorder, x: Value, heads: number): Value {
  const [batch, tokens, width] = x.shape as [number, number, number];
  return record.transpose(record.reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
}

/** x [batch, heads, tokens, size] -> [batch, tokens, heads * size] */
function joinHeads(record: Recorder, x: Value): Value {
  const [batch, heads, tokens, size] = x.shape as [number, number, number, number];
  return record.reshape(record.transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * size]);
}

/** softmax(q k^T scale + bias): q, k [batch, heads, tokens, size] -> [batch, heads, queries, keys] */
function attentionWeights(record: Recorder, q: Value, k: Value, bias: Value | undefined, scale: number): Value {
  const scores = record.matMul(q, k, false, true, scale);
  return record.elementwise('Softmax', [bias ? record.add(scores, bias) : scores], 'float32', { axis: -1 });
}

const attention: Kernel = (record, { q, k, v, bias }, { heads, scale }) => {
  const [queries, keys, values] = [q!, k!, v!].map((x) => splitHeads(record, x, heads)) as [Value, Value, Value];
  const chunks = queryChunks(queries, keys);
  const [rows, biases] = [queries, bias].map((x) => rowsOf(record, x, chunks)) as [Value[], (Value | undefined)[]];
  const parts = inTurn(record, chunks, (index, after) => [
    record.matMul(attentionWeights(record, after(rows[index]!), keys, biases[index], scale), values),
  ]);
  return joinHeads(record, record.concat(parts, 2));
};

/**
 * Above this many scores per head, 2,048 queries times as many keys, attention goes through the queries in
 * chunks of half as many.
 */
const scoreLimit = 2048 ** 2;

type Chunk = { start: number; count: number };

/** The queries in parts whose scores stay below the limit: memory then grows linearly with the tokens. */
function queryChunks(queries: Value, keys: Value): Chunk[] {
  const [total, others] = [queries.shape[2]!, keys.shape[2]!];
  const size = total * others <= scoreLimit ? total : Math.max(1, Math.floor(scoreLimit / 2 / others));
  return Array.from({ length: Math.ceil(total / size) }, (_, index) => ({
    start: index * size,
    count: Math.min(size, total - index * size),
  }));
}

/** x [.., .., queries or 1, ..] -> its rows of each chunk */
function rowsOf<T extends Value | undefined>(record: Recorder, x: T, chunks: readonly Chunk[]): T[] {
  return chunks.map(({ start, count }) =>
    !x || x.shape[2] === 1 ? x : (record.slice(x, [0, 0, start, 0], x.shape.with(2, count)) as T),
  );
}

/**
 * Chunk after chunk: an executor would otherwise begin with all of them before it ends one, which takes as
 * much memory as no chunks at all. `compute` hands on everything that a chunk results in, its part of the
 * whole first; what it starts from goes through `after`, which adds a zero that comes out of the results of
 * the chunk before.
 */
function inTurn(
  record: Recorder,
  chunks: readonly Chunk[],
  compute: (index: number, after: (x: Value) => Value) => readonly Value[],
): Value[] {
  let before: readonly Value[] | undefined;
  return chunks.map((_, index) => {
    const zero = before && zeroOf(record, before);
    before = compute(index, (x) => (zero ? record.add(x, zero) : x));
    return before[0]!;
  });
}

/** Zero, once all these finite values are known. */
function zeroOf(record: Recorder, values: readonly Value[]): Value {
  const ones = values.map((x) =>
    record.slice(
      x,
      x.shape.map(() => 0),
      x.shape.map(() => 1),
    ),
  );
  const sum = ones.reduce((total, one) => record.add(total, one));
  return record.elementwise('Min', [record.elementwise('Relu', [sum]), record.scalar(0)]);
}

/** The weights are computed again: keeping them would take memory quadratic in the tokens. -> [dq, dk, dv] */
const attentionGradient: Kernel = (record, { q, k, v, bias, output, dy }, { heads, scale }) => {
  const [queries, keys, values, upstream, mixed] = [q!, k!, v!, dy!, output!].map((x) =>
    splitHeads(record, x, heads),
  ) as [Value, Value, Value, Value, Value];
  // dScores = weights (dy values^T - drift); drift, the sum over keys of weights times dWeights, equals the
  // sum over channels of output times dy. One channel more in the product takes it off, instead of one pass
  // more over the scores.
  const drift = record.reduce('ReduceSum', record.mul(upstream, mixed), [3], true); // [batch, heads, queries, 1]
  const lowered = record.concat([upstream, drift], 3);
  const one = record.fill([...values.shape.slice(0, -1), 1], -1, 'float32');
  const raised = record.concat([values, one], 3);
  const chunks = queryChunks(queries, keys);
  const [rows, upstreams, lowereds] = [queries, upstream, lowered].map((x) => rowsOf(record, x, chunks)) as Value[][];
  const biases = rowsOf(record, bias, chunks);
  // Sums go on from chunk to chunk: the gradients of keys and values are held once, and not once for every
  // chunk.
  let [dKeys, dValues]: (Value | undefined)[] = [];
  const dQueries = inTurn(record, chunks, (index, after) => {
    const weights = attentionWeights(record, after(rows![index]!), keys, biases[index], scale); // [batch, heads, chunk, keys]
    const dScores = record.mul(weights, record.matMul(after(lowereds![index]!), raised, false, true));
    const ofValues = record.matMul(weights, upstreams![index]!, true, false);
    dValues = dValues ? record.add(dValues, ofValues) : ofValues;
    const ofKeys = record.matMul(dScores, rows![index]!, true, false, scale);
    dKeys = dKeys ? record.add(dKeys, ofKeys) : ofKeys;
    return [record.matMul(dScores, keys, false, false, scale), dKeys, dValues];
  });
  return [record.concat(dQueries, 2), dKeys!, dValues!].map((x) => joinHeads(record, x));
};

/** A kernel as one operation where a rewrite makes it one, else as it is composed here. */
const fusedOr = (name: string, composed: Kernel): Kernels => ({
  [name]: (record, inputs, attributes) =>
    record.fused(name, Object.values(inputs), attributes) ?? composed(record, inputs, attributes),
});

export const fusedOperationKernels: Kernels = {
  ...fusedOr(fusedKernels.gelu, gelu),
  ...fusedOr(fusedKernels.layerNorm, layerNorm),
  ...fusedOr(fusedKernels.rmsNorm, rmsNorm),
  ...fusedOr(fusedKernels.rotary, rotary),
  ...fusedOr(fusedKernels.attention, attention),
  ...fusedOr(fusedKernels.biasedAttention, attention),
  [fusedKernels.geluGradient]: geluGradient,
  [fusedKernels.layerNormGradient]: layerNormGradient,
  [fusedKernels.rmsNormGradient]: rmsNormGradient,
  [fusedKernels.attentionGradient]: attentionGradient,
};
