import * as tf from '../backends/tf.ts';
import { traced } from '../backends/traced.ts';
import type { FirstFrame } from '../models/video-model.ts';
import { Random } from '../nn/random.ts';
import { createGuidedFlow, type Prompt, type SamplerModel } from './guided-flow.ts';
import { drawNoise, seededNoise } from './noise.ts';
import { noiseSchedule } from './noise-schedule.ts';
import { advance, type SolverState, solverSteps, startState, stepWeights } from './solver.ts';

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

/** A sampler for one model and one kind of adapter. Recorded steps serve every later run of the same size. */
export function createSampler<A = undefined>(model: SamplerModel<A>): Sampler<A> {
  const { denoiser, scheduler } = model;
  const { selfConditioning, latentChannels } = denoiser;
  const { conditioned, dispose } = createGuidedFlow(model);

  const step = traced(({ state, flow, weights }: { state: SolverState; flow: tf.Tensor; weights: tf.Tensor }) =>
    tf.tidy(() => advance(state, flow, weights as tf.Tensor1D)),
  );

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
      dispose();
      step.dispose();
    },
  };
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

function disposeState({ sample, last, history }: SolverState): void {
  tf.dispose([sample, last, ...history]);
}

/** Lets messages, and with them an abort, come in between steps. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
