/**
 * Measures recipes where the paper is silent: how well concepts of the world's validation scenes come back, and how close their edits
 * are to the truth. One line of JSON for each scene and variant is appended to the log.
 *
 *   node test/studies/run.mjs test/studies/recipe.ts --log FILE [--seeds 11,21] [--base JSON] VARIANT...
 *
 * A variant is NAME=JSON, a part of a recipe laid over --base and the defaults.
 */
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../../main/engine/index.ts';
import { meanSquaredError } from '../../main/engine/metrics/mse.ts';
import type { ChangeKind } from '../../main/engine/world/edit.ts';
import { sampleChange } from '../../main/engine/world/edit.ts';
import { renderEdit } from '../../main/engine/world/edit-mask.ts';
import { sampleScene } from '../../main/engine/world/scene.ts';
import { generateRequest } from '../../shared/domain/engine.ts';
import { type Recipe, recipe } from '../../shared/domain/recipe.ts';

const { values: options, positionals: variants } = parseArgs({
  allowPositionals: true,
  options: {
    log: { type: 'string' },
    seeds: { type: 'string', default: '11,21' },
    base: { type: 'string', default: '{}' },
    model: { type: 'string', default: 'resources/models/motif-tiny' },
    guidance: { type: 'string', default: '4' },
    fidelity: { type: 'string', default: '0' },
  },
});
const size = { width: 128, height: 128, frameCount: 17, frameRate: 8 };
const rate = { numerator: 8, denominator: 1 };
const tokens = { identityToken: '[v]', motionToken: '[u]' };
const edits: ChangeKind[] = ['shirt', 'background'];

const engine = await createEngine();
const folder = await mkdtemp(join(tmpdir(), 'motif-study-'));
const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

for (const variant of variants) {
  const [name, json = '{}'] = variant.split(/=(.*)/s) as [string, string | undefined];
  const settings = recipe.parse({ ...JSON.parse(options.base), ...JSON.parse(json) });
  for (const seed of options.seeds.split(',').map(Number)) {
    const line = JSON.stringify({ variant: name, seed, ...(await study(seed, settings)) });
    console.log(line);
    if (options.log) await appendFile(options.log, `${line}\n`);
  }
}
await engine.dispose();
await rm(folder, { recursive: true });

async function study(seed: number, settings: Recipe) {
  const scene = sampleScene(seed, { subject: 'woman', second: 'none', style: 'photo' });
  const pairs = edits.map((kind) => ({ kind, ...renderEdit(scene, sampleChange(scene, kind)!, size, tokens) }));
  const { source, before } = pairs[0]!;
  const frames = { file: join(folder, 'source.rgb'), ...size, rate };
  await writeFile(frames.file, source.frames);
  const work = await mkdtemp(join(folder, 'work-'));
  const conceptFile = join(work, 'concept.safetensors');
  const started = cpuSeconds();
  const learned = await engine.learn({
    model: options.model,
    clips: [{ frames, caption: before }],
    recipe: settings,
    workDirectory: work,
    conceptFile,
  });
  const learnCpuSeconds = cpuSeconds() - started;
  const generate = async (prompt: string, file: string, fidelity: number) => {
    const request = generateRequest.parse({
      model: options.model,
      conceptFile,
      source: frames,
      size: null,
      settings: { prompt, steps: 20, guidance: Number(options.guidance), fidelity, seed: 3 },
      output: join(work, file),
    });
    return new Uint8Array(await readFile((await engine.generate(request)).frames.file));
  };
  const full = ({ static: looks, dynamic }: { static: string; dynamic: string }) => `${looks} ${dynamic}`;
  const back = await generate(full(before), 'reconstruction.rgb', 0);
  const results: Record<string, unknown> = {};
  for (const { kind, after, target, mask } of pairs) {
    const made = await generate(full(after), `${kind}.rgb`, Number(options.fidelity));
    const outside = mask.map((value) => 255 - value);
    results[kind] = {
      inside: round(meanSquaredError(made, target.frames, mask)),
      outside: round(meanSquaredError(made, target.frames, outside)),
      unedited: round(meanSquaredError(source.frames, target.frames, mask)),
    };
  }
  await rm(work, { recursive: true });
  return {
    reconstructionMse: round(learned.metrics.reconstructionMse ?? Number.NaN),
    otherSeedMse: round(meanSquaredError(back, source.frames)),
    lossIdentity: round(learned.metrics.finalLossIdentity ?? Number.NaN),
    lossMotion: round(learned.metrics.finalLossMotion ?? Number.NaN),
    edits: results,
    learnCpuSeconds: Math.round(learnCpuSeconds),
    seconds: Math.round(learned.metrics.seconds ?? 0),
  };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
