import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { encodeModel, type OnnxGraph } from '../../../../main/engine/backends/lazy/onnx-encoder.ts';

const float = (name: string, shape: readonly (number | string)[]) => ({ name, shape, type: 'float32' as const });
const node = (op: string, inputs: string[], outputs: string[], attributes: Record<string, number> = {}) => ({
  ...{ op, domain: '', inputs, outputs },
  attributes,
});
const axes = (name: string, values: number[]) => ({
  ...{ name, shape: [values.length], type: 'int64' as const },
  values,
});

/** The mean colour of a picture as its vector. */
const meanColour = (size: number): OnnxGraph => ({
  nodes: [node('ReduceMean', ['pixels', 'axes'], ['embedding'], { keepdims: 0 })],
  inputs: [float('pixels', [1, 3, size, size])],
  outputs: [float('embedding', [1, 3])],
  literals: [axes('axes', [2, 3])],
});

/** As a class token before another one. */
const meanColourToken = (size: number): OnnxGraph => ({
  nodes: [
    node('ReduceMean', ['pixels', 'axes'], ['mean'], { keepdims: 0 }),
    node('Unsqueeze', ['mean', 'one'], ['token']),
    node('Concat', ['token', 'other'], ['tokens'], { axis: 1 }),
  ],
  inputs: [float('pixels', [1, 3, size, size])],
  outputs: [float('tokens', [1, 2, 3])],
  literals: [
    axes('axes', [2, 3]),
    axes('one', [1]),
    { ...float('other', [1, 1, 3]), shape: [1, 1, 3], values: [9, 9, 9] },
  ],
});

/** Words as their number of tokens: a vector that leans towards red the more there are. */
const countOfTokens = (length: number): OnnxGraph => ({
  nodes: [
    node('Cast', ['mask'], ['seen'], { to: 1 }),
    node('ReduceSum', ['seen', 'axes'], ['count'], { keepdims: 1 }),
    node('Cast', ['ids'], ['numbers'], { to: 1 }),
    node('Mul', ['numbers', 'zero'], ['nothing']),
    node('ReduceSum', ['nothing', 'axes'], ['none'], { keepdims: 1 }),
    node('Add', ['count', 'none'], ['red']),
    node('Concat', ['red', 'rest'], ['embedding'], { axis: 1 }),
  ],
  inputs: [
    { name: 'ids', shape: [1, length], type: 'int64' },
    { name: 'mask', shape: [1, length], type: 'int64' },
  ],
  outputs: [float('embedding', [1, 3])],
  literals: [
    axes('axes', [1]),
    { ...float('zero', [1]), shape: [1], values: [0] },
    { ...float('rest', [1, 2]), shape: [1, 2], values: [1, 1] },
  ],
});

/**
 * A face at the same place of a 64 x 64 picture, as sure as the picture is bright: two anchors of each of 4 x 4 cells, and in the second
 * one of cell (2, 1), at (32, 16), a box of 32 x 48 around points in their places.
 */
function oneFace(): OnnxGraph {
  const [size, stride, anchors] = [64, 16, 32];
  const found = 2 * (1 * 4 + 2) + 1;
  const filled = (length: number, values: readonly number[]) => {
    const all = new Array<number>(anchors * length).fill(0);
    for (const [index, value] of values.entries()) all[found * length + index] = value / stride;
    return all;
  };
  const scores = new Array<number>(anchors).fill(0);
  scores[found] = 1;
  const literal = (name: string, shape: number[], values: number[]) => ({ ...float(name, shape), shape, values });
  const eyes = [-8, 0, 8, 0, 0, 8, -6, 16, 6, 16];
  return {
    nodes: [
      node('ReduceMean', ['pixels', 'axes'], ['bright'], { keepdims: 0 }),
      node('Mul', ['scores of all', 'bright'], ['scores']),
      node('Identity', ['boxes of all'], ['boxes']),
      node('Identity', ['points of all'], ['points']),
    ],
    inputs: [float('pixels', [1, 3, size, size])],
    outputs: [float('scores', [anchors, 1]), float('boxes', [anchors, 4]), float('points', [anchors, 10])],
    literals: [
      axes('axes', [0, 1, 2, 3]),
      literal('scores of all', [anchors, 1], scores),
      literal('boxes of all', [anchors, 4], filled(4, [16, 16, 16, 32])),
      literal('points of all', [anchors, 10], filled(10, eyes)),
    ],
  };
}

/** The mean colours of all frames, one after the other. */
const coloursOverTime = (frames: number, size: number): OnnxGraph => ({
  nodes: [
    node('ReduceMean', ['frames', 'axes'], ['means'], { keepdims: 0 }),
    node('Reshape', ['means', 'flat'], ['features']),
  ],
  inputs: [float('frames', [1, 3, frames, size, size])],
  outputs: [float('features', [1, 3 * frames])],
  literals: [axes('axes', [3, 4]), axes('flat', [1, 3 * frames])],
});

/** The mean square of what two pictures of any size differ by. */
const meanSquare: OnnxGraph = {
  nodes: [
    node('Sub', ['made', 'source'], ['difference']),
    node('Mul', ['difference', 'difference'], ['squares']),
    node('ReduceMean', ['squares', 'axes'], ['distance'], { keepdims: 1 }),
  ],
  inputs: [float('made', [1, 3, 'height', 'width']), float('source', [1, 3, 'height', 'width'])],
  outputs: [float('distance', [1, 1, 1, 1]), float('squares', [1, 3, 'height', 'width'])],
  literals: [axes('axes', [1, 2, 3])],
};

const zeroToOne = { mean: [0, 0, 0], deviation: [1, 1, 1] };

/** What describes the stand-ins: networks of a few operations, of which it is known what they say. */
export const descriptions = {
  clip: {
    ...{ kind: 'clip', name: 'a stand-in for CLIP' },
    image: { file: 'colour.onnx', input: 'pixels', output: 'embedding', size: 16, ...zeroToOne },
    text: {
      ...{ file: 'words.onnx', input: 'ids', output: 'embedding', mask: 'mask' },
      ...{ tokenizer: 'tokenizer.json', length: 8, padding: 0 },
    },
  },
  dino: {
    ...{ kind: 'dino', name: 'a stand-in for DINO' },
    image: { file: 'token.onnx', input: 'pixels', output: 'tokens', size: 16, shorterSide: 20, ...zeroToOne },
  },
  arcface: {
    ...{ kind: 'arcface', name: 'a stand-in for ArcFace' },
    detector: {
      ...{ file: 'detector.onnx', input: 'pixels', size: 64, ...zeroToOne, threshold: 0.3 },
      ...{ strides: [16], scores: ['scores'], boxes: ['boxes'], points: ['points'] },
    },
    face: { file: 'face.onnx', input: 'pixels', output: 'embedding', size: 112, ...zeroToOne },
  },
  i3d: {
    ...{ kind: 'i3d', name: 'a stand-in for I3D' },
    clip: { file: 'clip.onnx', input: 'frames', output: 'features', frames: 4, size: 8, ...zeroToOne },
  },
  lpips: {
    ...{ kind: 'lpips', name: 'a stand-in for LPIPS' },
    pair: { file: 'pair.onnx', inputs: ['made', 'source'], output: 'distance' },
  },
} as const;

/** A folder with all of them. */
export async function writeStandIns(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const graphs = {
    'colour.onnx': meanColour(16),
    'token.onnx': meanColourToken(16),
    'words.onnx': countOfTokens(8),
    'detector.onnx': oneFace(),
    'face.onnx': meanColour(112),
    'clip.onnx': coloursOverTime(4, 8),
    'pair.onnx': meanSquare,
  };
  for (const [name, graph] of Object.entries(graphs)) await writeFile(join(folder, name), encodeModel(graph));
  const tokenizer = resolve(import.meta.dirname, '../../../golden/model/tokenizer/tokenizer.json');
  await cp(tokenizer, join(folder, 'tokenizer.json'));
  for (const [name, description] of Object.entries(descriptions)) await describeNetwork(folder, name, description);
}

export function describeNetwork(folder: string, name: string, description: object): Promise<void> {
  return writeFile(join(folder, `${name}.metric.json`), JSON.stringify(description));
}
