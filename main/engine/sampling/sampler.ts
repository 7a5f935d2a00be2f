import { AppError } from '../../../shared/ipc/result.ts';
import * as tf from '../backends/tf.ts';
import { traced } from '../backends/traced.ts';
import type { Denoiser, FirstFrame } from '../models/video-model.ts';
import type { Hooks } from '../nn/hooks.ts';
import { Random } from '../nn/random.ts';
import { noiseSchedule } from './noise-schedule.ts';
import type { SchedulerConfig } from './scheduler-config.ts';
import { advance, type SolverState, solverSteps, startState, stepWeights } from './solver.ts';

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

interface Prompt<A> {
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

interface RunOptions {
  steps: number;
  signal?: AbortSignal;
  /** After each step. `prediction` is what the clip looks like so far (normalised latents), borrowed for the call. */
  onStep?: (done: number, total: number, prediction: tf.Tensor) => void;
}

interface GenerateOptions<A> extends Prompt<A>, RunOptions {
  /** Latent frames, height and width. */
  size: readonly [number, number, number];
  /** One per clip of the batch: the same seed gives the same noise. */
  seeds: readonly number[];
  /** Noise instead of the seeds': [batch, channels, ...size]. */
  noise?: tf.Tensor;
  /** What the clips go on from. Models that take one only; some must have one. */
  firstFrame?: FirstFrame;
  /** Normalised latents of a clip to start from [batch, channels, ...size]. */
  source?: {
    latents: tf.Tensor;
    /** 0 starts from pure noise, 1 gives the source back; between, that part of the steps is left out. */
    fidelity: number;
    /** The latents come from `invert` with this fidelity and already lie at the noise level where the steps begin. */
    inverted?: boolean;
  };
}

interface FlowEditOptions<A> extends Prompt<A>, RunOptions {
  /** Describes the clip to be edited. */
  sourcePrompt: Prompt<A>;
  /** That part of the steps is left out, the noisiest ones; 1 gives the clip back. */
  fidelity: number;
  /** Of the noise, which is drawn anew for each step. */
  seeds: readonly number[];
  /**
   * The flow of `sourcePrompt` at each step, where an earlier run left it; this run leaves its own.
   * It depends on nothing that an edit changes.
   */
  sourceFlows?: (tf.Tensor | undefined)[];
}

export interface Sampler<A> {
  /** Samples clips: -> normalised latents [batch, channels, frames, height, width], owned by the caller. */
  generate(options: GenerateOptions<A>): Promise<tf.Tensor>;
  /** Runs the flow backwards, from a clip to the noise that leads to it: -> latents at the level where `generate` starts with `fidelity`. */
  invert(latents: tf.Tensor, options: Prompt<A> & RunOptions & { fidelity: number }): Promise<tf.Tensor>;
  /**
   * FlowEdit (arXiv 2412.08629): moves a clip along the difference of two flows, that of what it shall become and that of what it
   * shows, both under the same noise: where the prompts agree, nothing moves. -> latents, owned by the caller.
   */
  flowEdit(latents: tf.Tensor, options: FlowEditOptions<A>): Promise<tf.Tensor>;
  /** Forgets recorded steps. The model stays the caller's. */
  dispose(): void;
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
/** Noise level below which FlowEdit goes without guidance (arXiv 2404.07724): what is left to decide there are details (test/studies). */
const guidedAbove = 0.5;

/** A sampler for one model and one kind of adapter. Recorded steps serve every later run of the same size. */
export function createSampler<A = undefined>(model: SamplerModel<A>): Sampler<A> {
  const { denoiser, scheduler } = model;
  const { selfConditioning, latentChannels } = denoiser;

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
  const step = traced(({ state, flow, weights }: { state: SolverState; flow: tf.Tensor; weights: tf.Tensor }) =>
    tf.tidy(() => advance(state, flow, weights as tf.Tensor1D)),
  );

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

  async function generate(options: GenerateOptions<A>): Promise<tf.Tensor> {
    const { steps, signal, onStep } = options;
    const { sigmas, timesteps } = noiseSchedule(scheduler, steps);
    const first = options.source ? firstStep(options.source.fidelity, steps) : 0;
    const { firstFrame } = options;
    if (firstFrame && ('beside' in firstFrame ? 'required' : 'optional') !== denoiser.firstFrame)
      throw new Error(`this model takes no such first frame (${denoiser.firstFrame})`);
    const beginning = firstFrame && 'latents' in firstFrame ? firstFrame.latents : undefined;
    // UniPC's first noise level is a millionth below 1; without a step left out the source plays no part at all.
    const condition = conditioned(options, undefined, firstFrame);
    const start = startLatents(first > 0 ? options : { ...options, source: undefined }, sigmas[first]!);
    let state = startState(scheduler, start);
    let previous = selfConditioning ? tf.zeros(start.shape) : undefined;
    start.dispose();
    try {
      for (const [index, plan] of solverSteps(scheduler, sigmas.slice(first)).entries()) {
        signal?.throwIfAborted();
        const seen = beginning ? beginningWith(beginning, state.sample) : state.sample;
        const flow = await condition.flow(seen, previous, timesteps[first + index]!, signal).finally(() => {
          if (seen !== state.sample) seen.dispose();
        });
        const weights = stepWeights(plan);
        const next = await step.run({ state, flow, weights }, signal).finally(() => tf.dispose([flow, weights]));
        disposeState(state);
        state = next.state;
        try {
          onStep?.(index + 1, steps - first, next.prediction);
        } finally {
          previous?.dispose();
          previous = selfConditioning ? next.prediction : undefined;
          if (!selfConditioning) next.prediction.dispose();
        }
        await breathe();
      }
      return beginning ? beginningWith(beginning, state.sample) : tf.clone(state.sample);
    } finally {
      disposeState(state);
      previous?.dispose();
      condition.dispose();
    }
  }

  function startLatents({ text, size, seeds, noise, source }: GenerateOptions<A>, sigma: number): tf.Tensor {
    const shape = [text.shape[0]!, latentChannels, ...size];
    const check = (tensor: tf.Tensor, what: string) => {
      if (`${tensor.shape}` !== `${shape}`) throw new Error(`${what} must be [${shape}], found [${tensor.shape}]`);
      return tensor;
    };
    if (source?.inverted) return tf.clone(check(source.latents, 'inverted latents'));
    return tf.tidy(() => {
      const random = noise ? check(noise, 'noise') : seededNoise(seeds, shape);
      if (!source) return tf.clone(random);
      return tf.add(tf.mul(random, sigma), tf.mul(check(source.latents, 'source latents'), 1 - sigma));
    });
  }

  async function invert(
    latents: tf.Tensor,
    options: Prompt<A> & RunOptions & { fidelity: number },
  ): Promise<tf.Tensor> {
    const { steps, fidelity, signal, onStep } = options;
    const { sigmas } = noiseSchedule(scheduler, steps);
    const levels = sigmas.slice(firstStep(fidelity, steps)).reverse(); // 0, then louder and louder
    const condition = conditioned(options);
    let sample = tf.clone(latents);
    let previous = selfConditioning ? tf.clone(latents) : undefined;
    try {
      for (const [index, sigma] of levels.slice(0, -1).entries()) {
        signal?.throwIfAborted();
        const flow = await condition.flow(sample, previous, 1000 * sigma, signal);
        const [next, prediction] = tf.tidy(() => [
          tf.add(sample, tf.mul(flow, levels[index + 1]! - sigma)),
          tf.sub(sample, tf.mul(flow, sigma)),
        ]) as [tf.Tensor, tf.Tensor];
        tf.dispose([flow, sample]);
        sample = next;
        try {
          onStep?.(index + 1, levels.length - 1, prediction);
        } finally {
          previous?.dispose();
          previous = selfConditioning ? prediction : undefined;
          if (!selfConditioning) prediction.dispose();
        }
        await breathe();
      }
      return tf.clone(sample);
    } finally {
      tf.dispose([sample, ...(previous ? [previous] : [])]);
      condition.dispose();
    }
  }

  async function flowEdit(latents: tf.Tensor, options: FlowEditOptions<A>): Promise<tf.Tensor> {
    const { steps, fidelity, seeds, sourcePrompt, sourceFlows, signal, onStep } = options;
    const { sigmas, timesteps } = noiseSchedule(scheduler, steps);
    const first = firstStep(fidelity, steps);
    const randoms = seeds.map((seed) => new Random(seed));
    const sides = [conditioned(options, sourcePrompt.text), conditioned(sourcePrompt)];
    let edited = tf.clone(latents);
    let previous: (tf.Tensor | undefined)[] = sides.map(() => (selfConditioning ? tf.zeros(latents.shape) : undefined));
    try {
      for (let index = first; index < steps; index++) {
        signal?.throwIfAborted();
        const [sigma, following] = [sigmas[index]!, sigmas[index + 1]!];
        const noisy = tf.tidy(() => {
          const noise = tf.mul(tf.sub(drawNoise(randoms, latents.shape), latents), sigma); // what the noise adds to the clip
          return [tf.add(edited, noise), tf.add(latents, noise)];
        });
        const flows: tf.Tensor[] = [];
        try {
          for (const [side, { flow }] of sides.entries()) {
            const known = side === 1 ? sourceFlows?.[index] : undefined;
            flows.push(known ? tf.clone(known) : await flow(noisy[side]!, previous[side], timesteps[index]!, signal));
          }
          if (sourceFlows) sourceFlows[index] ??= tf.clone(flows[1]!);
          const next = tf.tidy(() => ({
            edited: tf.add(edited, tf.mul(tf.sub(flows[0]!, flows[1]!), following - sigma)),
            predictions: flows.map((flow, side) => tf.sub(noisy[side]!, tf.mul(flow, sigma))),
          }));
          tf.dispose([edited, ...previous.filter((kept) => kept !== undefined)]);
          edited = next.edited;
          onStep?.(index + 1 - first, steps - first, edited);
          if (!selfConditioning) tf.dispose(next.predictions);
          previous = selfConditioning ? next.predictions : sides.map(() => undefined);
        } finally {
          tf.dispose([...noisy, ...flows]);
        }
        await breathe();
      }
      return tf.clone(edited);
    } finally {
      tf.dispose([edited, ...previous.filter((kept) => kept !== undefined)]);
      for (const side of sides) side.dispose();
    }
  }

  return {
    generate,
    invert,
    flowEdit,
    dispose() {
      predict.dispose();
      predictHigh?.dispose();
      step.dispose();
    },
  };
}

/** What is the same for each of so many rows: [1, ...] -> [rows, ...] */
function repeated(x: tf.Tensor, rows: number): tf.Tensor {
  return rows === 1 ? x : tf.tile(x, [rows, ...new Array<number>(x.rank - 1).fill(1)]);
}

/** The clip with another first latent frame. */
function beginningWith(firstFrame: tf.Tensor, clip: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const frames = clip.shape[2]!;
    if (frames === 1) return tf.clone(firstFrame);
    const [, rest] = tf.split(clip, [1, frames - 1], 2) as [tf.Tensor, tf.Tensor];
    return tf.concat([firstFrame, rest], 2);
  });
}

/** The step to start with: 0 for pure noise, `steps` to leave the source as it is. */
export function firstStep(fidelity: number, steps: number): number {
  if (!(fidelity >= 0 && fidelity <= 1)) throw new Error(`fidelity lies between 0 and 1, found ${fidelity}`);
  return Math.round(fidelity * steps);
}

/** Standard normal noise [seeds, ...], each clip's from its own seed. */
function seededNoise(seeds: readonly number[], shape: readonly number[]): tf.Tensor {
  return drawNoise(
    seeds.map((seed) => new Random(seed)),
    shape,
  );
}

/** The same from streams that go on. */
function drawNoise(randoms: readonly Random[], shape: readonly number[]): tf.Tensor {
  if (randoms.length !== shape[0]) throw new Error(`expected ${shape[0]} seeds, found ${randoms.length}`);
  const size = shape.slice(1).reduce((product, length) => product * length, 1);
  const values = new Float32Array(randoms.length * size);
  randoms.forEach((random, index) => {
    values.set(random.normals(size), index * size);
  });
  return tf.tensor(values, [...shape]);
}

/** Which prompts have an appearance [prompts, 1]; of those that are compared, the second `each` are negative ones. */
function appearanceMaskOf(prompts: number, each: number | null): tf.Tensor2D {
  const negative = (row: number) => each !== null && row >= each && row < 2 * each;
  return tf.tensor2d(
    Array.from({ length: prompts }, (_, row) => Number(!negative(row))),
    [prompts, 1],
  );
}

function disposeState({ sample, last, history }: SolverState): void {
  tf.dispose([sample, last, ...history]);
}

/** Lets messages, and with them an abort, come in between steps. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
