import type { EditSettings } from '../../../shared/domain/edit.ts';
import { guidingPart } from '../../../shared/domain/sampling-plan.ts';
import { LruCache } from '../../../shared/structures/lru-cache.ts';
import { hooksOf } from '../adapters/additions.ts';
import type { Gains } from '../adapters/part-kind.ts';
import { kindOf } from '../adapters/parts.ts';
import { markPrompt, type TokenEmbeddings, tokenHooks } from '../adapters/tokens.ts';
import * as tf from '../backends/tf.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import { schedulerConfigOf } from '../models/scheduler-config.ts';
import { type FirstFrame, firstFrameTensors, type VideoModel } from '../models/video-model.ts';
import {
  type ActingConcept,
  hashOfPictures,
  hashOfTokens,
  nameOfSource,
  type SampledConcept,
} from './acting-concept.ts';
import { type AdapterTensors, adapterTensors, scaled, tensorsOf } from './adapter-tensors.ts';
import { createSampler, firstStep, type Sampler } from './sampler.ts';

/**
 * Normalised latents [1, channels, frames, height, width] of a clip, and a name that no other clip's latents
 * have.
 */
export interface SourceLatents {
  latents: tf.Tensor;
  key: string;
}

interface ConceptSamplingOptions {
  /** Null samples the base model. */
  concept: SampledConcept | null;
  prompts: readonly string[];
  negativePrompt?: string;
  guidance: number;
  steps: number;
  /** One per prompt. */
  seeds: readonly number[];
  /** Latent frames, height and width. */
  size: readonly [number, number, number];
  /** What to start from, and how much of it stays (0 to 1). */
  source?: SourceLatents & {
    fidelity: number;
    /** The prompt that describes the latents. */
    prompt: string;
    /** How sampling starts from them (`fidelityStart` of an edit's settings). */
    by: EditSettings['fidelityStart'];
  };
  /** What the clips go on from; without `source` alone. */
  firstFrame?: FirstFrame;
  signal?: AbortSignal;
  /** After each layer of a text encoder that is read layer by layer; not where all texts are known. */
  onText?(done: number, total: number): void;
  onStep?(done: number, total: number): void;
}

/**
 * Samples one model with any concept. Recorded steps, encoded prompts and clips, and flows of clips are kept
 * for later calls.
 */
export interface ConceptSampler {
  /** A clip to start from; its latents stay the sampler's. */
  encodeSource(pictures: Pictures, signal?: AbortSignal): Promise<SourceLatents>;
  /** A picture that a clip of so many frames goes on from; what is made of it stays the sampler's. */
  encodeFirstFrame(picture: Pictures, frameCount: number, signal?: AbortSignal): Promise<FirstFrame>;
  /** That clip as it comes out of the autoencoder again. */
  decodeSource(source: SourceLatents, signal?: AbortSignal): Promise<Pictures>;
  /** -> normalised latents [prompts, channels, ...size], owned by the caller. */
  sample(options: ConceptSamplingOptions): Promise<tf.Tensor>;
  dispose(): void;
}

const learnedGains: Gains = { identity: 1, motion: 1 };

const keptTexts = 16;
const keptSamplers = 2;
const keptSources = 4;
const keptFlows = 4;
/** Flows of more values than this, of all steps together, are not kept. */
const keptFlowValues = 4e6;

export function createConceptSampler(pipeline: VideoModel): ConceptSampler {
  const dispose = (item: { dispose(): void }) => item.dispose();
  const texts = new LruCache<string, tf.Tensor>(keptTexts, dispose);
  const samplers = new LruCache<string, Sampler<AdapterTensors>>(keptSamplers, dispose);
  const sources = new LruCache<string, tf.Tensor>(keptSources, dispose);
  const firstFrames = new LruCache<string, FirstFrame>(keptSources, (kept) => tf.dispose(firstFrameTensors(kept)));
  const flows = new LruCache<string, SourceFlows>(keptFlows, dispose);
  const decoded = new LruCache<string, Pictures>(keptSources);

  async function samplerFor(acting: readonly ActingConcept[]): Promise<Sampler<AdapterTensors>> {
    const described = acting.flatMap(({ parts }, place) =>
      Object.entries(parts).map(([name, { part }]) => ({ place, name, part })),
    );
    const places = acting.map((_, place) => place); // the sampler outlives the concepts
    const key = JSON.stringify(described);
    const made =
      samplers.get(key) ??
      createSampler<AdapterTensors>({
        denoiser: await pipeline.denoiser(),
        highNoise: pipeline.highNoise && {
          from: pipeline.highNoise.from,
          denoiser: await pipeline.highNoise.denoiser(),
        },
        scheduler: schedulerConfigOf(pipeline),
        ...(described.length > 0
          ? {
              hooks: (tensors: AdapterTensors, appearanceMask: tf.Tensor | undefined) => {
                // Rows of the negative prompt get a blank appearance.
                const rowAppearances = places.map((place) => {
                  const appearance = tensors[place]?.appearance;
                  return appearance && appearanceMask && tf.matMul(appearanceMask as tf.Tensor2D, appearance);
                });
                return hooksOf(
                  described.map(({ place, name, part }) =>
                    kindOf(part).add(tensors[place]!.parts[name]!, rowAppearances[place]),
                  ),
                );
              },
              readsAppearance: described.some(({ part }) => kindOf(part).readsAppearance),
            }
          : {}),
      });
    samplers.set(key, made);
    return made;
  }

  /** Of each prompt [1, text tokens, text width], owned by the caller. Those that are not known are encoded together. */
  async function encoded(
    prompts: readonly string[],
    tokens: TokenEmbeddings | undefined,
    options: EncodingOptions,
  ): Promise<tf.Tensor[]> {
    const keyOf = (prompt: string) => `${tokens ? hashOfTokens(tokens) : ''}|${prompt}`;
    // Cloned, for a long list may push its own first ones out of the cache.
    const found = new Map<string, tf.Tensor>();
    const missing: string[] = [];
    for (const prompt of new Set(prompts)) {
      const known = texts.get(keyOf(prompt));
      if (known) found.set(prompt, tf.clone(known));
      else missing.push(prompt);
    }
    try {
      // An encoder that is read from disk is read once for all of them; of one in memory nothing has to be taken apart again.
      const batches = pipeline.streamsText && missing.length > 0 ? [missing] : missing.map((prompt) => [prompt]);
      for (const batch of batches) {
        const made = await encodePrompts(pipeline, batch, tokens, options);
        const parts = batch.length === 1 ? [made] : tf.split(made, batch.length);
        for (const [index, text] of parts.entries()) {
          found.set(batch[index]!, tf.clone(text));
          texts.set(keyOf(batch[index]!), text);
        }
        if (batch.length > 1) made.dispose();
      }
      return prompts.map((prompt) => tf.clone(found.get(prompt)!));
    } finally {
      tf.dispose([...found.values()]);
    }
  }

  /** What FlowEdit computes of the clip itself, which is the same while words and sliders change. */
  function sourceFlows(
    { latents, key: source, fidelity, prompt }: NonNullable<ConceptSamplingOptions['source']>,
    { concept, steps, seeds }: Pick<ConceptSamplingOptions, 'concept' | 'steps' | 'seeds'>,
  ): (tf.Tensor | undefined)[] | undefined {
    if (steps * latents.size > keptFlowValues) return undefined;
    const concepts = concept && [hashOfTokens(concept.tokens), concept.acting.map(nameOfSource), concept.part];
    // Strengths that begin with the same step share them.
    const key = JSON.stringify([source, prompt, firstStep(fidelity, steps), steps, seeds, concepts]);
    const made = flows.get(key) ?? new SourceFlows();
    flows.set(key, made);
    return made.flows;
  }

  return {
    async encodeSource(pictures, signal) {
      const key = hashOfPictures(pictures);
      const latents = sources.get(key) ?? (await computed(await pipeline.encodeFrames(pictures, { signal })));
      sources.set(key, latents);
      return { latents, key };
    },
    async encodeFirstFrame(picture, frameCount, signal) {
      const key = `${frameCount}|${hashOfPictures(picture)}`;
      const known = firstFrames.get(key);
      if (known) return known;
      const made = await pipeline.encodeFirstFrame(picture, frameCount, { signal });
      for (const tensor of firstFrameTensors(made)) await computed(tensor);
      firstFrames.set(key, made);
      return made;
    },
    async decodeSource({ latents, key }, signal) {
      const pictures = decoded.get(key) ?? (await pipeline.decodeFrames(latents, { signal }));
      decoded.set(key, pictures);
      return pictures;
    },
    async sample({ concept, prompts, negativePrompt = '', guidance, source, ...options }) {
      const sampler = await samplerFor(concept?.acting ?? []);
      const adapter = concept ? adapterOf(concept, ({ gains }) => ({ gains, part: concept.part })) : undefined;
      const own: tf.Tensor[] = tensorsOf(adapter);
      try {
        const wantsNegative = guidance > 1;
        const words = [...prompts, ...(wantsNegative ? [negativePrompt] : []), ...(source ? [source.prompt] : [])];
        const { signal, onText: onLayer } = options;
        const encodedWords = await encoded(words, concept?.tokens, { signal, onLayer });
        own.push(...encodedWords);
        const text = tf.concat(encodedWords.slice(0, prompts.length), 0);
        own.push(text);
        const negative = wantsNegative ? tf.tile(encodedWords[prompts.length]!, [prompts.length, 1, 1]) : undefined;
        if (negative) own.push(negative);
        const common = { ...options, ...(adapter ? { adapter } : {}) };
        const wanted = { ...common, text, guidance, ...(negative ? { negative } : {}) };
        if (!source) return await sampler.generate(wanted);
        const { latents, fidelity, by } = source;
        const sourceText = encodedWords.at(-1)!;
        switch (by) {
          case 'noise':
            return await sampler.generate({ ...wanted, source: { latents, fidelity } });
          case 'inversion': {
            const inverted = await sampler.invert(latents, { ...common, text: sourceText, fidelity });
            own.push(inverted);
            return await sampler.generate({ ...wanted, source: { latents: inverted, fidelity, inverted: true } });
          }
          case 'flow-edit': {
            const asLearned =
              concept && adapterOf(concept, ({ isOwn }) => ({ gains: learnedGains, part: isOwn ? concept.part : 0 }));
            own.push(...tensorsOf(asLearned ?? undefined));
            const side = { text: sourceText, ...(asLearned ? { adapter: asLearned } : {}) };
            const guidingAdapter =
              adapter && concept && tensorsOf(adapter).length > 0 && concept.part > guidingPart
                ? scaled(concept.acting, adapter, guidingPart / concept.part)
                : undefined;
            own.push(...tensorsOf(guidingAdapter));
            const known = sourceFlows(source, { concept, ...options });
            return await sampler.flowEdit(latents, {
              ...wanted,
              fidelity,
              sourcePrompt: side,
              ...(guidingAdapter ? { guidingAdapter } : {}),
              ...(known ? { sourceFlows: known } : {}),
            });
          }
          default:
            throw new Error(`unknown start ${by satisfies never}`);
        }
      } finally {
        tf.dispose(own);
      }
    },
    dispose() {
      for (const kept of [samplers, texts, sources, firstFrames, flows, decoded]) kept.clear();
    },
  };
}

class SourceFlows {
  readonly flows: (tf.Tensor | undefined)[] = [];
  dispose(): void {
    tf.dispose(this.flows);
  }
}

/**
 * A tensor with its values. Left to be computed with what is made of it first, an executor may round that in
 * another way than the next time, and the same settings would not give the same frames.
 */
async function computed<T extends tf.Tensor>(tensor: T): Promise<T> {
  try {
    await tensor.data();
    return tensor;
  } catch (error) {
    tensor.dispose();
    throw error;
  }
}

/** The tensors of all that acts, at a setting for each. */
function adapterOf(
  { acting }: SampledConcept,
  settingOf: (concept: ActingConcept) => { gains: Gains; part: number },
): AdapterTensors {
  return adapterTensors(acting.map((each) => ({ ...each, ...settingOf(each) })));
}

type EncodingOptions = Omit<NonNullable<Parameters<VideoModel['encodeText']>[1]>, 'hooks'>;

/** Prompts with a concept's special tokens -> [prompts, tokens, text width]; the caller owns it. */
export async function encodePrompts(
  pipeline: VideoModel,
  prompts: readonly string[],
  tokens: TokenEmbeddings | undefined,
  options: EncodingOptions = {},
): Promise<tf.Tensor3D> {
  const known = tokens?.names ?? [];
  const marked = prompts.map((prompt) => markPrompt(prompt, known, pipeline.tokenizer));
  const texts = marked.map(({ text }) => text);
  if (!tokens || known.length === 0) return (await pipeline.encodeText(texts, options)) as tf.Tensor3D;
  const width = tokens.values.length / known.length;
  const embeddings = tf.tensor2d(tokens.values, [known.length, width]);
  try {
    const hooks = marked.map(({ names }) => tokenHooks([names], known, embeddings, pipeline.tokenizer));
    return (await pipeline.encodeText(texts, { ...options, hooks })) as tf.Tensor3D;
  } finally {
    embeddings.dispose();
  }
}
