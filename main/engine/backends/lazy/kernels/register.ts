import * as tf from '../../tf.ts';
import type { LazyBackend } from '../backend.ts';
import { convolutionKernels } from './convolution.ts';
import { creationKernels } from './creation.ts';
import { elementwiseKernels } from './elementwise.ts';
import { fusedOperationKernels } from './fused.ts';
import { imageKernels } from './image.ts';
import { indexingKernels } from './indexing.ts';
import type { Kernels } from './kernel.ts';
import { matMulKernels } from './matmul.ts';
import { reductionKernels } from './reduction.ts';
import { shapeKernels } from './shape.ts';

const families: Kernels[] = [
  elementwiseKernels,
  reductionKernels,
  shapeKernels,
  creationKernels,
  indexingKernels,
  matMulKernels,
  convolutionKernels,
  imageKernels,
  fusedOperationKernels,
];

interface Call {
  inputs: tf.NamedTensorInfoMap;
  attrs?: tf.NamedAttrMap;
  backend: unknown;
}

/** Registers every kernel under a backend's name. */
export function registerKernels(backendName: string): void {
  const register = (kernelName: string, run: (backend: LazyBackend, call: Call) => tf.TensorInfo | tf.TensorInfo[]) =>
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: (call) => run(call.backend as LazyBackend, call as Call),
    });

  for (const [name, kernel] of families.flatMap(Object.entries))
    register(name, (backend, { inputs, attrs }) =>
      backend.record(kernel, inputs as Record<string, tf.TensorInfo>, attrs ?? {}),
    );

  // Those that only look at the same values in another way.
  register('Identity', (backend, { inputs: { x } }) => backend.alias(x!, x!.shape, x!.dtype));
  register('Reshape', (backend, { inputs: { x }, attrs }) => {
    const size = tf.util.sizeFromShape(x!.shape);
    const shape = tf.util.inferFromImplicitShape(attrs!.shape as number[], size);
    tf.util.assert(
      tf.util.sizeFromShape(shape) === size,
      () => `cannot reshape [${x!.shape}] (${size} values) to [${shape}]`,
    );
    return backend.alias(x!, shape, x!.dtype);
  });
  register('ExpandDims', (backend, { inputs: { input }, attrs }) => {
    const axis = attrs!.dim as number;
    const rank = input!.shape.length;
    return backend.alias(input!, input!.shape.toSpliced(axis < 0 ? axis + rank + 1 : axis, 0, 1), input!.dtype);
  });
  register('Cast', (backend, { inputs: { x }, attrs }) => {
    const dtype = attrs!.dtype as tf.DataType;
    if (dtype === x!.dtype) return backend.alias(x!, x!.shape, dtype);
    return backend.record((record, { x: value }) => record.cast(value!, dtype as 'float32'), { x: x! }, {});
  });
}
