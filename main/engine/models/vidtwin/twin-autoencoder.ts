import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../../../shared/ipc/result.ts';
import * as tf from '../../backends/tf.ts';
import { traced } from '../../backends/traced.ts';
import { readJson } from '../../formats/diffusers.ts';
import { disposeTree } from '../../nn/tree.ts';
import { countParameters, loadComponent, loadedOnce } from '../components.ts';
import { framesToVideo } from '../frames.ts';
import type { TwinAutoencoder, TwinLatents } from '../twin-autoencoder.ts';
import { borrowPath, scaleOwnPath } from './borrowed-path.ts';
import { type CameraPath, findCameraPath } from './camera-path.ts';
import { joinPath, readPaths, withoutPath } from './path-lines.ts';
import { steady } from './steady-clip.ts';
import { ChunkJoiner, chunkStarts, cutChunk, type DecodedChunk } from './twin-chunks.ts';
import {
  type Grid,
  gatheredNumbers,
  hasDirect,
  isWhole,
  latentNumbers,
  latentShapes,
  pathLines,
  type TwinConfig,
  twinConfigSchema,
} from './twin-config.ts';
import { codeCells } from './twin-direct.ts';
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
        const prepare = (start: number) => {
          const chunk = cutChunk(pictures, start, config.frames, width, height);
          const path = pathLines(config) > 0 ? findCameraPath(chunk) : undefined;
          const seen = path ? steady(chunk, path) : chunk;
          return { path, seen: cutChunk(seen, 0, config.frames, padded(width), padded(height)) };
        };
        let next = prepare(starts[0]!);
        for (const index of starts.keys()) {
          signal?.throwIfAborted();
          const { path, seen } = next;
          const clip = framesToVideo(seen);
          const part = await meanwhile(encode.run(clip, signal), () => {
            if (index + 1 < starts.length) next = prepare(starts[index + 1]!);
          }).finally(() => clip.dispose());
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
      const paths = await pathsOf(config, latents, starts, strengths.dynamics);
      const shares = { structure: tf.scalar(strengths.structure), dynamics: tf.scalar(strengths.dynamics) };
      try {
        let decoded: DecodedChunk | undefined;
        for (const [index, start] of starts.entries()) {
          signal?.throwIfAborted();
          const part = (all: tf.Tensor) =>
            tf.slice(all, [index, ...all.shape.slice(1).map(() => 0)], [1, ...all.shape.slice(1)]);
          const inputs: DecodeInputs = {
            structure: part(latents.structure),
            ...(latents.dynamics ? { dynamics: tf.tidy(() => withoutPath(config, part(latents.dynamics!))) } : {}),
            shares,
          };
          const clip = await meanwhile(decode.run(inputs, signal), () => {
            if (decoded) joiner.add(decoded, start);
          }).finally(() => tf.dispose([inputs.structure, inputs.dynamics ?? []]));
          const values = (await clip.data()) as Float32Array;
          clip.dispose();
          const window = { values, frames: config.frames, width, height };
          decoded = { start, ...window, ...(paths ? { path: paths[index]! } : {}) };
          onProgress?.(index + 1, starts.length);
        }
        joiner.add(decoded!, undefined);
        return joiner.result();
      } finally {
        tf.dispose([shares.structure, shares.dynamics]);
      }
    },

    ...(hasDirect(config)
      ? {
          cells: {
            numbers: gatheredNumbers(config),
            code: async (cells: tf.Tensor, grid: Grid) => (await network()).codeCells(cells, grid),
          },
        }
      : {}),
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

/** What runs, once `work` is done too, for which there is time where it runs beside this thread. */
async function meanwhile<T>(running: Promise<T>, work: () => void): Promise<T> {
  const [ran, done] = await Promise.allSettled([running, setImmediate().then(work)]);
  if (ran.status === 'rejected') throw ran.reason;
  if (done.status === 'rejected') throw done.reason;
  return ran.value;
}

/** Of the camera over each chunk's window; nothing where clips are not steadied. */
async function pathsOf(
  config: TwinConfig,
  { dynamics, ownDynamics }: TwinLatents,
  starts: readonly number[],
  strength: number,
): Promise<CameraPath[] | undefined> {
  const paths = dynamics && (await readPaths(config, dynamics));
  if (!paths || !ownDynamics) return paths && scaleOwnPath(starts, paths, strength);
  return borrowPath(starts, (await readPaths(config, ownDynamics))!, paths, strength);
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
    codeCells: (cells: tf.Tensor, grid: Grid) => codeCells(config, parameters.direct!, cells, grid),
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
    hint: 'Bring the clip to that size first, or measure with --size.',
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
