import { AppError } from '../../../../../shared/ipc/result.ts';
import type { LinkedWeights } from '../../../formats/linked-weights.ts';
import type { TensorSource } from '../../../formats/tensor-file.ts';

/** Names of diffusers or transformers -> tensors of a file that has other names. */
export type NamedTensors = Map<string, LinkedWeights['tensors'][string]>;

/** What a float8 checkpoint of ComfyUI says of how inputs may be rounded, and that it is one: not needed to read it. */
export const inputOnly = /(^|\.)(scale_input|input_scale|comfy_quant|scaled_fp8)$/;

/** Scales of weights, as ComfyUI named them first and names them now. */
const weightScale = /^(.+)\.(scale_weight|weight_scale)$/;

const floatTypes = /^(F|BF|Q)/;

/**
 * The names behind the prefix, without those of scales, and the full names of the scales by the tensor that they are of. Throws
 * `invalid-input` where weights are kept as integers, in ways that are not read.
 */
export function sortNames(
  source: TensorSource,
  prefix: string,
): { names: string[]; scales: ReadonlyMap<string, string> } {
  const scales = new Map<string, string>();
  const names: string[] = [];
  for (const full of source.names()) {
    if (!full.startsWith(prefix)) continue; // parts of other models, in files that hold a whole pipeline
    const name = full.slice(prefix.length);
    const layer = weightScale.exec(name)?.[1];
    if (layer !== undefined) scales.set(`${layer}.weight`, full);
    else {
      const { type } = source.info(full);
      if (name.endsWith('.weight') && !floatTypes.test(type))
        throw new AppError(
          'invalid-input',
          `${source.path}: "${full}" is kept as ${type}, quantised in a way that is not read.`,
          {
            hint: 'Choose an edition in float16, bfloat16, float8 or GGUF.',
          },
        );
      names.push(name);
    }
  }
  return { names, scales };
}

/** The scale of a tensor, where it has one. */
export function scaleOf(scales: ReadonlyMap<string, string>, name: string): { scale?: string } {
  const scale = scales.get(name);
  return scale === undefined ? {} : { scale };
}

/** Says which relative a file holds, by a tensor that does not belong to the class that is read. */
export function refusedWeights(
  path: string,
  others: readonly [beginning: RegExp, what: string][],
  name: string,
  expected: string,
): AppError {
  const other = others.find(([beginning]) => beginning.test(name))?.[1];
  return new AppError(
    'invalid-input',
    other ? `${path} holds ${other}, which is not supported.` : `${path} is not ${expected}: it holds "${name}".`,
    { hint: 'Choose a text-to-video checkpoint of Wan 2.1 or 2.2.' },
  );
}
