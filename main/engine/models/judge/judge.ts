import { dirname, join, resolve } from 'node:path';
import * as tf from '../../backends/tf.ts';
import { openWeights, readJson } from '../../formats/diffusers.ts';
import type { Pictures } from '../../formats/raw-frames.ts';
import { linear } from '../../nn/linear.ts';
import { loadParameters } from '../../nn/parameters.ts';
import { disposeTree } from '../../nn/tree.ts';
import { loadTokenizer } from '../wan/tokenizer.ts';
import { inputChannels, type JudgeConfig, judgeConfigSchema, judgeSpecs } from './judge-config.ts';
import { frameVectors, type JudgeParameters, textVectors, unit, videoVector } from './judge-network.ts';

export interface Judgement {
  /** The most likely value of every attribute, and how likely it is. */
  attributes: Record<string, { value: string; probability: number }>;
  /** A unit vector per assessed frame. */
  frameEmbeddings: Float32Array[];
  /** The clip's unit vector, comparable with those of texts. */
  videoEmbedding: Float32Array;
  /** The clip's features before any head: what a Fréchet distance is taken over. */
  features: Float32Array;
}

/** A dual encoder that names what a clip shows and measures how well clip and words agree. */
export interface Judge {
  readonly labels: JudgeConfig['labels'];
  assess(pictures: Pictures): Promise<Judgement>;
  /** Unit vectors of the texts. */
  embedTexts(texts: readonly string[]): Promise<Float32Array[]>;
  dispose(): void;
}

/** Opens a judge's folder: config.json and model.safetensors. The tokenizer is where config.json says. */
export async function openJudge(folder: string): Promise<Judge> {
  const config = await readJson(join(folder, 'config.json'), judgeConfigSchema);
  const tokenizer = await loadTokenizer(dirname(resolve(folder, config.tokenizer)));
  const weights = await openWeights(folder);
  let parameters: JudgeParameters;
  try {
    const vocabulary = weights.info('tokens.weight').shape[0]!;
    parameters = (await loadParameters(weights, judgeSpecs(config, vocabulary))) as JudgeParameters;
  } finally {
    await weights.close();
  }
  return {
    labels: config.labels,
    async assess(pictures) {
      const found = tf.tidy(() => {
        const frames = frameVectors(config, parameters, prepare(config, pictures));
        const video = videoVector(config, parameters, frames);
        const { frame_embedding, video_embedding, heads } = parameters;
        return {
          video,
          frameEmbeddings: unit(linear(frame_embedding, frames)),
          videoEmbedding: unit(linear(video_embedding, video)),
          scores: Object.fromEntries(
            Object.keys(config.labels).map((name) => [name, tf.softmax(linear(heads[name]!, video))]),
          ),
        };
      });
      try {
        const attributes: Judgement['attributes'] = {};
        for (const [name, values] of Object.entries(config.labels)) {
          const scores = await found.scores[name]!.data();
          const best = scores.indexOf(Math.max(...scores));
          attributes[name] = { value: values[best]!, probability: scores[best]! };
        }
        return {
          attributes,
          frameEmbeddings: await rows(found.frameEmbeddings),
          videoEmbedding: (await rows(found.videoEmbedding))[0]!,
          features: (await rows(found.video))[0]!,
        };
      } finally {
        tf.dispose(found);
      }
    },
    async embedTexts(texts) {
      const { ids, lengths } = tokenizer.encode(texts, config.maxTextTokens);
      const vectors = textVectors(config, parameters, ids, lengths);
      try {
        return await rows(vectors);
      } finally {
        vectors.dispose();
      }
    },
    dispose: () => disposeTree(parameters),
  };
}

async function rows(matrix: tf.Tensor): Promise<Float32Array[]> {
  const [count, width] = matrix.shape as [number, number];
  const values = (await matrix.data()) as Float32Array;
  return Array.from({ length: count }, (_, row) => values.slice(row * width, (row + 1) * width));
}

/**
 * uint8 pictures -> [frames, height / 2, width / 2, 17] in -1..1: 2 x 2 pixels (red of the four, green,
 * blue), the difference of their means to the frame before, and the place x, y.
 */
function prepare(config: JudgeConfig, { data, count, ...size }: Pictures): tf.Tensor4D {
  const frames = config.frames.filter((frame) => frame < count);
  const [width, height] = [size.width >> 1, size.height >> 1];
  const values = new Float32Array(frames.length * height * width * inputChannels);
  const corners = [0, 3, size.width * 3, size.width * 3 + 3];
  let target = 0;
  for (const frame of frames) {
    const toBefore = (Math.max(0, frame - 1) - frame) * size.height * size.width * 3;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let channel = 0; channel < 3; channel++) {
          const from = ((frame * size.height + 2 * y) * size.width + 2 * x) * 3 + channel;
          let change = 0;
          for (const [index, corner] of corners.entries()) {
            const value = data[from + corner]!;
            values[target + channel * 4 + index] = value / 127.5 - 1;
            change += value - data[from + corner + toBefore]!;
          }
          values[target + 12 + channel] = change / 510;
        }
        values[target + 15] = (x * 2 + 1) / width - 1;
        values[target + 16] = (y * 2 + 1) / height - 1;
        target += inputChannels;
      }
    }
  }
  return tf.tensor4d(values, [frames.length, height, width, inputChannels]);
}
