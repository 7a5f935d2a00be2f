import type { CodingWork, DecodingMemory, ModelInfo } from '../../../../shared/domain/model.ts';
import type { LinearLayer } from '../../nn/linear-layers.ts';
import { chunkPixels } from '../causal-chunks.ts';
import { type CoderPlan, decoderPlan, encoderPlan, type VaeConfig, vaeStrides } from './vae-config.ts';

/** What has to be multiplied, from the sizes of all matrices: for plans of time (shared/domain/work.ts). */

/** In each layer keys and values of what the prompt says (and of a picture), and what makes the prompt as wide as the tokens. */
const readsPrompt = /\.attn2\.(to_k|to_v|add_k_proj|add_v_proj)$|\.text_embedder\./;
/** Computed once for each clip or picture. */
const once = /\.(time_embedder|time_proj|image_embedder)\b/;

/** Matrices that the tokens of the clip and of the prompt pass through. */
export function passedLayers(layers: readonly LinearLayer[]): Pick<ModelInfo['work'], 'clip' | 'prompt'> {
  const passed = (some: readonly LinearLayer[]) => ({
    numbers: some.reduce((sum, { inSize, outSize }) => sum + inSize * outSize, 0),
    sides: some.reduce(
      (sum, { path, inSize, outSize }) => (path.startsWith('blocks.') ? sum + inSize + outSize : sum),
      0,
    ),
  });
  const ofTokens = layers.filter(({ path }) => !once.test(path));
  return {
    clip: passed(ofTokens.filter(({ path }) => !readsPrompt.test(path))),
    prompt: passed(ofTokens.filter(({ path }) => readsPrompt.test(path))),
  };
}

/** Multiplications of the autoencoder for each pixel; the attention in its middle, which sees whole pictures, is left out. */
export function vaeWork(config: VaeConfig): CodingWork {
  const both = (of: (isFirst: boolean) => number) => ({ first: of(true), next: of(false) });
  return {
    encode: both((isFirst) => encodingWork(config, isFirst)),
    decode: both((isFirst) => decodingWork(config, isFirst)),
  };
}

/** Of a clip's first frame, which bypasses every change in time, or of any other; for each pixel. */
function encodingWork(config: VaeConfig, isFirst: boolean): number {
  const plan = encoderPlan(config);
  // How many places there are for each pixel, and frames for each frame.
  let [places, frames] = [1 / (config.patch_size ?? 1) ** 2, 1];
  let total = 27 * plan.inSize * plan.firstSize * places;
  for (const { blocks, resample, shortcut } of plan.stages) {
    total += blocks.reduce((sum, block) => sum + residualWork(block), 0) * places * frames;
    if (resample) {
      places /= 4;
      total += 9 * resample.inSize * resample.outSize * places * frames;
      if (resample.inTime && !isFirst) {
        frames /= 2;
        total += 3 * resample.inSize * resample.inSize * places * frames;
      }
    }
    if (shortcut && (shortcut.inSize !== shortcut.outSize || shortcut.timeFactor * shortcut.spaceFactor > 1))
      total += shortcut.inSize * shortcut.outSize * shortcut.timeFactor * shortcut.spaceFactor ** 2 * places * frames;
  }
  return total + (middleWork(plan) + plan.outSize ** 2) * places * frames;
}

function decodingWork(config: VaeConfig, isFirst: boolean): number {
  const plan = decoderPlan(config);
  const strides = vaeStrides(config);
  let [places, frames] = [1 / (strides.height * strides.width), isFirst ? 1 : 1 / strides.frames];
  let total =
    (plan.inSize ** 2 + 27 * plan.inSize * plan.firstSize + middleWork({ ...plan, outSize: 0 })) * places * frames;
  for (const { blocks, resample } of plan.stages) {
    total += blocks.reduce((sum, block) => sum + residualWork(block), 0) * places * frames;
    if (!resample) continue;
    if (resample.inTime && !isFirst) {
      total += 3 * resample.inSize * 2 * resample.inSize * places * frames;
      frames *= 2;
    }
    places *= 4;
    total += 9 * resample.inSize * resample.outSize * places * frames;
  }
  return total + 27 * plan.lastSize * plan.outSize * places * frames;
}

/** Bytes for each value that a chunk's last, widest convolutions make, with what is alive beside them (test/bench/history.md). */
const bytesPerValue = 62;
/** What convolutions remember is there as it was, as it is handed on, and as it becomes. */
const copies = 3;

/**
 * What decoding takes: each convolution in time remembers its input's last two frames, all sizes of the network together, and most of what
 * a chunk makes is as large as its pictures.
 */
export function decodingMemory(config: VaeConfig): DecodingMemory {
  const plan = decoderPlan(config);
  const strides = vaeStrides(config);
  let places = 1 / (strides.height * strides.width);
  let remembered = (plan.inSize + 4 * plan.middleSize) * places;
  for (const { blocks, resample } of plan.stages) {
    for (const { inSize, outSize } of blocks) remembered += (inSize + outSize) * places;
    if (!resample) continue;
    if (resample.inTime) remembered += resample.inSize * places;
    places *= 4;
  }
  remembered += plan.lastSize * places;
  return { perPixel: copies * 4 * 2 * remembered, perFramePixel: bytesPerValue * plan.lastSize * places, chunkPixels };
}

/** Two convolutions of 3 x 3 x 3, and one of a single place around them where the width changes. */
const residualWork = ({ inSize, outSize }: { inSize: number; outSize: number }) =>
  27 * (inSize + outSize) * outSize + (inSize === outSize ? 0 : inSize * outSize);

/** The two blocks in the middle with the matrices of the attention between them, and what follows in an encoder. */
const middleWork = ({ middleSize, lastSize, outSize }: CoderPlan) =>
  2 * residualWork({ inSize: middleSize, outSize: middleSize }) + 4 * middleSize ** 2 + 27 * lastSize * outSize;
