import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../../../shared/ipc/result.ts';
import * as tf from '../../backends/tf.ts';
import { traced } from '../../backends/traced.ts';
import { readJson } from '../../formats/diffusers.ts';
import { disposeTree } from '../../nn/tree.ts';
import { countParameters, loadComponent, loadedOnce } from '../components.ts';
import { framesToVideo } from '../frames.ts';
import type { TwinAutoencoder, TwinLatents } from '../twin-autoencoder.ts';
import { findCameraPath } from './camera-path.ts';
import { joinPath, splitPath } from './path-lines.ts';
import { scalePath, steady, unstretched } from './steady-clip.ts';
import { ChunkJoiner, chunkStarts, cutChunk } from './twin-chunks.ts';
import { isWhole, latentNumbers, latentShapes, pathLines, type TwinConfig, twinConfigSchema } from './twin-config.ts';
import { type Twin, twinDecode, twinEncode } from './twin-network.ts';
import { type TwinParameters, twinSpecs } from './twin-parameters.ts';

type DecodeInputs = Twin<tf.Tensor> & { shares: { structure: tf.Tensor; dynamics: tf.Tensor } };

/** Opens a VidTwin's folder: config.json and model.safetensors. Throws `not-found` or `damaged-file`. */
export async function openVidTwin(folder: string): Promise<TwinAutoencoder> {
  const config = await readJson(join(folder, 'config.json'), twinConfigSchema);
  const specs = twinSpecs(config);
  const network = loadedOnce(
    async () => createNetwork(config, await loadComponent<TwinParameters>(folder, specs)),
    (loaded) => loaded.dispose(),
  );
  let fingerprint: Promise<string> | undefined;
  const { patch } = config;
  const padded = (length: number) => Math.ceil(length / patch) * patch;

  return {
    folder,
    name: config.name,
    frames: config.frames,
    frameRate: config.frame_rate,
    width: config.width,
    height: config.height,
    cell: patch * 2 ** Math.max(config.structure_halvings, config.dynamics_halvings),
    parameters: countParameters(specs),
    disentangled: config.disentangle,

    async encodeTwin(pictures, { signal, onProgress } = {}) {
      const { count, width, height } = pictures;
      checkSize(config, padded(width), padded(height));
      const { encode } = await network();
      const starts = chunkStarts(count, config.frames);
      const parts: Twin<tf.Tensor>[] = [];
      try {
        for (const [index, start] of starts.entries()) {
          signal?.throwIfAborted();
          const chunk = cutChunk(pictures, start, config.frames, width, height);
          const path = pathLines(config) > 0 ? findCameraPath(chunk) : undefined;
          const seen = path ? steady(chunk, path) : chunk;
          const clip = framesToVideo(cutChunk(seen, 0, config.frames, padded(width), padded(height)));
          const part = await encode.run(clip, signal).finally(() => clip.dispose());
          parts.push(path ? { ...part, dynamics: joinPath(config, part.dynamics!, path) } : part);
          onProgress?.(index + 1, starts.length);
        }
        const joined = (found: (tf.Tensor | undefined)[]) => tf.concat(found as tf.Tensor[], 0);
        const latents = {
          structure: joined(parts.map(({ structure }) => structure)),
          frameCount: count,
          width,
          height,
        };
        return config.disentangle ? { ...latents, dynamics: joined(parts.map(({ dynamics }) => dynamics)) } : latents;
      } finally {
        tf.dispose(parts as unknown as tf.TensorContainer);
      }
    },

    async decodeTwin(latents, strengths, { signal, onProgress } = {}) {
      const [width, height] = [padded(latents.width), padded(latents.height)];
      checkSize(config, width, height);
      checkLatents(config, latents, width, height);
      const { decoder } = await network();
      const decode = decoder(height, width);
      const joiner = new ChunkJoiner(latents);
      const starts = chunkStarts(latents.frameCount, config.frames);
      const shares = { structure: tf.scalar(strengths.structure), dynamics: tf.scalar(strengths.dynamics) };
      try {
        for (const [index, start] of starts.entries()) {
          signal?.throwIfAborted();
          const part = (all: tf.Tensor) =>
            tf.slice(all, [index, ...all.shape.slice(1).map(() => 0)], [1, ...all.shape.slice(1)]);
          const moving = latents.dynamics && (await splitPath(config, part(latents.dynamics)));
          const inputs: DecodeInputs = {
            structure: part(latents.structure),
            ...(moving ? { dynamics: moving.dynamics } : {}),
            shares,
          };
          const clip = await decode
            .run(inputs, signal)
            .finally(() => tf.dispose([inputs.structure, inputs.dynamics ?? []]));
          const values = (await clip.data()) as Float32Array;
          clip.dispose();
          const window = { values, frames: config.frames, width, height };
          const found = moving?.path && (latents.isBorrowed ? unstretched(moving.path) : moving.path);
          const path = found && scalePath(found, strengths.dynamics);
          joiner.add({ start, ...window, ...(path ? { path } : {}) }, starts[index + 1]);
          onProgress?.(index + 1, starts.length);
        }
        return joiner.result();
      } finally {
        tf.dispose([shares.structure, shares.dynamics]);
      }
    },

    shapesOf: (width, height) => latentShapes(config, padded(height), padded(width)),
    rateOf({ frameCount, width, height }) {
      const chunks = chunkStarts(frameCount, config.frames).length;
      return (chunks * latentNumbers(config, padded(height), padded(width))) / (3 * frameCount * height * width);
    },
    fingerprint() {
      fingerprint ??= hashFolder(folder, config);
      return fingerprint;
    },
    dispose: network.release,
  };
}

function createNetwork(config: TwinConfig, parameters: TwinParameters) {
  const encode = traced((clip: tf.Tensor): Twin<tf.Tensor> => twinEncode(config, parameters, clip));
  const decoders = new Map<string, ReturnType<typeof newDecoder>>();
  const newDecoder = (height: number, width: number) =>
    traced(({ structure, dynamics, shares }: DecodeInputs) =>
      twinDecode(config, parameters, dynamics ? { structure, dynamics } : { structure }, [height, width], shares),
    );
  return {
    encode,
    /** Latents alone do not say how large the pictures are: halving rounds up. */
    decoder(height: number, width: number) {
      const key = `${height} ${width}`;
      const decoder = decoders.get(key) ?? newDecoder(height, width);
      decoders.set(key, decoder);
      return decoder;
    },
    dispose() {
      for (const step of [encode, ...decoders.values()]) step.dispose();
      disposeTree(parameters);
    },
  };
}

function checkSize(config: TwinConfig, width: number, height: number): void {
  if (!isWhole(config) || (width === config.width && height === config.height)) return;
  throw new AppError('invalid-input', `This network takes pictures of ${config.width} x ${config.height} alone.`, {
    hint: 'Bring the clip to that size first.',
  });
}

function checkLatents(config: TwinConfig, latents: TwinLatents, width: number, height: number): void {
  const chunks = chunkStarts(latents.frameCount, config.frames).length;
  const shapes = latentShapes(config, height, width);
  for (const name of ['structure', 'dynamics'] as const) {
    const expected = shapes[name] && [chunks, ...shapes[name]];
    if (`${latents[name]?.shape ?? ''}` === `${expected ?? ''}`) continue;
    throw new AppError(
      'invalid-input',
      `The ${name} is [${latents[name]?.shape ?? 'missing'}], where [${expected}] belongs.`,
      {
        hint: 'The latents are of another network.',
      },
    );
  }
}

/** Of the configuration that shapes the network, and every byte of the weights. */
async function hashFolder(folder: string, config: TwinConfig): Promise<string> {
  const hash = createHash('sha256');
  const names = Object.keys(twinConfigSchema.shape).sort();
  hash.update(JSON.stringify(names.map((name) => [name, config[name]])));
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.safetensors')).sort())
    for await (const part of createReadStream(join(folder, name))) hash.update(part as Buffer);
  return hash.digest('hex');
}
