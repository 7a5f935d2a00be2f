import * as tf from '../../backends/tf.ts';
import type { ParameterSpec, ParameterSpecs } from '../../nn/parameters.ts';
import { Random } from '../../nn/random.ts';
import { type Tree, treeFromEntries } from '../../nn/tree.ts';
import { discriminatorSpecs } from './patch-discriminator.ts';
import type { TwinConfig } from './twin-config.ts';
import { twinSpecs } from './twin-parameters.ts';

/**
 * Where training begins. Linear layers Xavier uniform; convolutions and the layers `widen`, which a ReLU follows, normal with variance 2 / inputs
 * (PyTorch's default fades over the structure's five convolutions); biases 0, but -4 for log-variances, whose weights are a tenth (at 0, noise drowns
 * the latents for the first hundreds of steps). Attention over time and the last layer begin at 0, gates at 1.
 */
export function initialTwin(config: TwinConfig, seed: number): Tree {
  const random = new Random(`${seed}/twin`);
  return fill(twinSpecs(config), (name, spec) => {
    const { stored } = spec;
    const count = sizeOf(stored);
    const [layer, kind] = [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.') + 1)];
    if (kind === 'queries') return random.normals(count);
    if (kind === 'scale') return ones(count);
    if (kind === 'modulation') {
      // shift, scale, gate, shift, scale, gate
      return Float32Array.from({ length: count }, (_, i) => (Math.floor(i / config.hidden) % 3 === 2 ? 1 : 0));
    }
    if (stored.length === 1) return isNorm(layer) && kind === 'weight' ? ones(count) : halfBias(config, layer, count);
    if (layer.endsWith('time_out') || layer === 'patch_out') return new Float32Array(count);
    if (name === 'direct.mean') return new Float32Array(count);
    if (name === 'direct.components') return random.normals(count).map((value) => value / Math.sqrt(stored[2]!));
    const inputs = sizeOf(stored.slice(1));
    if (stored.length > 2 || layer.endsWith('widen')) {
      const deviation = Math.sqrt(2 / inputs);
      const values = random.normals(count).map((value) => value * deviation);
      return isHead(layer) ? quietHalf(config, layer, values, spec) : values;
    }
    const limit = Math.sqrt(6 / (stored[0]! + stored[1]!));
    const values = random.uniforms(count, -limit, limit);
    return isHead(layer) ? quietHalf(config, layer, values, spec) : values;
  });
}

/** A fresh patch discriminator: normal weights of deviation 0.02. */
export function initialDiscriminator(channels: number, seed: number): Tree {
  const random = new Random(`${seed}/discriminator`);
  return fill(discriminatorSpecs(channels), (name, { stored }) => {
    const count = sizeOf(stored);
    if (stored.length > 1) return random.normals(count).map((value) => 0.02 * value);
    return name.startsWith('norms.') && name.endsWith('.weight') ? ones(count) : new Float32Array(count);
  });
}

const isNorm = (layer: string) => /(^|[._])norm\d*$/.test(layer);
const isHead = (layer: string) => /^(structure\.bottle_down|dynamics\.head|single\.head)$/.test(layer);

const ones = (count: number) => new Float32Array(count).fill(1);

/** Whether output i of a head is a log-variance: the second half of what it gives, or of what it gives for each frame of a patch. */
function isLogVariance(config: TwinConfig, layer: string, i: number, outputs: number): boolean {
  const frames = layer.startsWith('structure') ? 1 : config.patch_frames;
  return Math.floor(i / (outputs / (2 * frames))) % 2 === 1;
}

function halfBias(config: TwinConfig, layer: string, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) =>
    isHead(layer) && isLogVariance(config, layer, i, count) ? -4 : 0,
  );
}

/** In memory the outputs are the last axis. */
function quietHalf(config: TwinConfig, layer: string, values: Float32Array, { stored }: ParameterSpec): Float32Array {
  const outputs = stored[0]!;
  return values.map((value, i) => (isLogVariance(config, layer, i % outputs, outputs) ? value / 10 : value));
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

/** Values come in memory's order; which one goes where does not matter to what is drawn at random. */
function fill(specs: ParameterSpecs, values: (name: string, spec: ParameterSpec) => Float32Array): Tree {
  return treeFromEntries(
    [...specs].map(([name, spec]) => {
      const { view = spec.stored, axes, shape } = spec;
      const inMemory = shape ?? (axes ? axes.map((axis) => view[axis]!) : view);
      return [name, tf.keep(tf.tensor(values(name, spec), inMemory, 'float32'))];
    }),
  );
}
