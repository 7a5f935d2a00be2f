import { dirname, join } from 'node:path';
import * as tf from '../../main/engine/backends/tf.ts';
import { openTwinAutoencoder } from '../../main/engine/models/autoencoders.ts';
import { countParameters } from '../../main/engine/models/components.ts';
import { dynamicsLines, generatorSpecs } from '../../main/engine/models/twin-generator/generator-config.ts';
import { openTwinGenerator } from '../../main/engine/models/twin-generator/twin-generator.ts';
import { Random } from '../../main/engine/nn/random.ts';
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

/** Both latents of one clip from noise with guidance, from cached words, then decoding: beside the task `edit` of the model's own latents. */
export async function twinGenerateTask(model: string, steps: number): Promise<TaskWork> {
  const twin = await openTwin(model);
  const { frames: frameCount, width, height } = twin;
  const generator = await openTwinGenerator(join(twin.folder, 'generator'), twin);
  const { config, parameters } = generator;
  const [rows, columns] = twin.shapesOf(width, height).structure.slice(2) as [number, number];
  const text = tf.tensor(new Random(1).normals(2 * 80 * config.text_width), [2, 80, config.text_width]);
  const numbers = countParameters(generatorSpecs(config));
  return {
    note: `${steps} steps, ${rows * columns + dynamicsLines(config, [rows, columns])} tokens, ${(numbers / 1e6).toFixed(2)} M parameters`,
    async work() {
      const options = { steps, guidance: 3, seed: 1 };
      const made = await sampleTwin({ config, parameters }, twin, text, [rows, columns], options);
      await twin.decodeTwin({ ...made, frameCount, width, height }, whole);
      tf.dispose([made.structure, made.dynamics]);
    },
  };
}
