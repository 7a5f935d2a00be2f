import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hooksOf, type LowRank } from '../../main/engine/adapters/additions.ts';
import { selectBackend } from '../../main/engine/backends/select.ts';
import * as tf from '../../main/engine/backends/tf.ts';
import { weightForms } from '../../main/engine/backends/weights.ts';
import { openWanPipeline, type WanPipeline } from '../../main/engine/models/wan/pipeline.ts';
import { transformerConfigSchema, transformerSpecs } from '../../main/engine/models/wan/transformer-config.ts';
import { Random } from '../../main/engine/nn/random.ts';
import type { DeviceName } from '../../shared/domain/engine.ts';
import { writeRandom } from './full-size-models.ts';

const rank = 16;
const levels = [0.2, 0.5, 0.8];

/** The reference transformer, 6 layers x 384, with random weights. */
function writeReference(folder: string): string {
  const model = join(folder, 'model');
  cpSync(join(process.cwd(), 'test/golden/model'), model, { recursive: true });
  const size = { num_attention_heads: 6, attention_head_dim: 64, ffn_dim: 1536, num_layers: 6, freq_dim: 256 };
  const config = transformerConfigSchema.parse({ ...size, text_dim: 24, in_channels: 4, out_channels: 4 });
  writeFileSync(join(model, 'transformer/config.json'), JSON.stringify(config));
  const shapes = [...transformerSpecs(config)].map(([name, { stored }]) => [name, stored] as const);
  writeRandom(join(model, 'transformer/diffusion_pytorch_model.safetensors'), new Map(shapes));
  return model;
}

/** Predictions at three noise levels, and there the gradients of a low-rank change of every layer in the blocks. */
async function predicted(pipeline: WanPipeline, text: tf.Tensor): Promise<Float32Array[]> {
  const { denoise, selfConditioning, timeFeatures } = await pipeline.denoiser();
  const random = new Random(3);
  const normals = (shape: number[], scale = 1) =>
    tf.tidy(() => tf.mul(tf.tensor(random.normals(shape.reduce((a, b) => a * b)), shape), scale));
  const shape = [1, pipeline.latentChannels, 5, 16, 16];
  const [clean, noise] = [normals(shape), normals(shape)];
  const layers = pipeline.shape.layers.filter(({ path }) => path.startsWith('blocks.'));
  const changes = layers.flatMap(({ inSize, outSize }) => [
    normals([outSize, rank], outSize ** -0.5),
    normals([rank, inSize], 0.05 * inSize ** -0.5),
  ]);
  const results: Float32Array[] = [];
  for (const level of levels) {
    const noisy = tf.tidy(() => tf.add(tf.mul(clean, 1 - level), tf.mul(noise, level)));
    const latents = selfConditioning ? tf.concat([noisy, tf.zerosLike(noisy)], 1) : noisy;
    const inputs = { latents, timestep: timeFeatures([1000 * level]), text };
    const flow = (...given: tf.Tensor[]) => {
      const lowRank = layers.map(({ path }, index): [string, LowRank] => {
        const [basis, coefficients] = given.slice(2 * index) as [tf.Tensor2D, tf.Tensor2D];
        return [path, { basis, coefficients, side: 'output' }];
      });
      return denoise(inputs, { hooks: hooksOf([{ lowRank: new Map(lowRank) }]) });
    };
    const loss = (...given: tf.Tensor[]) =>
      tf.mean(tf.square(tf.sub(flow(...given), tf.sub(noise, clean)))) as tf.Scalar;
    const made = tf.tidy(() => [
      flow(...changes),
      tf.concat(
        tf
          .grads(loss)(changes)
          .map((each) => tf.reshape(each, [-1])),
      ),
    ]);
    for (const tensor of made) results.push(Float32Array.from(await tensor.data()));
    tf.dispose([made, inputs.latents, inputs.timestep, noisy] as unknown as tf.TensorContainer);
  }
  tf.dispose([clean, noise, ...changes]);
  return results;
}

const relative = (found: Float32Array, expected: Float32Array) => {
  let [difference, length] = [0, 0];
  for (const [index, value] of expected.entries()) {
    difference += (found[index]! - value) ** 2;
    length += value ** 2;
  }
  return Math.sqrt(difference / length);
};

// node test/bench/run.mjs weight-error [DEVICE]: relative errors against float32 weights, at noise levels 0.2, 0.5 and 0.8
const [device = 'onnxruntime'] = process.argv.slice(2);
await selectBackend({ device: device as DeviceName });
const folder = mkdtempSync(join(tmpdir(), 'motif-weight-error-'));
const models = { embedded: join(process.cwd(), 'resources/models/motif-tiny'), reference: writeReference(folder) };
for (const [name, directory] of Object.entries(models)) {
  const pipeline = await openWanPipeline(directory);
  const text = await pipeline.encodeText(['a dog runs on the beach']);
  let expected: Float32Array[] = [];
  for (const form of weightForms()) {
    await pipeline.heldWeights.use(form);
    const before = process.cpuUsage();
    const found = await predicted(pipeline, text);
    const { user, system } = process.cpuUsage(before);
    if (form === 'float32') expected = found;
    const errors = found.map((values, index) => relative(values, expected[index]!).toExponential(1));
    const of = (kind: number) => errors.filter((_, index) => index % 2 === kind).join(' ');
    console.log(
      `${name}, ${form}: prediction ${of(0)}, gradient ${of(1)}, ${((user + system) / 1e6).toFixed(1)} s of processor time`,
    );
  }
  await pipeline.dispose();
}
rmSync(folder, { recursive: true });
