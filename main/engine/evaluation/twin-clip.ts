import { join } from 'node:path';
import type { SheetRow } from '../../../shared/domain/evaluation.ts';
import type { ClipFeatures, CodedClip } from '../../../shared/domain/evaluation-twin.ts';
import { parseRational } from '../../../shared/domain/time.ts';
import * as tf from '../backends/tf.ts';
import { firstFrames, holdEnd } from '../formats/fit-pictures.ts';
import { type Pictures, writeRawFrames } from '../formats/raw-frames.ts';
import { meanSquaredError } from '../metrics/mse.ts';
import { psnrOfMse } from '../metrics/psnr.ts';
import { structuralSimilarity } from '../metrics/ssim.ts';
import type { SuppliedMetrics } from '../metrics/supplied/supplied-metrics.ts';
import { framesToVideo } from '../models/frames.ts';
import type { Judge } from '../models/judge/judge.ts';
import { type Perceptual, perceptualDistance } from '../models/judge/perceptual.ts';
import type { TwinAutoencoder } from '../models/twin-autoencoder.ts';
import type { VideoAutoencoder } from '../models/video-autoencoder.ts';
import type { CosineCodec } from './cosine-codec.ts';

/** What codes the clips of one evaluation. */
export interface Coders {
  twins: readonly TwinAutoencoder[];
  /** The model's own, and others. */
  autoencoders: readonly { name: string; autoencoder: VideoAutoencoder }[];
  perceptual: Perceptual;
  judge: Judge;
  /** A user's own. */
  metrics: SuppliedMetrics | null;
  /** By size of the clip and frames, learned when it is first asked for. */
  codecOf(size: Pick<Pictures, 'count' | 'width' | 'height'>): Promise<CosineCodec>;
  curve: readonly number[];
  folder: string;
  signal: AbortSignal | undefined;
}

/** Rates are told in per cent. */
const cosineName = (rate: number) => `DCT, ${(100 * rate).toFixed(2)} %`;

/**
 * One clip through every way of coding it. `pictures` has as many frames as the model's autoencoder takes; a twin codes the first of them that fill its
 * chunks, and all are measured on these. `shown`: also writes pictures for the contact sheet.
 */
export async function codeClip(coders: Coders, name: string, pictures: Pictures, stem: string, shown: boolean) {
  const { twins, signal } = coders;
  const frames = Math.min(...twins.map(({ frames }) => frames), pictures.count);
  const source = firstFrames(pictures, frames);
  const size = { ...source, frameCount: frames };
  const coded: CodedClip[] = [];
  const sheet: SheetRow[] = [];
  const show = async (note: string, made: Pictures, label = name) => {
    if (!shown) return;
    const file = join(coders.folder, `${stem}-${sheet.length}.rgb`);
    const rate = parseRational(String(twins[0]!.frameRate));
    sheet.push({ group: name, label, note, frames: await writeRawFrames(file, firstFrames(made, frames), rate) });
  };
  await show('original', source);
  for (const twin of twins) {
    const startedAt = performance.now();
    const latents = await twin.encodeTwin(source, { signal });
    try {
      await latents.structure.data();
      const encodedAt = performance.now();
      const made = await twin.decodeTwin(latents, { structure: 1, dynamics: 1 }, { signal });
      const decodedAt = performance.now();
      const alone = async (structure: number, dynamics: number, note: string) => {
        if (!twin.disentangled) return null;
        const part = await twin.decodeTwin(latents, { structure, dynamics }, { signal });
        await show(`${twin.name}: ${note}`, part);
        return finite(psnrOfMse(meanSquaredError(part.data, source.data)));
      };
      const measured = await measureCoded(coders, source, made);
      await show(`${twin.name}, ${(100 * twin.rateOf(size)).toFixed(2)} %, ${measured.psnr?.toFixed(1)} dB`, made);
      coded.push({
        way: twin.name,
        kind: 'twin',
        rate: twin.rateOf(size),
        ...measured,
        psnrStructure: await alone(1, 0, 'structure alone'),
        psnrDynamics: await alone(0, 1, 'dynamics alone'),
        encodeSeconds: (encodedAt - startedAt) / 1000,
        decodeSeconds: (decodedAt - encodedAt) / 1000,
      });
    } finally {
      tf.dispose([latents.structure, latents.dynamics ?? []]);
    }
  }
  for (const { name: way, autoencoder } of coders.autoencoders)
    coded.push(await codeByAutoencoder(way, autoencoder, coders, pictures, source, show));
  const codec = await coders.codecOf(source);
  for (const { rate, way, isEqual } of cosineRates(coders, size)) {
    signal?.throwIfAborted();
    const startedAt = performance.now();
    const made = codec.code(source, Math.round(rate * source.data.length));
    const codedAt = performance.now();
    const measured = await measureCoded(coders, source, made);
    if (isEqual) await show(`${way}, ${measured.psnr?.toFixed(1)} dB`, made);
    // There and back take the same.
    const seconds = (codedAt - startedAt) / 2000;
    coded.push({ way, kind: 'cosine', rate, ...measured, ...none, encodeSeconds: seconds, decodeSeconds: seconds });
  }
  return { name, features: await featuresOf(coders, source), coded, sheet };
}

/** The rates of the curve, and those of the twins. */
function cosineRates({ twins, curve }: Coders, size: { frameCount: number; width: number; height: number }) {
  const equal = new Set(twins.map((twin) => twin.rateOf(size)));
  return [
    ...[...equal].map((rate) => ({
      rate,
      way: `DCT of equal rate${equal.size > 1 ? `, ${(100 * rate).toFixed(2)} %` : ''}`,
      isEqual: true,
    })),
    ...curve.map((rate) => ({ rate, way: cosineName(rate), isEqual: false })),
  ].sort((a, b) => a.rate - b.rate);
}

const none = { psnrStructure: null, psnrDynamics: null };

/** A clip that ends between two of its latent frames is held at its end until the next. */
async function codeByAutoencoder(
  way: string,
  autoencoder: VideoAutoencoder,
  coders: Coders,
  pictures: Pictures,
  source: Pictures,
  show: (note: string, made: Pictures) => Promise<void>,
): Promise<CodedClip> {
  const { frames } = autoencoder.strides;
  const held = holdEnd(pictures, 1 + frames * Math.ceil((pictures.count - 1) / frames));
  const startedAt = performance.now();
  const latents = await autoencoder.encodeFrames(held, { signal: coders.signal });
  await latents.data();
  const rate = latents.size / pictures.data.length;
  const encodedAt = performance.now();
  const whole = await autoencoder.decodeFrames(latents, { signal: coders.signal }).finally(() => latents.dispose());
  const decodedAt = performance.now();
  const made = firstFrames(whole, source.count);
  const measured = await measureCoded(coders, source, made);
  await show(`${way}, ${(100 * rate).toFixed(2)} %, ${measured.psnr?.toFixed(1)} dB`, made);
  return {
    way,
    kind: 'autoencoder',
    rate,
    ...measured,
    ...none,
    encodeSeconds: (encodedAt - startedAt) / 1000,
    decodeSeconds: (decodedAt - encodedAt) / 1000,
  };
}

async function featuresOf({ judge, metrics }: Coders, clip: Pictures): Promise<ClipFeatures> {
  const { features } = await judge.assess(clip);
  const video = metrics?.featuresOf(clip);
  return { judge: Array.from(features), video: video ? Array.from(video) : null };
}

async function measureCoded(coders: Coders, source: Pictures, made: Pictures) {
  const distance = tf.tidy(() => {
    const [real, found] = [source, made].map((pictures) =>
      tf.squeeze(tf.transpose(framesToVideo(pictures), [2, 0, 1, 3, 4]), [1]),
    );
    return perceptualDistance(coders.perceptual, found!, real!);
  });
  const [value] = await distance.data();
  distance.dispose();
  return {
    psnr: finite(psnrOfMse(meanSquaredError(made.data, source.data))),
    ssim: structuralSimilarity(made.data, source.data, source),
    perceptual: value!,
    lpips: coders.metrics?.distanceOf(made, source) ?? null,
    features: await featuresOf(coders, made),
  };
}

const finite = (value: number) => (Number.isFinite(value) ? value : null);
