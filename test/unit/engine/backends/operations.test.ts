import { beforeAll, describe, expect, test } from 'vitest';
import { attention, gelu, layerNorm, rmsNorm, rotary } from '../../../../main/engine/backends/fused.ts';
import { lowRankLinear } from '../../../../main/engine/backends/low-rank-linear.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { expectAgreement, testDevices, useDevice } from './compare.ts';
import type { Case } from './outcomes.ts';

type Unary = (x: tf.Tensor) => tf.Tensor;
const unary = (name: string, run: Unary, rest: Partial<Case> = {}): Case => ({ name, shapes: [[3, 5]], run, ...rest });
const positive: [number, number] = [0.2, 3];

const elementwise: Case[] = [
  unary('abs', tf.abs),
  unary('acos', tf.acos, { range: [-0.9, 0.9] }),
  unary('acosh', tf.acosh, { range: [1.2, 3] }),
  unary('asin', tf.asin, { range: [-0.9, 0.9] }),
  unary('asinh', tf.asinh),
  unary('atan', tf.atan),
  unary('atanh', tf.atanh, { range: [-0.9, 0.9] }),
  unary('ceil', tf.ceil),
  unary('clip', (x) => tf.clipByValue(x, -0.5, 1)),
  unary('cos', tf.cos),
  unary('cosh', tf.cosh),
  unary('elu', tf.elu),
  unary('erf', tf.erf, { tolerance: 1e-5 }),
  unary('exp', tf.exp),
  unary('expm1', tf.expm1),
  unary('floor', tf.floor),
  unary('leaky relu', (x) => tf.leakyRelu(x, 0.1)),
  unary('log', tf.log, { range: positive }),
  unary('log1p', tf.log1p, { range: positive }),
  unary('log sigmoid', tf.logSigmoid),
  unary('negative', tf.neg),
  unary('reciprocal', tf.reciprocal, { range: positive }),
  unary('relu', tf.relu),
  unary('relu6', tf.relu6, { range: [-2, 9] }),
  unary('round', tf.round),
  unary('rsqrt', tf.rsqrt, { range: positive }),
  unary('sigmoid', tf.sigmoid),
  unary('sign', tf.sign),
  unary('silu', (x) => tf.mul(x, tf.sigmoid(x))),
  unary('sin', tf.sin),
  unary('sinh', tf.sinh),
  unary('softplus', tf.softplus),
  unary('sqrt', tf.sqrt, { range: positive }),
  unary('square', tf.square),
  unary('step', tf.step),
  unary('tan', tf.tan, { range: [-1, 1] }),
  unary('tanh', tf.tanh),
  unary('whole-number negation', (x) => tf.neg(tf.cast(tf.mul(x, 3), 'int32')), { gradient: false }),
  unary('is not a number', (x) => tf.isNaN(tf.log(x)), { except: ['webgpu'], gradient: false }),
  unary('is infinite', (x) => tf.isInf(tf.log(tf.relu(x))), { except: ['webgpu'], gradient: false }),
  unary('is finite', (x) => tf.isFinite(tf.log(tf.relu(x))), { except: ['webgpu'], gradient: false }),
];

const broadcast = [
  [3, 1, 5],
  [4, 1],
];
const pair = (name: string, run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, rest: Partial<Case> = {}): Case => ({
  name,
  shapes: broadcast,
  run: run as Case['run'],
  ...rest,
});
const whole = (x: tf.Tensor) => tf.cast(tf.mul(x, 4), 'int32');

const pairs: Case[] = [
  pair('add', tf.add),
  pair('subtract', tf.sub),
  pair('multiply', tf.mul),
  pair('divide', tf.div, { range: positive }),
  pair('power', tf.pow, { range: positive }),
  unary('power by a number', (x) => tf.pow(x, 3)),
  pair('maximum', tf.maximum),
  pair('minimum', tf.minimum),
  pair('squared difference', tf.squaredDifference),
  pair('remainder', tf.mod, { range: positive, gradient: false }),
  pair('quotient rounded down', (a, b) => tf.floorDiv(whole(a), tf.add(tf.abs(whole(b)), tf.scalar(1, 'int32'))), {
    gradient: false,
  }),
  pair('whole-number arithmetic', (a, b) => tf.mul(tf.add(whole(a), whole(b)), tf.sub(whole(a), whole(b))), {
    gradient: false,
  }),
  pair('equal', (a, b) => tf.equal(whole(a), whole(b)), { gradient: false }),
  pair('not equal', (a, b) => tf.notEqual(whole(a), whole(b)), { gradient: false }),
  pair('greater', tf.greater, { gradient: false }),
  pair('greater or equal', tf.greaterEqual, { gradient: false }),
  pair('less', tf.less, { gradient: false }),
  pair('less or equal', tf.lessEqual, { gradient: false }),
  pair(
    'logic',
    (a, b) => tf.logicalXor(tf.greater(a, 0), tf.logicalNot(tf.logicalOr(tf.less(b, 0), tf.greater(b, 1)))),
    {
      gradient: false,
    },
  ),
  pair('select', (a, b) => tf.where(tf.greater(tf.tile(tf.reshape(tf.range(0, 4), [4, 1]), [1, 5]), 1), a, b)),
  unary('sum of several', (x) => tf.addN([x, x, tf.square(x)])),
];

const reductions: Case[] = [
  unary('sum of all', (x) => tf.sum(x)),
  { name: 'sum over axes', shapes: [[3, 4, 5]], run: (x) => tf.sum(x!, [0, 2]) },
  { name: 'sum keeping axes', shapes: [[3, 4, 5]], run: (x) => tf.sum(x!, [1], true) },
  { name: 'mean', shapes: [[3, 4, 5]], run: (x) => tf.mean(x!, [-1], true) },
  { name: 'mean over axes', shapes: [[3, 4, 5]], run: (x) => tf.mean(x!, [0, 1]) },
  { name: 'variance', shapes: [[3, 4, 5]], run: (x) => tf.moments(x!, [1]).variance },
  { name: 'maximum over an axis', shapes: [[3, 4, 5]], run: (x) => tf.max(x!, 1) },
  { name: 'minimum over an axis', shapes: [[3, 4, 5]], run: (x) => tf.min(x!, [0, 1]) },
  { name: 'product', shapes: [[3, 4]], run: (x) => tf.prod(x!, 1), gradient: false },
  {
    name: 'any and all',
    shapes: [[3, 4]],
    run: (x) => [tf.any(tf.greater(x!, 0), 1), tf.all(tf.less(x!, 1), 0)],
    gradient: false,
  },
  {
    name: 'position of the largest',
    shapes: [[3, 4, 5]],
    run: (x) => [tf.argMax(x!, 1), tf.argMin(x!, 2)],
    gradient: false,
  },
  { name: 'softmax', shapes: [[3, 4, 5]], run: (x) => tf.softmax(x!) },
  { name: 'log softmax', shapes: [[3, 5]], run: (x) => tf.logSoftmax(x!) },
  { name: 'log of summed exponentials', shapes: [[3, 5]], run: (x) => tf.logSumExp(x!, 1) },
  { name: 'running sum', shapes: [[3, 5]], run: (x) => [tf.cumsum(x!, 1), tf.cumsum(x!, 0, true, true)] },
  { name: 'norm', shapes: [[3, 5]], run: (x) => tf.norm(x!) },
  {
    name: 'largest few',
    shapes: [[3, 5]],
    run: (x) => {
      const { values, indices } = tf.topk(x!, 2);
      return [values, indices];
    },
    gradient: false,
  },
];

const shapes: Case[] = [
  { name: 'reshape', shapes: [[3, 4]], run: (x) => tf.mul(tf.reshape(x!, [2, -1]), 2) },
  { name: 'transpose', shapes: [[3, 4, 5]], run: (x) => tf.square(tf.transpose(x!, [2, 0, 1])) },
  {
    name: 'transposes in a row',
    shapes: [[3, 4, 5]],
    run: (x) => tf.transpose(tf.transpose(x!, [2, 0, 1]), [1, 2, 0]),
  },
  { name: 'transpose of a matrix', shapes: [[3, 4]], run: (x) => tf.transpose(x!) },
  { name: 'slice', shapes: [[3, 4, 5]], run: (x) => tf.slice(x!, [1, 0, 2], [2, -1, 3]) },
  { name: 'strided slice', shapes: [[7, 5]], run: (x) => tf.stridedSlice(x!, [6, 0], [0, 5], [-2, 3]) },
  {
    name: 'strided slice with masks',
    shapes: [[7, 5]],
    run: (x) => tf.stridedSlice(x!, [1, 1], [6, 2], [1, 1], 0, 0, 0, 0, 2),
  },
  {
    name: 'concatenation',
    shapes: [
      [3, 4],
      [3, 1],
      [3, 2],
    ],
    run: (...parts) => tf.concat(parts, 1),
  },
  {
    name: 'split',
    shapes: [[3, 6]],
    run: (x) => tf.split(tf.square(x!), [1, 2, 3], 1).map((part, index) => tf.mul(part, index + 1)),
  },
  {
    name: 'stack and unstack',
    shapes: [
      [3, 4],
      [3, 4],
    ],
    run: (a, b) => tf.unstack(tf.stack([a!, b!, tf.square(a!)], 1), 2),
  },
  {
    name: 'constant padding',
    shapes: [[3, 4, 2]],
    run: (x) =>
      tf.pad(
        x!,
        [
          [1, 0],
          [0, 2],
          [0, 0],
        ],
        0.5,
      ),
  },
  {
    name: 'mirrored padding',
    shapes: [[4, 5]],
    run: (x) =>
      tf.mirrorPad(
        x!,
        [
          [2, 1],
          [0, 3],
        ],
        'reflect',
      ),
    gradient: false,
  },
  {
    name: 'symmetric padding',
    shapes: [[4, 5]],
    run: (x) =>
      tf.mirrorPad(
        x!,
        [
          [2, 4],
          [5, 1],
        ],
        'symmetric',
      ),
    gradient: false,
  },
  { name: 'tile', shapes: [[3, 2]], run: (x) => tf.tile(x!, [2, 3]) },
  { name: 'broadcast', shapes: [[3, 1]], run: (x) => tf.mul(tf.broadcastTo(x!, [2, 3, 4]), tf.range(0, 4)) },
  { name: 'reverse', shapes: [[3, 4, 2]], run: (x) => tf.reverse(x!, [0, 1]) },
  { name: 'expand and squeeze', shapes: [[3, 1, 4]], run: (x) => tf.mul(tf.squeeze(tf.expandDims(x!, 0), [2]), 3) },
  {
    name: 'depth to space',
    shapes: [[2, 3, 2, 12]],
    run: (x) => tf.depthToSpace(x as tf.Tensor4D, 2, 'NHWC'),
    gradient: false,
  },
  {
    name: 'space to batch and back',
    shapes: [[1, 4, 6, 2]],
    run: (x) => {
      const batched = tf.spaceToBatchND(
        x!,
        [2, 3],
        [
          [0, 0],
          [3, 0],
        ],
      );
      return [
        batched,
        tf.batchToSpaceND(
          batched,
          [2, 3],
          [
            [1, 0],
            [0, 1],
          ],
        ),
      ];
    },
  },
  {
    name: 'cast',
    shapes: [[3, 4]],
    run: (x) => [tf.cast(tf.mul(x!, 3), 'int32'), tf.cast(x!, 'bool'), tf.cast(tf.greater(x!, 0), 'float32')],
    gradient: false,
  },
  {
    name: 'constants',
    shapes: [[3, 4]],
    run: (x) => [
      tf.fill([2, 3], 7),
      tf.zerosLike(x!),
      tf.onesLike(x!),
      tf.range(1, 9, 3),
      tf.linspace(0, 1, 5),
      tf.zeros([3]),
      tf.ones([2, 2]),
    ],
    gradient: false,
  },
];

const indices = () => tf.tensor1d([2, 0, 2, 3], 'int32');
const indexing: Case[] = [
  { name: 'gather of rows', shapes: [[5, 3]], run: (x) => tf.gather(x!, indices()) },
  {
    name: 'gather on an inner axis',
    shapes: [[3, 5, 2]],
    run: (x) =>
      tf.gather(
        x!,
        tf.tensor2d(
          [
            [1, 4],
            [0, 1],
          ],
          [2, 2],
          'int32',
        ),
        1,
      ),
  },
  {
    name: 'batched gather',
    shapes: [[2, 5, 3]],
    run: (x) =>
      tf.gather(
        x!,
        tf.tensor2d(
          [
            [1, 4],
            [0, 1],
          ],
          [2, 2],
          'int32',
        ),
        1,
        1,
      ),
    gradient: false,
  },
  {
    name: 'gather by coordinates',
    shapes: [[3, 4, 2]],
    run: (x) =>
      tf.gatherND(
        x!,
        tf.tensor2d(
          [
            [0, 1],
            [2, 3],
          ],
          [2, 2],
          'int32',
        ),
      ),
    gradient: false,
  },
  {
    name: 'scatter by coordinates',
    shapes: [[2, 3]],
    run: (x) => tf.scatterND(tf.tensor2d([[1], [4]], [2, 1], 'int32'), x!, [6, 3]),
    gradient: false,
  },
  {
    name: 'one-hot',
    shapes: [],
    run: () => [tf.oneHot(indices(), 5), tf.oneHot(indices(), 4, 2, -1)],
    gradient: false,
  },
  {
    name: 'sums by segment',
    shapes: [[4, 3]],
    run: (x) => tf.unsortedSegmentSum(x!, tf.tensor1d([2, 0, -1, 2], 'int32'), 4),
  },
  {
    name: 'einsum',
    shapes: [
      [2, 3, 4],
      [4, 5],
    ],
    run: (a, b) => tf.einsum('bik,kj->bij', a!, b!),
    gradient: false,
  },
];

const products: Case[] = [false, true].flatMap((left) =>
  [false, true].flatMap((right): Case[] => [
    {
      name: `matrix product, transposed ${left}, ${right}`,
      shapes: [left ? [4, 3] : [3, 4], right ? [5, 4] : [4, 5]],
      run: (a, b) => tf.matMul(a!, b!, left, right),
    },
    {
      name: `batched matrix product, transposed ${left}, ${right}`,
      shapes: [
        [2, 3, ...(left ? [4, 3] : [3, 4])],
        [2, 3, ...(right ? [5, 4] : [4, 5])],
      ],
      run: (a, b) => tf.matMul(a!, b!, left, right),
    },
  ]),
);

const conv2d = (stride: number, pad: 'same' | 'valid', size: [number, number] = [7, 6]): Case => ({
  name: `2D convolution, stride ${stride}, ${pad}, ${size}`,
  shapes: [
    [2, ...size, 3],
    [3, 3, 3, 4],
  ],
  run: (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, stride, pad),
});
const conv3d = (stride: number, pad: 'same' | 'valid'): Case => ({
  name: `3D convolution, stride ${stride}, ${pad}`,
  shapes: [
    [2, 4, 5, 6, 3],
    [3, 3, 2, 3, 4],
  ],
  run: (x, filter) => tf.conv3d(x as tf.Tensor5D, filter as tf.Tensor5D, stride, pad),
});
const images: Case[] = [
  {
    name: '2D convolution with a window of one pixel',
    shapes: [
      [1, 5, 6, 2],
      [1, 1, 2, 3],
    ],
    run: (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'valid'),
  },
  {
    name: 'padded 3D convolution with bias, channels first',
    shapes: [
      [1, 2, 3, 4, 5],
      [3, 3, 3, 2, 4],
      [4, 1, 1, 1],
    ],
    run: (x, filter, bias) => {
      const padded = tf.pad(
        tf.pad(x!, [
          [0, 0],
          [0, 0],
          [2, 0],
          [0, 0],
          [0, 0],
        ]),
        [
          [0, 0],
          [0, 0],
          [0, 0],
          [1, 1],
          [1, 1],
        ],
      );
      const out = tf.conv3d(tf.transpose(padded, [0, 2, 3, 4, 1]) as tf.Tensor5D, filter as tf.Tensor5D, 1, 'valid');
      return [
        tf.add(tf.transpose(out, [0, 4, 1, 2, 3]), bias!),
        tf.slice(padded, [0, 0, 3, 1, 1], [1, 2, 2, 4, 5]),
        tf.slice(padded, [0, 0, 1, 0, 1], [1, 2, 2, 4, 5]),
      ];
    },
  },
  { name: 'repeated pixels', shapes: [[2, 3, 1, 4, 1]], run: (x) => tf.square(tf.broadcastTo(x!, [2, 3, 2, 4, 3])) },
  conv2d(1, 'same'),
  conv2d(1, 'valid'),
  conv2d(2, 'same'),
  conv2d(2, 'valid'),
  conv2d(2, 'same', [8, 9]),
  conv2d(3, 'valid', [9, 11]),
  conv3d(1, 'same'),
  conv3d(1, 'valid'),
  conv3d(2, 'same'),
  conv3d(2, 'valid'),
  {
    name: '2D convolution with dilation',
    shapes: [
      [1, 8, 7, 2],
      [3, 3, 2, 3],
    ],
    run: (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same', 'NHWC', 2),
    gradient: false,
  },
  {
    name: '2D convolution with uneven padding',
    shapes: [
      [1, 5, 7, 2],
      [3, 2, 2, 3],
    ],
    run: (x, filter) =>
      tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, [
        [0, 0],
        [1, 2],
        [0, 1],
        [0, 0],
      ]),
    gradient: false,
  },
  {
    name: 'depthwise convolution',
    shapes: [
      [2, 6, 5, 3],
      [3, 3, 3, 2],
    ],
    run: (x, filter) => tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 2, 'same'),
    gradient: false,
  },
  {
    name: 'average pooling',
    shapes: [[2, 7, 6, 3]],
    run: (x) => tf.avgPool(x as tf.Tensor4D, 3, 2, 'same'),
    gradient: 'adjoint',
  },
  {
    name: 'average pooling in 3D',
    shapes: [[1, 4, 6, 6, 2]],
    run: (x) => tf.avgPool3d(x as tf.Tensor5D, 2, 2, 'valid'),
  },
  {
    name: 'largest-value pooling',
    shapes: [[2, 7, 6, 3]],
    run: (x) => tf.maxPool(x as tf.Tensor4D, 2, 2, 'same'),
    gradient: false,
  },
  ...[
    [6, 9],
    [5, 4],
  ].flatMap((size) =>
    [
      [false, false],
      [true, false],
      [false, true],
    ].flatMap(([corners, half]): Case[] => [
      {
        name: `nearest resize to ${size}, ${corners}, ${half}`,
        shapes: [[2, 3, 3, 2]],
        run: (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, size as [number, number], corners, half),
        gradient: half ? false : 'adjoint',
      },
      {
        name: `bilinear resize to ${size}, ${corners}, ${half}`,
        shapes: [[2, 3, 3, 2]],
        run: (x) => tf.image.resizeBilinear(x as tf.Tensor4D, size as [number, number], corners, half),
        gradient: !half,
      },
    ]),
  ),
];

const angles = (tokens: number, half: number) => {
  const angle = tf.mul(tf.reshape(tf.range(0, tokens), [tokens, 1]), tf.reshape(tf.range(1, half + 1), [1, half]));
  return [tf.cos(angle), tf.sin(angle)] as const;
};
const fused: Case[] = [
  {
    name: 'linear layer with a low-rank change',
    shapes: [
      [2, 3, 5],
      [5, 2],
      [2, 4],
    ],
    run: (x, down, up) =>
      lowRankLinear(
        x!,
        tf.reshape(tf.range(0, 20), [5, 4]) as tf.Tensor2D,
        tf.range(0, 4),
        down as tf.Tensor2D,
        up as tf.Tensor2D,
      ),
  },
  {
    name: 'linear layer with a low-rank change over so many rows that the order is told',
    shapes: [
      [2048, 5],
      [5, 2],
      [2, 4],
    ],
    run: (x, down, up) => {
      const weight = tf.reshape(tf.range(0, 20), [5, 4]) as tf.Tensor2D;
      return lowRankLinear(x!, weight, undefined, down as tf.Tensor2D, up as tf.Tensor2D);
    },
  },

  { name: 'GELU', shapes: [[3, 7]], run: (x) => gelu(x!), range: [-4, 4] },
  { name: 'GELU by tanh', shapes: [[3, 7]], run: (x) => gelu(x!, 'tanh'), range: [-4, 4] },
  { name: 'layer norm', shapes: [[2, 3, 7]], run: (x) => layerNorm(x!) },
  {
    name: 'layer norm with scale and bias',
    shapes: [[2, 3, 7], [7], [7]],
    run: (x, scale, bias) => layerNorm(x!, scale, bias, 1e-5),
  },
  { name: 'root-mean-square norm', shapes: [[2, 3, 7]], run: (x) => rmsNorm(x!) },
  { name: 'root-mean-square norm with scale', shapes: [[2, 3, 7], [7]], run: (x, scale) => rmsNorm(x!, scale, 1e-5) },
  { name: 'rotary embedding', shapes: [[2, 5, 18]], run: (x) => rotary(x!, ...angles(5, 3), { heads: 3 }) },
  {
    name: 'attention',
    shapes: [
      [2, 5, 12],
      [2, 7, 12],
      [2, 7, 12],
    ],
    run: (q, k, v) => attention(q!, k!, v!, { heads: 3 }),
  },
  {
    name: 'attention of one head with itself',
    shapes: [[2, 5, 6]],
    run: (x) => attention(x!, x!, x!, { heads: 1, scale: 1 }),
  },
  {
    name: 'attention with a bias for all',
    shapes: [
      [2, 5, 12],
      [2, 7, 12],
      [2, 7, 12],
    ],
    run: (q, k, v) => attention(q!, k!, v!, { heads: 3, bias: tf.reshape(tf.range(0, 105), [1, 3, 5, 7]), scale: 0.3 }),
  },
  {
    name: 'attention with a mask for each row',
    shapes: [
      [2, 5, 12],
      [2, 7, 12],
      [2, 7, 12],
    ],
    run: (q, k, v) =>
      attention(q!, k!, v!, {
        heads: 3,
        bias: tf.mul(tf.cast(tf.less(tf.reshape(tf.range(0, 14), [2, 1, 1, 7]), 4), 'float32'), -1e4),
      }),
  },
];

/** Kernels of the lazy backend that the cases below have run. */
const run = new Set<string>();

function noteKernels(): void {
  for (const kernel of tf.getKernelsForBackend('lazy')) {
    const { kernelFunc } = kernel;
    kernel.kernelFunc = (given) => {
      run.add(kernel.kernelName);
      return kernelFunc(given);
    };
  }
}

for (const device of await testDevices())
  describe(`operations on ${device} agree with plain TensorFlow.js`, () => {
    if (device === 'onnxruntime') {
      beforeAll(async () => {
        await useDevice(device);
        noteKernels();
      });
    }
    for (const [family, cases] of Object.entries({
      elementwise,
      pairs,
      reductions,
      shapes,
      indexing,
      products,
      images,
      fused,
    }))
      describe(family, () => {
        for (const item of cases)
          test.skipIf(item.except?.includes(device))(item.name, () => expectAgreement(item, device));
      });
  });

test('no kernel of the lazy backend is without a case', () => {
  const all = tf.getKernelsForBackend('lazy').map(({ kernelName }) => kernelName);
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter((name) => !run.has(name))).toEqual([]);
});
