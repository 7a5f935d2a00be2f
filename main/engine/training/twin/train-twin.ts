import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainTwinRequest, TrainTwinResult } from '../../../../shared/domain/twin.ts';
import type { EngineCallOptions } from '../../../../shared/ipc/engine-contract.ts';
import { AppError } from '../../../../shared/ipc/result.ts';
import { exists } from '../../../files/file-names.ts';
import { placeWhole } from '../../../files/place.ts';
import { openWeights, readJson } from '../../formats/diffusers.ts';
import { writeSafetensors } from '../../formats/safetensors-write.ts';
import { openTwinAutoencoder } from '../../models/autoencoders.ts';
import { openPerceptual } from '../../models/judge/perceptual.ts';
import { initialDiscriminator, initialTwin } from '../../models/vidtwin/initial-parameters.ts';
import { smallestJudged } from '../../models/vidtwin/patch-discriminator.ts';
import {
  compressionRate,
  latentNumbers,
  latentShapes,
  type TwinConfig,
  twinAblations,
  twinConfigSchema,
  twinPresets,
} from '../../models/vidtwin/twin-config.ts';
import { twinSpecs } from '../../models/vidtwin/twin-parameters.ts';
import { loadParameters, parametersToWrite } from '../../nn/parameters.ts';
import { countParameters, disposeTree, type Tree, treeEntries, treeFromEntries } from '../../nn/tree.ts';
import type { Tensors } from '../adamw.ts';
import { freeMemory } from '../free-memory.ts';
import { openWorkFolder, requireSpace } from '../work-folder.ts';
import { measureTwin } from './measure-twin.ts';
import { runTwinSteps } from './run-twin-steps.ts';
import { type ClipsBySize, clipsBySize } from './twin-batches.ts';
import { disposeTwinState, inOrder, readTwinState, type TwinLossRow, type TwinState } from './twin-state.ts';
import { zeroMoments } from './twin-step.ts';

/** Channels of the discriminator's first convolution, half of the reference's. */
const judgeChannels = 32;

/**
 * Trains an autoencoder with two latents on clips, and writes its folder: config.json, model.safetensors in half precision and losses.csv. Goes on exactly
 * where an unfinished training of the same request in the same folder stands. Throws `cancelled` after saving a checkpoint, `conflict` for a work folder
 * of another request, `out-of-space`, and `invalid-input` where no clip is long enough or the loss is no number any more.
 */
export async function trainTwin(
  request: TrainTwinRequest,
  { signal, onEvent = () => {} }: EngineCallOptions = {},
): Promise<TrainTwinResult> {
  const startedAt = performance.now();
  await refuseExisting(request);
  const config = await configOf(request);
  const { training } = request;
  const clips = clipsBySize(config, request.clips);
  checkJudged(request, clips);
  const folder = await openWorkFolder(request.workDirectory, await hashOf(request, config), freeMemory());
  const perceptual = await openPerceptual(request.judge);
  let state: TwinState | undefined;
  try {
    state = (await readTwinState(folder.checkpoint)) ?? (await freshState(request, config));
    await requireSpace(request.workDirectory, 30 * countParameters(state.weights));
    const recompute = activationBytes(config, request, clips) > folder.memoryBytes / 2;
    await runTwinSteps(request, state, {
      config,
      perceptual,
      recompute,
      clips,
      file: folder.checkpoint,
      signal,
      onEvent,
    });
    await writeNetwork(request, config, state);
  } finally {
    disposeTree(perceptual.parameters);
    if (state) disposeTwinState(state);
  }
  const measured = await measureTwin(request, { signal, onEvent });
  return {
    folder: request.output,
    steps: training.steps,
    seconds: (performance.now() - startedAt) / 1000,
    parameters: [...twinSpecs(config).values()].reduce((sum, { stored }) => sum + stored.reduce((a, b) => a * b, 1), 0),
    finalLoss: state.losses.at(-1)!.loss,
    measured,
  };
}

async function configOf({ from, preset, ablation }: TrainTwinRequest): Promise<TwinConfig> {
  if (from !== null) return readJson(join(from, 'config.json'), twinConfigSchema);
  return { ...twinPresets[preset], ...twinAblations[ablation] };
}

function checkJudged({ training }: TrainTwinRequest, clips: ClipsBySize): void {
  if (training.adversarial === 0) return;
  for (const size of clips.keys())
    if (size.split('x').some((side) => Number(side) < smallestJudged))
      throw new AppError('invalid-input', `Clips of ${size} are too small for the patch discriminator.`, {
        hint: `Give larger ones, at least ${smallestJudged} pixels wide and high, or train without it: --adversarial 0.`,
      });
}

/** What makes two requests the same training: pictures, network and settings, but for how often it saves. */
async function hashOf({ clips, training, from }: TrainTwinRequest, config: TwinConfig): Promise<string> {
  const hash = createHash('sha256');
  const { checkpointEvery: _, ...settings } = training;
  hash.update(
    JSON.stringify({ settings, config, from: from && (await (await openTwinAutoencoder(from)).fingerprint()) }),
  );
  for (const { file, ...format } of clips) {
    hash.update(JSON.stringify(format));
    for await (const part of createReadStream(file)) hash.update(part as Buffer);
  }
  return hash.digest('hex');
}

async function freshState({ from, training }: TrainTwinRequest, config: TwinConfig): Promise<TwinState> {
  const weights = inOrder(flat(from === null ? initialTwin(config, training.seed) : await loadFrom(from, config)));
  const judge = inOrder(flat(initialDiscriminator(judgeChannels, training.seed)));
  return { step: 0, weights, moments: zeroMoments(weights), judge, judgeMoments: zeroMoments(judge), losses: [] };
}

const flat = (tree: Tree): Tensors => Object.fromEntries(treeEntries(tree));

async function loadFrom(folder: string, config: TwinConfig): Promise<Tree> {
  const source = await openWeights(folder);
  try {
    return await loadParameters(source, twinSpecs(config));
  } finally {
    await source.close();
  }
}

/** About what a backward pass keeps: some forty values of each token and channel in a block, and what attention scores over places. */
function activationBytes(config: TwinConfig, { training }: TrainTwinRequest, clips: ClipsBySize): number {
  const largest = Math.max(...[...clips.values()].map(([clip]) => clip!.width * clip!.height));
  const places = largest / config.patch ** 2;
  const tokens = training.batchSize * config.frames * places;
  return 4 * 2 * config.depth * tokens * (40 * config.hidden + 2 * config.heads * places);
}

/** The network's folder: beside, then renamed. */
async function writeNetwork(request: TrainTwinRequest, config: TwinConfig, state: TwinState): Promise<void> {
  const { structure, dynamics } = latentShapes(config);
  const tree = treeFromEntries(Object.entries(state.weights));
  // A network that was trained on may say more of itself, of which nothing holds any more.
  const own = Object.keys(twinConfigSchema.shape).map((name) => [name, config[name]]);
  const about = {
    ...Object.fromEntries(own),
    structureShape: structure,
    dynamicsShape: dynamics ?? null,
    compressionRate: compressionRate(config),
    latentNumbers: latentNumbers(config),
    parameters: countParameters(tree),
    training: { ...request.training, from: request.from, ablation: request.ablation, clips: request.clips.length },
  };
  await placeWhole(request.output, async (beside) => {
    await mkdir(beside);
    await writeSafetensors(join(beside, 'model.safetensors'), parametersToWrite(tree, twinSpecs(config), 'F16'));
    await writeFile(join(beside, 'config.json'), `${JSON.stringify(about, null, 2)}\n`);
    await writeFile(join(beside, 'losses.csv'), lossTable(state.losses));
  });
}

function lossTable(rows: readonly TwinLossRow[]): string {
  const names = [
    'step',
    'learningRate',
    'loss',
    'l1',
    'perceptual',
    'divergence',
    'adversarial',
    'balance',
    'discriminator',
  ] as const;
  return `${[names, ...rows.map((row) => names.map((name) => row[name] ?? ''))].map((row) => row.join(',')).join('\n')}\n`;
}

/** Whether a folder is there already: writing would replace it. */
async function refuseExisting({ output }: TrainTwinRequest): Promise<void> {
  if (await exists(output))
    throw new AppError('conflict', `${output} exists already.`, { hint: 'Choose another folder for the new network.' });
}
