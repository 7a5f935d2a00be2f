import { guidedAbove } from '../../../shared/domain/sampling-plan.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import * as tf from '../backends/tf.ts';
import { traced } from '../backends/traced.ts';
import type { SchedulerConfig } from '../models/scheduler-config.ts';
import type { Denoiser, FirstFrame } from '../models/video-model.ts';
import type { Hooks } from '../nn/hooks.ts';

export interface SamplerModel<A> {
  denoiser: Denoiser;
  /** Another denoiser predicts from this part of the noise on (Wan 2.2); adapters do not act in it. */
  highNoise?: { from: number; denoiser: Denoiser } | null;
  scheduler: SchedulerConfig;
  /** How an adapter's tensors change the denoiser. They are inputs of the recorded step, so that a moved slider records nothing. */
  hooks?: (adapter: A, appearanceMask: tf.Tensor | undefined) => Hooks;
  /** Whether those hooks read which rows have the adapter's appearance, as ones and zeros [rows, 1]: all but those of negative prompts. */
  readsAppearance?: boolean;
}

export interface Prompt<A> {
  /** Encoded prompts [batch, text tokens, text_dim]. */
  text: tf.Tensor;
  /** Encoded negative prompts, as `text`; needed for guidance. */
  negative?: tf.Tensor;
  /** Classifier-free guidance (arXiv 2207.12598): 1 follows the prompt alone, more moves away from the negative one. Default 1. */
  guidance?: number;
  adapter?: A;
  /** The adapter under which prompt and negative prompt are compared for guidance; default `adapter`. */
  guidingAdapter?: A;
}

type FlowInputs = {
  sample: tf.Tensor;
  /** The previous prediction of the clean latents, for self-conditioning. */
  previous?: tf.Tensor;
  text: tf.Tensor;
  timestep: tf.Tensor;
  /** Of a first frame, of one clip. */
  beside?: tf.Tensor;
  image?: tf.Tensor;
  /** With what weight the flow under each of `text`'s prompts counts [prompts]; without, all flows are given back. */
  weights?: tf.Tensor;
  adapter?: unknown;
  /** Which prompts have the adapter's appearance, as ones and zeros [prompts, 1]. */
  appearanceMask?: tf.Tensor;
};

/** The part of the guidance that leads FlowEdit away from what the clip shows; the rest leads away from the negative prompt. */
const sourceShare = 1 / 3;

/** The flows of one model under prompts and one kind of adapter. Recorded predictions serve every later run of the same size. */
export function createGuidedFlow<A>(model: SamplerModel<A>) {
  const { denoiser } = model;

  /** The flow at one noise level, or the weighted sum of the flows under several prompts, which are one batch. */
  const predictionBy = (denoise: Denoiser['denoise']) =>
    traced(({ sample, previous, text, timestep, beside, image, weights, adapter, appearanceMask }: FlowInputs) =>
      tf.tidy(() => {
        const hooks = adapter !== undefined ? model.hooks?.(adapter as A, appearanceMask) : undefined;
        const added = [...(previous ? [previous] : []), ...(beside ? [repeated(beside, sample.shape[0]!)] : [])];
        const modelInput = added.length > 0 ? tf.concat([sample, ...added], 1) : sample;
        const latents = weights ? tf.concat(new Array<tf.Tensor>(weights.size).fill(modelInput), 0) : modelInput;
        const seen = image ? { image: repeated(image, text.shape[0]!) } : {};
        const flow = denoise({ latents, text, timestep, ...seen }, { hooks, inferenceOnly: true });
        if (!weights) return { flow };
        const flows = tf.matMul(tf.reshape(weights, [1, -1]), tf.reshape(flow, [weights.size, -1]));
        return { flow: tf.reshape(flows, sample.shape) };
      }),
    );
  const predict = predictionBy(denoiser.denoise);
  const high = model.highNoise;
  const predictHigh = high && predictionBy(high.denoiser.denoise);
  /**
   * What stays the same through a run, and the guided flow at one noise level: that under the prompt, and `guidance` - 1 times what it is
   * more than under the negative prompt. With what the clip shows for FlowEdit, part of that is compared with `sourcePrompt`.
   */
  function conditioned(
    { text, negative, guidance = 1, adapter, guidingAdapter }: Prompt<A>,
    sourcePrompt?: tf.Tensor,
    firstFrame?: FirstFrame,
  ) {
    if (!firstFrame && denoiser.firstFrame === 'required')
      throw new AppError(
        'invalid-input',
        'This model makes clips that go on from a given picture, and none was given.',
        {
          hint: 'Choose a first frame and a fidelity of 0, or a model for text to video.',
        },
      );
    const beside = firstFrame && 'beside' in firstFrame ? firstFrame : {};
    /** Features of the level for each prompt; a latent frame that is given has none of the noise. */
    const timeOf = (prompts: number, timestep: number) => {
      if (!firstFrame || 'beside' in firstFrame)
        return denoiser.timeFeatures(new Array<number>(prompts).fill(timestep));
      return tf.tidy(() => {
        const levels = Array.from({ length: 2 * prompts }, (_, index) => (index % 2 ? timestep : 0));
        return tf.reshape(denoiser.timeFeatures(levels), [prompts, 2, -1]);
      });
    };
    const guided = guidance > 1;
    if (guided && `${negative?.shape}` !== `${text.shape}`)
      throw new Error(`guidance needs negative prompts of [${text.shape}], found [${negative?.shape}]`);
    const more = guidance - 1;
    const away = guided && sourcePrompt ? [(sourceShare - 1) * more, -sourceShare * more] : [-more];
    // Under the same adapter the prompt's own flow is part of the batch.
    const apart = guided && guidingAdapter !== undefined;
    const compared = guided ? tf.concat([text, negative!, ...(sourcePrompt ? [sourcePrompt] : [])], 0) : undefined;
    const weights = guided ? tf.tensor1d([apart ? more : guidance, ...away]) : undefined;
    return {
      async flow(sample: tf.Tensor, previous: tf.Tensor | undefined, timestep: number, signal?: AbortSignal) {
        const under = async (prompts: tf.Tensor, by: A | undefined, weights?: tf.Tensor) => {
          const features = timeOf(prompts.shape[0]!, timestep);
          const inputs: FlowInputs = { sample, text: prompts, timestep: features, ...beside };
          if (previous) inputs.previous = previous;
          if (weights) inputs.weights = weights;
          const isHigh = high && timestep >= 1000 * high.from;
          if (by !== undefined && !isHigh) inputs.adapter = by;
          if (model.readsAppearance)
            inputs.appearanceMask = appearanceMaskOf(prompts.shape[0]!, weights ? text.shape[0]! : null);
          const made = [features, ...(inputs.appearanceMask ? [inputs.appearanceMask] : [])];
          const { flow } = await (isHigh ? predictHigh! : predict).run(inputs, signal).finally(() => tf.dispose(made));
          return flow;
        };
        if (!compared || (sourcePrompt && timestep < 1000 * guidedAbove)) return await under(text, adapter);
        if (!apart) return await under(compared, adapter, weights);
        const own = await under(text, adapter);
        try {
          const guide = await under(compared, guidingAdapter, weights);
          const flow = tf.add(own, guide);
          guide.dispose();
          return flow;
        } finally {
          own.dispose();
        }
      },
      dispose: () => tf.dispose([...(compared ? [compared] : []), ...(weights ? [weights] : [])]),
    };
  }

  return {
    conditioned,
    dispose() {
      predict.dispose();
      predictHigh?.dispose();
    },
  };
}

/** What is the same for each of so many rows: [1, ...] -> [rows, ...] */
function repeated(x: tf.Tensor, rows: number): tf.Tensor {
  return rows === 1 ? x : tf.tile(x, [rows, ...new Array<number>(x.rank - 1).fill(1)]);
}

/** Which prompts have an appearance [prompts, 1]; of those that are compared, the second `each` are negative ones. */
function appearanceMaskOf(prompts: number, each: number | null): tf.Tensor2D {
  const negative = (row: number) => each !== null && row >= each && row < 2 * each;
  return tf.tensor2d(
    Array.from({ length: prompts }, (_, row) => Number(!negative(row))),
    [prompts, 1],
  );
}
