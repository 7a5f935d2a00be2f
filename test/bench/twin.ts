import { dirname, join } from 'node:path';
import * as tf from '../../main/engine/backends/tf.ts';
import { openTwinAutoencoder } from '../../main/engine/models/autoencoders.ts';
import {
  dynamicsSize,
  generatorConfigSchema,
  generatorSpecs,
  structureSize,
} from '../../main/engine/models/twin-generator/generator-config.ts';
import type { GeneratorParameters } from '../../main/engine/models/twin-generator/generator-network.ts';
import { Random } from '../../main/engine/nn/random.ts';
import { treeFromEntries } from '../../main/engine/nn/tree.ts';
import { sampleTwin } from '../../main/engine/sampling/generate-twin.ts';
import type { TaskWork } from './task.ts';

/** The twin that lies beside a model. */
const openTwin = (model: string) => openTwinAutoencoder(join(dirname(model), 'motif-twin'));

const whole = { structure: 1, dynamics: 1 };

/** Waves that a camera goes along, a pixel and a half a frame; peer.py draws the same. */
function movingPictures(count: number, width: number, height: number): Uint8Array {
  const data = new Uint8Array(count * height * width * 3);
  for (let frame = 0; frame < count; frame++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        for (let channel = 0; channel < 3; channel++) {
          let value = 128;
          for (let wave = 0; wave < 6; wave++)
            value +=
              20 *
              Math.sin((0.05 + 0.07 * wave) * (column + 1.5 * frame) + (0.08 + 0.05 * wave) * row + wave + channel);
          data[((frame * height + row) * width + column) * 3 + channel] = Math.max(0, Math.min(255, value));
        }
  return data;
}

/** Of so many chunks. */
const chunks = 3;

/** Steadied and encoded, then what came out decoded and set in motion. */
export async function twinTask(model: string): Promise<TaskWork> {
  const twin = await openTwin(model);
  const { frames, width, height } = twin;
  const count = frames + (chunks - 1) * Math.ceil(0.75 * frames);
  const data = movingPictures(count, width, height);
  return {
    note: `${count} frames of ${width}x${height} in ${chunks} chunks, ${(twin.parameters / 1e6).toFixed(2)} M parameters`,
    async work() {
      const latents = await twin.encodeTwin({ data, count, width, height });
      await twin.decodeTwin(latents, whole);
      tf.dispose([latents.structure, latents.dynamics!]);
    },
  };
}

/**
 * Both latents of one clip from noise with guidance, from cached words, then decoding: beside the task `edit` of the model's own latents. A fresh network of the
 * preset: what it computes does not depend on its weights.
 */
export async function twinGenerateTask(model: string, steps: number): Promise<TaskWork> {
  const twin = await openTwin(model);
  const { frames: frameCount, width, height } = twin;
  const { structure, dynamics } = twin.shapesOf(width, height) as { structure: number[]; dynamics: number[] };
  const [queries, structureDim, rows, columns] = structure as [number, number, number, number];
  const latents = { queries, structure_dim: structureDim, dynamics_dim: dynamics[1]! };
  const sizes = { structure: structureSize(latents), dynamics: dynamicsSize({ ...latents, frames: frameCount }) };
  const shape = { hidden: 192, depth: 6, heads: 3, feed_forward: 768, time_features: 256, text_width: 256 };
  const generator = generatorConfigSchema.parse({
    ...{ version: 1, method: 'TwinGenerator', name: 'fresh', ...shape, ...latents, frames: frameCount },
    twin: { name: twin.name, weights: '0'.repeat(64), width, height },
    structure_mean: new Array(sizes.structure).fill(0),
    structure_std: new Array(sizes.structure).fill(1),
    dynamics_mean: new Array(sizes.dynamics).fill(0),
    dynamics_std: new Array(sizes.dynamics).fill(1),
  });
  const random = new Random(1);
  const specs = generatorSpecs(generator);
  const parameters = treeFromEntries(
    [...specs].map(([name, { stored, axes }]) => {
      const inMemory = axes ? axes.map((axis) => stored[axis]!) : stored;
      const values = random.normals(tf.util.sizeFromShape(stored)).map((value) => 0.05 * value);
      return [name, tf.keep(tf.tensor(values, inMemory))];
    }),
  ) as GeneratorParameters;
  const text = tf.tensor(random.normals(2 * 80 * shape.text_width), [2, 80, shape.text_width]);
  const numbers = [...specs.values()].reduce((sum, { stored }) => sum + tf.util.sizeFromShape(stored), 0);
  return {
    note: `${steps} steps, ${rows * columns + rows + columns} tokens, ${(numbers / 1e6).toFixed(2)} M parameters`,
    async work() {
      const made = await sampleTwin({ config: generator, parameters }, twin, text, [rows, columns], {
        steps,
        guidance: 4,
        seed: 1,
      });
      await twin.decodeTwin({ ...made, frameCount, width, height }, whole);
      tf.dispose([made.structure, made.dynamics]);
    },
  };
}
