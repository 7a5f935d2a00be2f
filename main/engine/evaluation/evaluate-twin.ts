import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { SheetRow } from '../../../shared/domain/evaluation.ts';
import {
  type ClipFeatures,
  type CodedClip,
  type CodedRow,
  codedClips,
  type EvaluateTwinRequest,
  type EvaluateTwinResult,
  type ReenactedPair,
  type ReenactedRow,
  reenactedPairs,
} from '../../../shared/domain/evaluation-twin.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { sampleScene } from '../../world/scene.ts';
import { belongsTo } from '../../world/split.ts';
import { firstFrames } from '../formats/fit-pictures.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import { frechetDistance } from '../metrics/frechet.ts';
import { openSuppliedMetrics, type SuppliedMetrics } from '../metrics/supplied/supplied-metrics.ts';
import { openTwinAutoencoder, openVideoAutoencoder } from '../models/autoencoders.ts';
import { openPerceptual } from '../models/judge/perceptual.ts';
import type { TwinAutoencoder } from '../models/twin-autoencoder.ts';
import type { VideoAutoencoder } from '../models/video-autoencoder.ts';
import { disposeTree } from '../nn/tree.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { clipSources } from './clip-sources.ts';
import { type CosineCodec, cosineCodec } from './cosine-codec.ts';
import { keptOr, openEvaluationFolder } from './folder.ts';
import { openEvaluationJudge } from './judging.ts';
import { phaseReporter } from './progress.ts';
import { reenactPairs } from './reenact-pairs.ts';
import { checkTestSeeds, renderOptions, renderPictures } from './scenes.ts';
import { standingOf, weightsStamp } from './stamp.ts';
import { statisticOf } from './statistics.ts';
import { codeClip } from './twin-clip.ts';
import { generatorOf, withGenerator, wordsToClips } from './twin-words.ts';

/** So many clips of each set are kept as pictures, for the contact sheet. */
const shownPerSet = 2;

/**
 * Measures autoencoders with two latents on test scenes and real clips, beside the model's own autoencoder, others and a cosine transform, and reenacts pairs of test
 * scenes. Each clip is a file; a run of the same settings in the same folder goes on where another stopped. Throws as `evaluateModel` does.
 */
export async function evaluateTwin(
  model: OpenModel,
  request: EvaluateTwinRequest,
  options: EngineCallOptions = {},
): Promise<EvaluateTwinResult> {
  const startedAt = performance.now();
  const { seeds, outputFolder: folder } = request;
  const { pipeline } = model;
  checkTestSeeds(seeds);
  const judge = await openEvaluationJudge(request.judge);
  const perceptual = await openPerceptual(request.judge);
  const twins: TwinAutoencoder[] = [];
  const others: { name: string; autoencoder: VideoAutoencoder }[] = [];
  let metrics: SuppliedMetrics | null = null;
  try {
    if (request.metrics !== null) metrics = await openSuppliedMetrics(request.metrics);
    for (const twin of request.twins) twins.push(await openTwinAutoencoder(twin));
    const places = whatTellsApart(request.twins);
    const shared = new Set(twins.map(({ name }) => name)).size < twins.length;
    for (const [index, twin] of (shared ? twins.splice(0) : []).entries())
      twins.push({ ...twin, name: `${twin.name}, ${places[index]}` });
    for (const [index, name] of whatTellsApart(request.autoencoders).entries()) {
      const autoencoder = await openVideoAutoencoder(request.autoencoders[index]!);
      others.push({ name: name.startsWith('autoencoder') ? name : `autoencoder ${name}`, autoencoder });
    }
    const generators = request.words > 0 ? withGenerator(twins).map(generatorOf) : [];
    await openEvaluationFolder(folder, {
      kind: 'twin',
      ...(await standingOf(model, request.judge)),
      twins: await Promise.all(twins.map((twin) => twin.fingerprint())),
      // A run of before there were these goes on.
      ...(others.length > 0 ? { autoencoders: await Promise.all(request.autoencoders.map(weightsStamp)) } : {}),
      ...(request.size ? { size: request.size } : {}),
      ...(generators.length > 0
        ? { generators: await Promise.all(generators.map(weightsStamp)), steps: request.steps }
        : {}),
      ...(metrics ? { supplied: [...metrics.used] } : {}),
      curve: request.curve,
      learnedClips: request.learnedClips,
    });
    const sources = clipSources(pipeline, { seeds, size: request.size, realClips: request.realClips });
    const codecs = codecsOf(model, request.learnedClips, options.signal);
    const coders = {
      twins,
      autoencoders: [{ name: `autoencoder of ${pipeline.name}`, autoencoder: pipeline }, ...others],
      perceptual,
      judge,
      metrics,
      codecOf: codecs,
      curve: request.curve,
      folder,
      signal: options.signal,
    };
    const report = phaseReporter(options.onEvent, 'coding', 'clips', sources.length);
    const clips: MeasuredClip[] = [];
    const sheet: SheetRow[] = [];
    let takenOver = 0;
    for (const { name, set, pictures } of sources) {
      options.signal?.throwIfAborted();
      const clip = await pictures();
      const content = createHash('sha256').update(clip.data).digest('hex').slice(0, 8);
      const stem = `twin-${name.replaceAll(/[^\w.-]+/g, '-')}-${content}`;
      const shown = clips.filter((other) => other.set === set).length < shownPerSet;
      const { value, isKept } = await keptOr(join(folder, `${stem}.json`), codedClips, () =>
        codeClip(coders, name, clip, stem, shown),
      );
      if (isKept) takenOver++;
      clips.push({ set, features: value.features, coded: value.coded });
      sheet.push(...value.sheet);
      report(clips.length, clips.length - takenOver);
    }
    const pairs = await keptOr(join(folder, `pairs-${request.pairs}.json`), reenactedPairs, () =>
      reenactPairs(model, judge, twins, { count: request.pairs, size: request.size, folder }, options),
    );
    const words = await wordsToClips(model, judge, twins, request, options);
    return {
      rows: (['world', 'real'] as const).flatMap((set) => rowsOf(set, clips)),
      reenacted: twins.flatMap(({ name }) => reenactedRow(name, pairs.value.pairs)),
      twins: twins.map(({ name, folder: place, parameters }) => ({ name, folder: place, parameters })),
      supplied: [...(metrics?.used ?? [])],
      worded: words.worded,
      sheet: [...sheet, ...pairs.value.sheet, ...words.sheet],
      seconds: (performance.now() - startedAt) / 1000,
      takenOver,
    };
  } finally {
    judge.dispose();
    metrics?.dispose();
    disposeTree(perceptual.parameters);
    for (const twin of twins) await twin.dispose();
    for (const { autoencoder } of others) await autoencoder.dispose();
  }
}

/**
 * Folders by what is not the same in all of them: `a/full/export` and `a/no-averaging/export` are `full` and `no-averaging`, and one alone has its own
 * name.
 */
export function whatTellsApart(folders: readonly string[]): string[] {
  const paths = folders.map((folder) => folder.split(/[\\/]+/).filter((part) => part !== ''));
  if (paths.length < 2) return paths.map((path) => path.at(-1)!);
  const isShared = (at: number) =>
    paths.every((path) => path.length > Math.abs(at) && path.at(at) === paths[0]!.at(at));
  let [first, last] = [0, 0];
  while (isShared(first)) first++;
  while (isShared(-1 - last)) last++;
  return paths.map((path) => path.slice(first, path.length - last).join('/') || path.at(-1)!);
}

/** A cosine transform for each size, whose coefficients are those that carry most energy in scenes of training seeds. */
function codecsOf({ pipeline }: OpenModel, count: number, signal?: AbortSignal) {
  const known = new Map<string, CosineCodec>();
  return async (size: Pick<Pictures, 'count' | 'width' | 'height'>): Promise<CosineCodec> => {
    const key = `${size.width}x${size.height}x${size.count}`;
    const codec = known.get(key);
    if (codec) return codec;
    const clips: Pictures[] = [];
    for (let seed = 2; clips.length < count; seed++) {
      const scene = sampleScene(seed, { edition: pipeline.extras.worldEdition });
      if (!belongsTo(scene, 'train')) continue;
      signal?.throwIfAborted();
      const { width, height, count: frameCount } = size;
      clips.push(
        firstFrames(await renderPictures(scene, renderOptions(pipeline, { width, height, frameCount })), frameCount),
      );
    }
    const learned = cosineCodec(clips);
    known.set(key, learned);
    return learned;
  };
}

interface MeasuredClip {
  set: CodedRow['set'];
  features: ClipFeatures;
  coded: CodedClip[];
}

function rowsOf(set: CodedRow['set'], clips: readonly MeasuredClip[]): CodedRow[] {
  const own = clips.filter((clip) => clip.set === set);
  const sources = own.map(({ features }) => features);
  const ways = [...new Set(own.flatMap(({ coded }) => coded.map(({ way }) => way)))];
  return ways.map((way) => {
    const coded = own.flatMap((clip) => clip.coded.filter((each) => each.way === way));
    const of = (name: Exclude<keyof CodedClip, 'way' | 'kind' | 'features'>) =>
      statisticOf(coded.map((clip) => clip[name]));
    const made = coded.map(({ features }) => features);
    return {
      ...{ way, kind: coded[0]!.kind, set, clips: coded.length, rate: of('rate'), psnr: of('psnr'), ssim: of('ssim') },
      ...{ perceptual: of('perceptual'), lpips: of('lpips') },
      ...{ frechet: distanceOf(made, sources, 'judge'), frechetVideo: distanceOf(made, sources, 'video') },
      ...{ psnrStructure: of('psnrStructure'), psnrDynamics: of('psnrDynamics') },
      ...{ encodeSeconds: of('encodeSeconds'), decodeSeconds: of('decodeSeconds') },
    };
  });
}

function distanceOf(made: readonly ClipFeatures[], source: readonly ClipFeatures[], by: keyof ClipFeatures) {
  const [a, b] = [made, source].map((clips) =>
    clips.flatMap(({ [by]: values }) => (values ? [Float32Array.from(values)] : [])),
  );
  return a!.length < 2 || b!.length < 2 ? null : frechetDistance(a!, b!);
}

function reenactedRow(twin: string, pairs: readonly ReenactedPair[]): ReenactedRow[] {
  const own = pairs.filter((pair) => pair.twin === twin);
  if (own.length === 0) return [];
  const share = (named: (boolean | null)[]) =>
    statisticOf(named.map((value) => (value === null ? null : Number(value))));
  return [
    {
      twin,
      pairs: own.length,
      agreementWithDynamics: statisticOf(own.map((pair) => pair.agreementWithDynamics)),
      agreementWithStructure: statisticOf(own.map((pair) => pair.agreementWithStructure)),
      namedAsStructure: share(own.map((pair) => pair.namedAsStructure)),
      namedAsDynamics: share(own.map((pair) => pair.namedAsDynamics)),
    },
  ];
}
