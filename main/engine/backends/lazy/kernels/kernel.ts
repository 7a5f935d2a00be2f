import type { Value } from '../graph.ts';
import type { Recorder } from '../recorder.ts';

/** How one TensorFlow.js kernel is recorded: values in, values out. Attributes are those that TensorFlow.js gives the kernel. */
// biome-ignore lint/suspicious/noExplicitAny: the attributes differ from kernel to kernel
export type Kernel = (record: Recorder, inputs: Record<string, Value>, attributes: any) => Value | Value[];
export type Kernels = Record<string, Kernel>;

/** Axes counted from the front, in order. */
export function normalAxes(axes: number | readonly number[] | undefined | null, rank: number): number[] {
  const listed =
    axes === undefined || axes === null ? [...Array(rank).keys()] : typeof axes === 'number' ? [axes] : axes;
  return listed.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
}
