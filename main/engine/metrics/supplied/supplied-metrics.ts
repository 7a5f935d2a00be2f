import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SuppliedMeasures, SuppliedMetric } from '../../../../shared/domain/evaluation-table.ts';
import { AppError } from '../../../../shared/ipc/result.ts';
import { readJson } from '../../formats/diffusers.ts';
import { type Picture, pictureOf } from '../../formats/picture-input.ts';
import type { Pictures } from '../../formats/raw-frames.ts';
import { cosine, temporalCoherence } from '../temporal-coherence.ts';
import { type MetricDescription, metricDescription } from './description.ts';
import { alignedFace } from './faces.ts';
import { openClipNetwork, openFaceDetector, openPairNetwork, openPictureNetwork, openTextNetwork } from './networks.ts';

/** What the networks see in a clip, for others to be compared with it. */
export type SeenClip = {
  clip?: Float32Array[];
  dino?: Float32Array[];
  /** Of each frame; null where no face is found. */
  faces?: (Float32Array | null)[];
};

/** The papers' own networks, where a user has them: those of the descriptions in a folder, one of each kind. */
export interface SuppliedMetrics {
  used: readonly SuppliedMetric[];
  see(clip: Pictures): SeenClip;
  /** Measures a clip against what it was made of, and the words that it should follow. */
  measure(clip: Pictures, source: SeenClip, words: string): SuppliedMeasures;
  /** The vector of a whole clip, of which a Fréchet distance is made; null without a network for it. */
  featuresOf(clip: Pictures): Float32Array | null;
  /** Mean distance of corresponding frames of two clips of one size; null without a network for it. */
  distanceOf(clip: Pictures, source: Pictures): number | null;
  dispose(): void;
}

interface Opened {
  description: MetricDescription;
  see?(pictures: readonly Picture[]): SeenClip;
  textOf?(words: string): Float32Array;
  featuresOf?(clip: Pictures): Float32Array;
  distanceOf?(pictures: readonly [Picture, Picture]): number;
  dispose(): void;
}

/**
 * Opens every network that a JSON file in the folder describes. Throws `not-found` where there is none or a file of one is missing,
 * `damaged-file` for a description or a network that cannot be used.
 */
export async function openSuppliedMetrics(folder: string): Promise<SuppliedMetrics> {
  const descriptions = await readDescriptions(folder);
  const used: SuppliedMetric[] = [];
  for (const description of descriptions) used.push(await standingOf(folder, description));
  const opened: Opened[] = [];
  const dispose = () => {
    for (const each of opened) each.dispose();
  };
  try {
    for (const description of descriptions) opened.push(await open(folder, description));
  } catch (error) {
    dispose();
    throw error;
  }
  const see = (clip: Pictures): SeenClip => {
    const pictures = Array.from({ length: clip.count }, (_, frame) => pictureOf(clip, frame));
    return Object.assign({}, ...opened.map((each) => each.see?.(pictures))) as SeenClip;
  };
  return {
    used,
    see,
    measure(clip, source, words) {
      const text = opened.find(({ textOf }) => textOf)?.textOf?.(words);
      return measures(see(clip), source, text);
    },
    featuresOf: (clip) => opened.find(({ featuresOf }) => featuresOf)?.featuresOf?.(clip) ?? null,
    distanceOf(clip, source) {
      const network = opened.find(({ distanceOf }) => distanceOf);
      const pairOf = (frame: number) => [pictureOf(clip, frame), pictureOf(source, frame)] as const;
      return network
        ? mean(Array.from({ length: clip.count }, (_, frame) => network.distanceOf!(pairOf(frame))))
        : null;
    },
    dispose,
  };
}

/**
 * CLIP-T, CLIP-I and T. Cons. as DreamVideo measures them (arXiv 2312.04433): the mean cosine of the words and every frame, of every frame
 * and every one of the source, and of each frame and the next; DINO-I as CLIP-I. ID as Set-and-Sequence (arXiv 2502.14844) by ArcFace:
 * the mean cosine of the faces in corresponding frames, where both have one, and the share of such frames.
 */
function measures(made: SeenClip, source: SeenClip, text: Float32Array | undefined): SuppliedMeasures {
  const found: SuppliedMeasures = {};
  if (made.clip && source.clip && text) {
    found.clipText = mean(made.clip.map((vector) => cosine(vector, text)));
    found.clipImage = meanOfPairs(made.clip, source.clip);
    found.clipCoherence = temporalCoherence(made.clip);
  }
  if (made.dino && source.dino) found.dinoImage = meanOfPairs(made.dino, source.dino);
  if (made.faces && source.faces) {
    const pairs = made.faces.flatMap((face, frame) => {
      const other = source.faces?.[frame];
      return face && other ? [cosine(face, other)] : [];
    });
    found.faceIdentity = pairs.length > 0 ? mean(pairs) : null;
    found.faceShare = pairs.length / made.faces.length;
  }
  return found;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const meanOfPairs = (a: readonly Float32Array[], b: readonly Float32Array[]) =>
  mean(a.flatMap((vector) => b.map((other) => cosine(vector, other))));

async function open(folder: string, description: MetricDescription): Promise<Opened> {
  switch (description.kind) {
    case 'clip': {
      const image = openPictureNetwork(folder, description.image);
      const text = await openTextNetwork(folder, description.text).catch((error) => {
        image.dispose();
        throw error;
      });
      return {
        description,
        see: (pictures) => ({ clip: pictures.map((picture) => image.of(picture)) }),
        textOf: (words) => text.of(words),
        dispose() {
          image.dispose();
          text.dispose();
        },
      };
    }
    case 'dino': {
      const image = openPictureNetwork(folder, description.image);
      return {
        description,
        see: (pictures) => ({ dino: pictures.map((picture) => image.of(picture)) }),
        dispose: () => image.dispose(),
      };
    }
    case 'arcface': {
      const detector = openFaceDetector(folder, description.detector);
      const network = attemptOrDispose(detector, () => openPictureNetwork(folder, description.face));
      const faceOf = (picture: Picture) => {
        const [face] = detector.of(picture);
        return face ? network.of(alignedFace(picture, face, description.face.size)) : null;
      };
      return {
        description,
        see: (pictures) => ({ faces: pictures.map(faceOf) }),
        dispose() {
          detector.dispose();
          network.dispose();
        },
      };
    }
    case 'i3d': {
      const network = openClipNetwork(folder, description.clip);
      return { description, featuresOf: (clip) => network.of(clip), dispose: () => network.dispose() };
    }
    case 'lpips': {
      const network = openPairNetwork(folder, description.pair);
      return { description, distanceOf: (pictures) => network.of(pictures), dispose: () => network.dispose() };
    }
    default:
      throw new Error(`unknown kind ${description satisfies never}`);
  }
}

function attemptOrDispose<T>(first: { dispose(): void }, work: () => T): T {
  try {
    return work();
  } catch (error) {
    first.dispose();
    throw error;
  }
}

async function readDescriptions(folder: string): Promise<MetricDescription[]> {
  const names = await readdir(folder).catch((cause: Error) => {
    throw new AppError('not-found', `The folder of metrics ${folder} cannot be read: ${cause.message}`, { cause });
  });
  const found: MetricDescription[] = [];
  // A tokenizer lies beside the descriptions, and is none.
  for (const name of names.filter((name) => name.endsWith('.metric.json')).sort())
    found.push(await readJson(join(folder, name), metricDescription));
  const hint = 'docs/metrics.md says what a folder of metrics holds.';
  if (found.length === 0)
    throw new AppError('not-found', `${folder} describes no network: it has no file whose name ends in .metric.json.`, {
      hint,
    });
  const twice = found.find(({ kind }, index) => found.findIndex((other) => other.kind === kind) < index);
  if (twice)
    throw new AppError('invalid-input', `${folder} describes two networks of the kind ${twice.kind}.`, { hint });
  return found;
}

/** What is said of a network in reports, and by what its measures are known. */
async function standingOf(folder: string, description: MetricDescription): Promise<SuppliedMetric> {
  const files: SuppliedMetric['files'] = [];
  for (const file of filesOf(description)) files.push({ file, sha256: await hashOf(join(folder, file)) });
  const settings = createHash('sha256').update(JSON.stringify(description)).digest('hex');
  return { kind: description.kind, name: description.name, files, settings };
}

function filesOf(description: MetricDescription): string[] {
  switch (description.kind) {
    case 'clip':
      return [description.image.file, description.text.file, description.text.tokenizer];
    case 'dino':
      return [description.image.file];
    case 'arcface':
      return [description.detector.file, description.face.file];
    case 'i3d':
      return [description.clip.file];
    case 'lpips':
      return [description.pair.file];
    default:
      throw new Error(`unknown kind ${description satisfies never}`);
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (cause) {
    throw new AppError('not-found', `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  return hash.digest('hex');
}
