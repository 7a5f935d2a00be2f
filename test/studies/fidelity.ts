/**
 * Compares the two ways in which an edit can start from its clip: its latents noised with fresh noise, or run backwards along the flow.
 * Learns one concept of a validation scene, then makes its edits at several fidelities and measures them against the truth.
 *
 *   node test/studies/run.mjs test/studies/fidelity.ts --log FILE [--seed 11] [--recipe JSON]
 */
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../../main/engine/index.ts';
import { meanSquaredError } from '../../main/engine/metrics/mse.ts';
import { sampleChange } from '../../main/engine/world/edit.ts';
import { renderEdit } from '../../main/engine/world/edit-mask.ts';
import { sampleScene } from '../../main/engine/world/scene.ts';
import { generateRequest } from '../../shared/domain/engine.ts';
import { recipe } from '../../shared/domain/recipe.ts';

const { values: options } = parseArgs({
  options: {
    log: { type: 'string' },
    seed: { type: 'string', default: '11' },
    recipe: { type: 'string', default: '{}' },
    model: { type: 'string', default: 'resources/models/motif-tiny' },
  },
});
const size = { width: 128, height: 128, frameCount: 17, frameRate: 8 };
const tokens = { identityToken: '[v]', motionToken: '[u]' };
const scene = sampleScene(Number(options.seed), { subject: 'woman', second: 'none', style: 'photo' });
const pairs = (['shirt', 'background'] as const).map((kind) => ({
  kind,
  ...renderEdit(scene, sampleChange(scene, kind)!, size, tokens),
}));
const { source, before } = pairs[0]!;
const folder = await mkdtemp(join(tmpdir(), 'motif-study-'));
const frames = { file: join(folder, 'source.rgb'), ...size, rate: { numerator: 8, denominator: 1 } };
await writeFile(frames.file, source.frames);
const conceptFile = join(folder, 'concept.safetensors');
const engine = await createEngine();
const cpuBefore = process.cpuUsage();
const learned = await engine.learn({
  model: options.model,
  clips: [{ frames, caption: before }],
  recipe: recipe.parse(JSON.parse(options.recipe)),
  workDirectory: join(folder, 'work'),
  conceptFile,
});

const { user, system } = process.cpuUsage(cpuBefore);
await report({ learned: learned.metrics, cpuSeconds: Math.round((user + system) / 1e6) });

for (const fidelity of [0, 0.25, 0.5, 0.75]) {
  for (const fidelityStart of fidelity === 0 ? ['noise'] : ['noise', 'inversion']) {
    const generate = async (prompt: string) => {
      const settings = { prompt, steps: 20, guidance: 4, fidelity, fidelityStart, seed: 3 };
      const output = join(folder, 'made.rgb');
      const request = { model: options.model, conceptFile, source: frames, size: null, settings, output };
      return new Uint8Array(await readFile((await engine.generate(generateRequest.parse(request))).frames.file));
    };
    const results: Record<string, unknown> = {
      reconstruction: round(meanSquaredError(await generate(`${before.static} ${before.dynamic}`), source.frames)),
    };
    for (const { kind, after, target, mask } of pairs) {
      const made = await generate(`${after.static} ${after.dynamic}`);
      const outside = mask.map((value) => 255 - value);
      results[kind] = {
        inside: round(meanSquaredError(made, target.frames, mask)),
        outside: round(meanSquaredError(made, target.frames, outside)),
      };
    }
    await report({ fidelity, fidelityStart, ...results });
  }
}
await engine.dispose();
await rm(folder, { recursive: true });

async function report(entry: object): Promise<void> {
  const line = JSON.stringify(entry);
  console.log(line);
  if (options.log) await appendFile(options.log, `${line}\n`);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
