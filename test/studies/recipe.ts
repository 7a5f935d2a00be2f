/**
 * Compares recipes on validation scenes of the world, measured as `motif evaluate concept` measures test scenes: how well a scene
 * comes back from noise, and all its true edits. One line of JSON for each scene and variant is appended to the log.
 *
 *   node test/studies/run.mjs test/studies/recipe.ts --log FILE [--seeds 11,21] [--base JSON] [--gains 0.5,1,1.5] NAME=JSON...
 *
 * A variant is NAME=JSON, a part of a recipe laid over --base and the defaults. With --gains both sliders are moved too.
 */
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ConceptScene, conceptScene } from '../../main/engine/evaluation/concept-scene.ts';
import { type MakeClip, measureMethod } from '../../main/engine/evaluation/measure-method.ts';
import { readRawFrames, writeRawFrames } from '../../main/engine/formats/raw-frames.ts';
import { createEngine } from '../../main/engine/index.ts';
import { meanSquaredError } from '../../main/engine/metrics/mse.ts';
import { openJudge } from '../../main/engine/models/judge/judge.ts';
import { readModelExtras } from '../../main/engine/models/model-extras.ts';
import { reconstructionGuidance } from '../../shared/domain/edit.ts';
import { type DeviceName, generateRequest } from '../../shared/domain/engine.ts';
import { type Recipe, recipe } from '../../shared/domain/recipe.ts';
import { startSettings } from '../../shared/domain/strength.ts';
import { summary } from './summary.ts';

const { values: options, positionals: variants } = parseArgs({
  allowPositionals: true,
  options: {
    log: { type: 'string' },
    seeds: { type: 'string', default: '11,21' },
    base: { type: 'string', default: '{}' },
    gains: { type: 'string', default: '' },
    model: { type: 'string', default: 'resources/models/motif-tiny' },
    judge: { type: 'string', default: 'resources/models/motif-judge' },
    device: { type: 'string', default: 'auto' },
  },
});
const numbers = (list: string) => list.split(',').filter(Boolean).map(Number);
const size = { width: 128, height: 128, frameCount: 17, frameRate: 8 };
const rate = { numerator: 8, denominator: 1 };
const engine = await createEngine({ device: options.device as DeviceName });
const judge = await openJudge(options.judge);
const { worldEdition } = await readModelExtras(options.model);

for (const variant of variants) {
  const [name, json = '{}'] = variant.split(/=(.*)/s) as [string, string | undefined];
  const settings = recipe.parse({ ...JSON.parse(options.base), ...JSON.parse(json) });
  for (const seed of numbers(options.seeds)) {
    const line = JSON.stringify({
      variant: name,
      seed,
      ...(await study(await conceptScene(seed, worldEdition, size, judge), settings)),
    });
    console.log(line);
    if (options.log) await appendFile(options.log, `${line}\n`);
  }
}
judge.dispose();
await engine.dispose();

async function study(scene: ConceptScene, settings: Recipe) {
  const folder = await mkdtemp(join(tmpdir(), 'motif-study-'));
  const source = await writeRawFrames(join(folder, 'source.rgb'), scene.source, rate);
  const conceptFile = join(folder, 'concept.safetensors');
  const before = process.cpuUsage();
  const { metrics } = await engine.learn({
    model: options.model,
    clips: [{ frames: source, caption: scene.caption }],
    recipe: settings,
    workDirectory: join(folder, 'work'),
    conceptFile,
  });
  const { user, system } = process.cpuUsage(before);
  const make = async (prompt: string, laid: object) => {
    const output = join(folder, 'made.rgb');
    const request = { model: options.model, conceptFile, source, size: null, settings: { prompt, ...laid }, output };
    const { frames, seconds } = await engine.generate(generateRequest.parse(request));
    return { pictures: await readRawFrames(frames), seconds, finished: null };
  };
  const fromNoise = { fidelity: 0, guidance: reconstructionGuidance };
  const makeClip: MakeClip = ({ task, prompt, sliders }) =>
    make(prompt.learned, { sliders, ...(task === 'edit' ? startSettings(true) : fromNoise) });
  const measured = await measureMethod('concept', scene, judge, makeClip, numbers(options.gains));
  const otherSeeds: number[] = [];
  for (const seed of [3, 5, 7]) {
    const { pictures } = await make(scene.prompt.learned, { ...fromNoise, seed });
    otherSeeds.push(meanSquaredError(pictures.data, scene.source.data));
  }
  await rm(folder, { recursive: true });
  return {
    ...summary(measured),
    otherSeeds: otherSeeds.map(round),
    lossIdentity: round(metrics.finalLossIdentity ?? Number.NaN),
    lossMotion: round(metrics.finalLossMotion ?? Number.NaN),
    learnCpuSeconds: Math.round((user + system) / 1e6),
    ...(measured.sliders.length > 0 && {
      sliders: measured.sliders.map(({ slider, gain, mse, identity, motionAmount, motionAgreement }) => [
        slider,
        ...[gain, mse, identity, motionAmount, motionAgreement].map((value) => round(Number(value))),
      ]),
    }),
  };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
