import { stat } from 'node:fs/promises';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import { parseRational } from '../../../shared/domain/time.ts';
import type {
  DecodeTwinRequest,
  EncodeTwinRequest,
  EncodeTwinResult,
  ReenactRequest,
  TwinInfo,
} from '../../../shared/domain/twin.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { firstFrames, fitPictures } from '../formats/fit-pictures.ts';
import { readRawFrames, writeRawFrames } from '../formats/raw-frames.ts';
import { meanSquaredError } from '../metrics/mse.ts';
import { psnrOfMse } from '../metrics/psnr.ts';
import type { TwinAutoencoder } from '../models/twin-autoencoder.ts';
import { readTwinFile, writeTwinFile } from '../models/twin-file.ts';
import { disposeLatents, type KeptLatents } from './kept-latents.ts';

export async function describeTwin(twin: TwinAutoencoder): Promise<TwinInfo> {
  const { folder, name, frames, width, height, cell, parameters, disentangled } = twin;
  return {
    folder,
    name,
    fingerprint: await twin.fingerprint(),
    frames,
    rate: parseRational(String(twin.frameRate)),
    width,
    height,
    cell,
    parameters,
    disentangled,
  };
}

/** Writes a clip as a `.twin` file, and measures what comes back from that file. Throws `not-found` or `damaged-file` for the frames. */
export async function encodeTwinFile(
  twin: TwinAutoencoder,
  { frames, output }: EncodeTwinRequest,
  { signal, onEvent }: EngineCallOptions = {},
): Promise<EncodeTwinResult> {
  const pictures = await readRawFrames(frames);
  const startedAt = performance.now();
  const latents = await twin.encodeTwin(pictures, { signal, onProgress: chunksDone(onEvent, 'encode') });
  let encodedAt: number;
  try {
    await latents.structure.data(); // which is when a recording backend computes them
    encodedAt = performance.now();
    const network = { name: twin.name, fingerprint: await twin.fingerprint() };
    await writeTwinFile(output, { latents, network, rate: frames.rate });
  } finally {
    disposeLatents(latents);
  }
  const stored = await readTwinFile(output);
  try {
    const decodedFrom = performance.now();
    const both = { structure: 1, dynamics: 1 };
    const made = await twin.decodeTwin(stored.latents, both, { signal, onProgress: chunksDone(onEvent, 'decode') });
    const mse = meanSquaredError(made.data, pictures.data);
    return {
      file: output,
      sizeBytes: (await stat(output)).size,
      ...{ frameCount: pictures.count, width: pictures.width, height: pictures.height },
      chunks: stored.latents.structure.shape[0]!,
      structureNumbers: stored.latents.structure.size,
      dynamicsNumbers: stored.latents.dynamics?.size ?? 0,
      rate: twin.rateOf({ ...pictures, frameCount: pictures.count }),
      psnr: mse > 0 ? psnrOfMse(mse) : null,
      encodeSeconds: (encodedAt - startedAt) / 1000,
      decodeSeconds: (performance.now() - decodedFrom) / 1000,
    };
  } finally {
    disposeLatents(stored.latents);
  }
}

/** Throws `invalid-input` for a file that another network wrote. */
export async function decodeTwinFile(
  twin: TwinAutoencoder,
  { file, strengths, output }: DecodeTwinRequest,
  { signal, onEvent }: EngineCallOptions = {},
): Promise<RawFrames> {
  const { latents, network, rate } = await readTwinFile(file);
  try {
    if (network.fingerprint !== (await twin.fingerprint()))
      throw new AppError('invalid-input', `${file} was written by another network, "${network.name}".`, {
        hint: 'Name the folder of that network with --twin.',
      });
    if (!twin.disentangled && (strengths.structure !== 1 || strengths.dynamics !== 1)) throw entangled(twin);
    const made = await twin.decodeTwin(latents, strengths, { signal, onProgress: chunksDone(onEvent, 'decode') });
    return await writeRawFrames(output, made, rate);
  } finally {
    disposeLatents(latents);
  }
}

/**
 * Structure of one clip with the dynamics of another; what `kept` has of them is not encoded again. Throws `not-found` or `damaged-file` for the frames, and
 * `invalid-input` where the network does not tell the two apart.
 */
export async function reenact(
  twin: TwinAutoencoder,
  request: ReenactRequest,
  { signal, onEvent }: EngineCallOptions = {},
  kept: KeptLatents,
): Promise<RawFrames> {
  if (!twin.disentangled) throw entangled(twin);
  const { width, height } = request.structure;
  const frameCount = Math.min(request.structure.frameCount, request.dynamics.frameCount);
  const latentsOf = (phase: 'structure' | 'dynamics') =>
    kept.of(request[phase], { frameCount, width, height }, async () => {
      const pictures = fitPictures(firstFrames(await readRawFrames(request[phase]), frameCount), width, height);
      return twin.encodeTwin(pictures, { signal, onProgress: chunksDone(onEvent, phase) });
    });
  const structure = await latentsOf('structure');
  const { dynamics } = await latentsOf('dynamics');
  const isBorrowed = request.structure.file !== request.dynamics.file;
  const latents = {
    ...structure,
    dynamics: dynamics!,
    ...(isBorrowed ? { ownDynamics: structure.dynamics! } : {}),
  };
  const made = await twin.decodeTwin(latents, request.strengths, { signal, onProgress: chunksDone(onEvent, 'decode') });
  return writeRawFrames(request.output, made, request.structure.rate);
}

function entangled({ name }: TwinAutoencoder): AppError {
  return new AppError('invalid-input', `"${name}" has one latent, in which structure and dynamics are not apart.`, {
    hint: 'Choose a network that was trained with both.',
  });
}

function chunksDone(onEvent: EngineCallOptions['onEvent'], phase: string) {
  const startedAt = performance.now();
  return (done: number, total: number) => {
    const perSecond = (1000 * done) / (performance.now() - startedAt);
    const etaSeconds = (total - done) / perSecond;
    onEvent?.({ type: 'progress', progress: { phase, done, total, unit: 'chunks', perSecond, etaSeconds } });
  };
}
