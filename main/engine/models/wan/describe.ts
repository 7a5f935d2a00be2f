import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { ModelInfo } from '../../../../shared/domain/model.ts';
import { parseRational } from '../../../../shared/domain/time.ts';
import { weightForms } from '../../backends/weights.ts';
import { openWeights, readJson, readWeightsLink } from '../../formats/diffusers.ts';
import { noiseShift, schedulerConfigOf } from '../scheduler-config.ts';
import type { WanPipeline } from './pipeline.ts';
import { activationsPerToken } from './transformer-config.ts';
import { passedLayers } from './work.ts';

/** What an editor must know of a model to prepare clips for it. */
export async function describePipeline(pipeline: WanPipeline): Promise<ModelInfo> {
  const { directory, name, extras, strides, transformerConfig } = pipeline;
  let [parameters, heldParameters] = [0, 0];
  const transformers = pipeline.highNoise ? ['transformer', 'transformer_2'] : ['transformer'];
  const imageEncoder = pipeline.transformerConfig.image_dim === null ? [] : ['image_encoder'];
  for (const component of [...transformers, 'vae', 'text_encoder', ...imageEncoder]) {
    const source = await openWeights(join(directory, component));
    let count = 0;
    for (const name of source.names())
      count += source.info(name).shape.reduce((product, length) => product * length, 1);
    parameters += count;
    const isStreamed = component === 'image_encoder' || (component === 'text_encoder' && pipeline.streamsText);
    if (!isStreamed) heldParameters += count;
    await source.close();
  }
  // Of a model with two transformers, both are held.
  const ofOne = pipeline.shape.layers.filter(({ path }) => path.startsWith('blocks.'));
  const blockMatrices = transformers.flatMap(() => ofOne);
  return {
    name,
    directory,
    license: await licenseOf(directory),
    sizeBytes: await weightBytes(directory),
    parameters,
    heldParameters,
    blockParameters: blockMatrices.reduce((sum, { inSize, outSize }) => sum + inSize * outSize, 0),
    weightForms: weightForms(),
    numbersPerRank: ofOne.reduce((sum, { inSize, outSize }) => sum + outSize + 2 * inSize, 0),
    sizes: extras.sizes.map(({ width, height }) => [width, height]),
    frameCount: extras.frames,
    rate: parseRational(String(extras.frameRate)),
    layers: transformerConfig.num_layers,
    activationsPerToken: activationsPerToken(transformerConfig),
    work: {
      ...passedLayers(pipeline.shape.layers),
      promptTokens: extras.maxTextTokens,
      width: pipeline.shape.width,
      coding: pipeline.autoencoder.work,
      sampling: {
        steps: extras.sampling.steps,
        guidance: extras.sampling.guidance,
        shift: noiseShift(schedulerConfigOf(pipeline)),
      },
    },
    decoding: pipeline.autoencoder.decoding,
    learnsBelow: pipeline.highNoise?.from ?? null,
    selfConditioning: pipeline.selfConditioning,
    firstFrame: pipeline.firstFrame,
    vocabulary: await vocabularyOf(directory),
    temporalStride: strides.frames,
    spatialStride: Math.max(
      strides.height * transformerConfig.patch_size[1],
      strides.width * transformerConfig.patch_size[2],
    ),
  };
}

/** `vocabulary.json`, a list of words, where there is one. */
async function vocabularyOf(directory: string): Promise<string[] | null> {
  const file = join(directory, 'vocabulary.json');
  return existsSync(file) ? readJson(file, z.array(z.string())) : null;
}

/** The `license:` line of the model card, where there is one. */
async function licenseOf(directory: string): Promise<string> {
  const card = await readFile(join(directory, 'README.md'), 'utf8').catch(() => '');
  return /^license:\s*(\S+)/m.exec(card)?.[1] ?? 'unknown';
}

/** Files of weights, in the folder or linked from it. */
async function weightBytes(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true });
  let bytes = 0;
  for (const file of files) {
    if (file.endsWith('.safetensors')) bytes += (await stat(join(directory, file))).size;
    else if (basename(file) === 'weights.json')
      bytes += (await readWeightsLink(join(directory, dirname(file))))?.bytes ?? 0;
  }
  return bytes;
}
