import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeModelDirectory } from '../../formats/diffusers.ts';
import { parametersToWrite } from '../../nn/parameters.ts';
import type { WeightType } from '../video-autoencoder.ts';
import type { WanPipeline } from './pipeline.ts';
import { textEncoderSpecs } from './text-encoder-config.ts';
import { transformerSpecs } from './transformer-config.ts';

/**
 * Writes the model to a new directory that Python's diffusers loads, with the weights as they are in memory.
 * Configurations are taken over word for word. Throws `conflict` when the directory exists.
 */
export async function savePipeline(pipeline: WanPipeline, directory: string, type: WeightType = 'F16'): Promise<void> {
  const read = (...names: string[]) => readFile(join(pipeline.directory, ...names), 'utf8');
  if (pipeline.highNoise) throw new Error('models with two transformers are not written');
  const transformer = await pipeline.transformer();
  const textEncoder = await pipeline.textEncoderWeights();
  const extras = await readFile(join(pipeline.directory, 'motif.json'), 'utf8').catch(() => undefined);
  await writeModelDirectory(directory, {
    index: await read('model_index.json'),
    components: [
      {
        name: 'transformer',
        config: await read('transformer', 'config.json'),
        tensors: parametersToWrite(transformer, transformerSpecs(pipeline.transformerConfig), type),
      },
      {
        name: 'vae',
        config: await read('vae', 'config.json'),
        tensors: await pipeline.weightsToWrite(type),
      },
      {
        name: 'text_encoder',
        config: await read('text_encoder', 'config.json'),
        weightsName: 'model',
        tensors: parametersToWrite(textEncoder, textEncoderSpecs(pipeline.textEncoderConfig), type),
      },
      {
        name: 'scheduler',
        configName: 'scheduler_config.json',
        config: await read('scheduler', 'scheduler_config.json'),
      },
    ],
    copies: [{ name: 'tokenizer', from: join(pipeline.directory, 'tokenizer') }],
    files: extras === undefined ? [] : [{ name: 'motif.json', content: extras }],
  });
}
