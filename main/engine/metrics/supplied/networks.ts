import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { AppError } from '../../../../shared/ipc/result.ts';
import { type OnnxFile, openOnnxFile, requirePorts } from '../../backends/onnx-file.ts';
import { readJson } from '../../formats/diffusers.ts';
import { middleSquare, type Picture, pictureOf, planesOf, resized, writePlanes } from '../../formats/picture-input.ts';
import type { Pictures } from '../../formats/raw-frames.ts';
import type { ClipNetwork, FaceDetector, PairNetwork, PictureNetwork, TextNetwork } from './description.ts';
import { type DetectorLevel, type Face, facesOf } from './faces.ts';

/** Something of a user's that makes `Out` of `In`. */
interface Network<In, Out> {
  of(given: In): Out;
  dispose(): void;
}

function opened(path: string, ports: { inputs: readonly string[]; outputs: readonly string[] }): OnnxFile {
  const network = openOnnxFile(path);
  try {
    requirePorts(path, network, ports);
    return network;
  } catch (error) {
    network.dispose();
    throw error;
  }
}

/** Vectors of pictures that are square already, or of the middle of others. */
export function openPictureNetwork(folder: string, described: PictureNetwork): Network<Picture, Float32Array> {
  const { file, input, output, size, shorterSide } = described;
  const path = join(folder, file);
  const network = opened(path, { inputs: [input], outputs: [output] });
  return {
    of(picture) {
      const planes = planesOf(middleSquare(picture, size, shorterSide), described);
      const [made] = network.run({ [input]: { values: planes, shape: [1, 3, size, size] } }, [output]);
      return firstVector(path, output, made!);
    },
    dispose: () => network.dispose(),
  };
}

/** A vector of a clip: so many frames, evenly spread over it. */
export function openClipNetwork(folder: string, described: ClipNetwork): Network<Pictures, Float32Array> {
  const { file, input, output, size, frames } = described;
  const path = join(folder, file);
  const network = opened(path, { inputs: [input], outputs: [output] });
  return {
    of(clip) {
      const values = new Float32Array(3 * frames * size * size);
      for (let frame = 0; frame < frames; frame++) {
        const picture = pictureOf(clip, Math.round((frame * (clip.count - 1)) / (frames - 1)));
        writePlanes(resized(picture, size, size), described, values, { first: frame, stride: frames });
      }
      const [made] = network.run({ [input]: { values, shape: [1, 3, frames, size, size] } }, [output]);
      return firstVector(path, output, made!);
    },
    dispose: () => network.dispose(),
  };
}

/** How far apart two pictures of one size are. */
export function openPairNetwork(folder: string, described: PairNetwork): Network<readonly [Picture, Picture], number> {
  const { file, inputs, output, size } = described;
  const path = join(folder, file);
  const network = opened(path, { inputs, outputs: [output] });
  return {
    of(pair) {
      const given = Object.fromEntries(
        pair.map((picture, index) => {
          const { width, height } = size ? { width: size, height: size } : picture;
          const values = planesOf(size ? resized(picture, size, size) : picture, described);
          return [inputs[index]!, { values, shape: [1, 3, height, width] }];
        }),
      );
      const [made] = network.run(given, [output]);
      if (made!.values.length === 1) return made!.values[0]!;
      throw new AppError('damaged-file', `${path}: its output "${output}" is [${made!.shape}], not one number.`);
    },
    dispose: () => network.dispose(),
  };
}

/** [1, values] as it is; of [1, tokens, values] the first token's; other sizes of 1 are left out. */
function firstVector(
  path: string,
  output: string,
  { values, shape }: { values: Float32Array; shape: readonly number[] },
): Float32Array {
  const long = shape.filter((length) => length > 1);
  if (shape[0] === 1 && long.length === 1) return Float32Array.from(values);
  if (shape[0] === 1 && shape.length === 3 && long.length === 2) return Float32Array.from(values.subarray(0, shape[2]));
  throw new AppError(
    'damaged-file',
    `${path}: its output "${output}" is [${shape}], not one vector of a picture or clip.`,
  );
}

export async function openTextNetwork(folder: string, described: TextNetwork): Promise<Network<string, Float32Array>> {
  const { file, input, output, tokenizer, length, padding, mask } = described;
  const path = join(folder, file);
  const words = await openTokenizer(join(folder, tokenizer));
  const network = opened(path, { inputs: [input, ...(mask ? [mask] : [])], outputs: [output] });
  return {
    of(text) {
      const all = words(text);
      // What is cut is text, never the end token behind it.
      const ids = all.length > length ? [...all.slice(0, length - 1), all.at(-1)!] : all;
      const filled = [...ids, ...new Array<number>(length - ids.length).fill(padding)];
      const seen = filled.map((_, index) => Number(index < ids.length));
      const shape = [1, length];
      const given = { [input]: { values: filled, shape }, ...(mask && { [mask]: { values: seen, shape } }) };
      const [made] = network.run(given, [output]);
      return firstVector(path, output, made!);
    },
    dispose: () => network.dispose(),
  };
}

async function openTokenizer(path: string): Promise<(text: string) => number[]> {
  const vocabulary = await readJson(path, z.looseObject({ model: z.looseObject({ type: z.string() }) }));
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw new AppError('damaged-file', `${path} is no tokenizer: ${(cause as Error).message}`, { cause });
    }
  };
  const tokenizer = attempt(() => new Tokenizer(vocabulary, {}));
  return (text) => attempt(() => tokenizer.encode(text).ids);
}

/** Faces, the most certain first: the picture fills the upper left of a square, enlarged or made smaller to fit. */
export function openFaceDetector(folder: string, described: FaceDetector): Network<Picture, Face[]> {
  const { file, input, size, strides, scores, boxes, points, threshold } = described;
  const path = join(folder, file);
  const outputs = [...scores, ...boxes, ...points];
  const network = opened(path, { inputs: [input], outputs });
  return {
    of(picture) {
      const scale = size / Math.max(picture.width, picture.height);
      const fitting = resized(picture, Math.round(picture.width * scale), Math.round(picture.height * scale));
      const square: Picture = { values: new Float32Array(size * size * 3), width: size, height: size };
      for (let y = 0; y < fitting.height; y++) {
        const row = fitting.values.subarray(y * fitting.width * 3, (y + 1) * fitting.width * 3);
        square.values.set(row, y * size * 3);
      }
      const made = network.run(
        { [input]: { values: planesOf(square, described), shape: [1, 3, size, size] } },
        outputs,
      );
      const levels = strides.map((stride, level): DetectorLevel => {
        const [score, box, point] = [0, 1, 2].map((kind) => made[kind * strides.length + level]!.values);
        const cells = Math.ceil(size / stride) ** 2;
        const fits =
          score!.length % cells === 0 && box!.length === 4 * score!.length && point!.length === 10 * score!.length;
        if (!fits || score!.length === 0)
          throw new AppError(
            'damaged-file',
            `${path}: at stride ${stride} it has ${score!.length} scores, ${box!.length} box values and ${point!.length} values of points, not 1, 4 and 10 for each anchor of ${cells} cells.`,
          );
        return { stride, scores: score!, boxes: box!, points: point! };
      });
      return facesOf(levels, size, scale, threshold);
    },
    dispose: () => network.dispose(),
  };
}
