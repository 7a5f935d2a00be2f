import type { RawFrames } from '../../../shared/domain/clip.ts';
import { parseRational } from '../../../shared/domain/time.ts';
import type { GenerateTwinRequest } from '../../../shared/domain/twin.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import * as tf from '../backends/tf.ts';
import { traced } from '../backends/traced.ts';
import { writeRawFrames } from '../formats/raw-frames.ts';
import type { TwinAutoencoder, TwinLatents } from '../models/twin-autoencoder.ts';
import {
  dynamicsLines,
  dynamicsSize,
  type GeneratorConfig,
  structureSize,
} from '../models/twin-generator/generator-config.ts';
import {
  cellsOf,
  dynamicsFrom,
  fromTokens,
  generatorFlow,
  type TwinTokens,
} from '../models/twin-generator/generator-network.ts';
import { openTwinGenerator, type TwinGenerator } from '../models/twin-generator/twin-generator.ts';
import { timestepFeatures } from '../nn/positions.ts';
import { Random } from '../nn/random.ts';
import { disposeTree } from '../nn/tree.ts';
import { disposeLatents } from './kept-latents.ts';
import type { OpenModel } from './open-model.ts';
import { createPhaseMeter } from './phase-meter.ts';

/**
 * Makes a clip of words: one chunk of a twin's latents from noise, decoded. The words are encoded by the model. The same request gives the
 * same bytes. Throws `not-found` without a generator, and `invalid-input` for one of another twin or of another text encoder.
 */
export async function generateTwinClip(
  { pipeline, name }: OpenModel,
  twin: TwinAutoencoder,
  request: GenerateTwinRequest,
  { signal, onEvent }: EngineCallOptions = {},
): Promise<RawFrames> {
  const generator = await openTwinGenerator(request.generator, twin);
  try {
    const { config } = generator;
    if (pipeline.textWidth !== config.text_width)
      throw new AppError(
        'invalid-input',
        `The text encoder of ${name} has another width than "${config.name}" reads.`,
        {
          hint: 'Choose the model by whose text encoder it was trained with --model.',
        },
      );
    const { width, height } = request.size ?? config.twin;
    const grid = gridOf(config, twin, width, height);
    const measure = createPhaseMeter(performance.now());
    const report = (phase: string, unit: string) => (done: number, total: number) =>
      onEvent?.({ type: 'progress', progress: { phase, done, total, unit, ...measure(phase, done, total) } });
    const text = await pipeline.encodeText([request.prompt, request.negativePrompt], {
      signal,
      onLayer: report('text', 'layers'),
    });
    const made = await sampleTwin(generator, twin, text, grid, {
      ...request,
      signal,
      onStep: report('sample', 'steps'),
    }).finally(() => text.dispose());
    const latents: TwinLatents = { ...made, frameCount: twin.frames, width, height };
    const whole = { structure: 1, dynamics: 1 };
    const pictures = await twin
      .decodeTwin(latents, whole, { signal, onProgress: report('decode', 'chunks') })
      .finally(() => disposeLatents(latents));
    return await writeRawFrames(request.output, pictures, parseRational(String(twin.frameRate)));
  } finally {
    disposeTree(generator.parameters);
  }
}

type Grid = readonly [rows: number, columns: number];

/** Rows and columns of the structure of such pictures. */
function gridOf(config: GeneratorConfig, twin: TwinAutoencoder, width: number, height: number): Grid {
  const { structure, dynamics } = twin.shapesOf(width, height);
  const [rows, columns] = structure.slice(2) as [number, number];
  const expected = [config.queries, config.structure_dim, rows, columns];
  const lines = [config.frames, config.dynamics_dim, dynamicsLines(config, [rows, columns])];
  if (`${structure}` !== `${expected}` || `${dynamics}` !== `${lines}`)
    throw new Error(
      `"${config.name}" makes [${expected}] and [${lines}], the twin has [${structure}] and [${dynamics}]`,
    );
  if (config.cell > 0 && config.cell !== twin.cells?.numbers)
    throw new Error(`"${config.name}" makes cells of ${config.cell} numbers, the twin has ${twin.cells?.numbers}`);
  return [rows, columns];
}

interface SampleOptions {
  steps: number;
  guidance: number;
  seed: number;
  signal?: AbortSignal | undefined;
  onStep?(done: number, total: number): void;
}

/**
 * Both latents of one clip, by Euler steps down evenly spaced noise levels with classifier-free guidance. text [2, words, text width]: of the
 * prompt, then of the negative one. -> structure [1, queries, dim, rows, columns] and dynamics [1, frames, dim, lines]
 */
export async function sampleTwin(
  { config, parameters }: TwinGenerator,
  twin: Pick<TwinAutoencoder, 'cells'>,
  text: tf.Tensor,
  grid: Grid,
  { steps, guidance, seed, signal, onStep }: SampleOptions,
): Promise<TwinTokens> {
  const random = new Random(`${seed}/twin`);
  const noise = (tokens: number, numbers: number) => tf.tensor(random.normals(tokens * numbers), [1, tokens, numbers]);
  let x: TwinTokens = {
    structure: noise(grid[0] * grid[1], structureSize(config)),
    dynamics: noise(dynamicsLines(config, grid), dynamicsSize(config)),
  };
  type Inputs = { x: TwinTokens; timeFeatures: tf.Tensor; text: tf.Tensor; push: tf.Tensor; change: tf.Tensor };
  const step = traced(({ x: noisy, timeFeatures, text: words, push, change }: Inputs) => {
    const both = (tokens: tf.Tensor) => tf.concat([tokens, tokens], 0);
    const twice = { structure: both(noisy.structure), dynamics: both(noisy.dynamics) };
    const flow = generatorFlow(config, parameters, twice, { timeFeatures, text: words }, grid);
    const next = (tokens: tf.Tensor, flows: tf.Tensor) => {
      const [wanted, without] = tf.split(flows, 2, 0) as [tf.Tensor, tf.Tensor];
      return tf.add(tokens, tf.mul(change, tf.add(without, tf.mul(push, tf.sub(wanted, without)))));
    };
    return { structure: next(noisy.structure, flow.structure), dynamics: next(noisy.dynamics, flow.dynamics) };
  });
  const push = tf.scalar(guidance);
  try {
    for (let index = 0; index < steps; index++) {
      signal?.throwIfAborted();
      const sigma = 1 - index / steps;
      const timeFeatures = timestepFeatures([1000 * sigma, 1000 * sigma], config.time_features);
      const change = tf.scalar(-1 / steps);
      const before = x;
      x = await step
        .run({ x: before, timeFeatures, text, push, change }, signal)
        .finally(() => tf.dispose([timeFeatures, change]));
      tf.dispose([before.structure, before.dynamics]);
      onStep?.(index + 1, steps);
    }
    const tokens = tidied(() => denormalised(config, x));
    try {
      if (!parameters.common) return tidied(() => fromTokens(config, tokens, grid));
      const cells = cellsOf(parameters.common, tokens.structure);
      const structure = await twin.cells!.code(cells, grid).finally(() => cells.dispose());
      return { structure, dynamics: dynamicsFrom(config, tokens.dynamics, grid) };
    } finally {
      tf.dispose([tokens.structure, tokens.dynamics]);
    }
  } finally {
    tf.dispose([x.structure, x.dynamics, push]);
    step.dispose();
  }
}

const tidied = (work: () => TwinTokens) =>
  tf.tidy(work as unknown as () => tf.TensorContainer) as unknown as TwinTokens;

function denormalised(config: GeneratorConfig, { structure, dynamics }: TwinTokens): TwinTokens {
  const restore = (x: tf.Tensor, mean: number[], deviation: number[]) =>
    tf.add(tf.mul(x, tf.tensor1d(deviation)), tf.tensor1d(mean));
  return {
    structure: restore(structure, config.structure_mean, config.structure_std),
    dynamics: restore(dynamics, config.dynamics_mean, config.dynamics_std),
  };
}
