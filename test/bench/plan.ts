import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../../main/engine/index.ts';
import { transformerConfigSchema, transformerSpecs } from '../../main/engine/models/wan/transformer-config.ts';
import { processMemory } from '../../main/engine/training/free-memory.ts';
import type { DeviceName } from '../../shared/domain/engine.ts';
import { learningSizeOf, planLearning } from '../../shared/domain/learning-plan.ts';
import { recipe } from '../../shared/domain/recipe.ts';
import { writeRandom } from './full-size-models.ts';
import { learnSteps, patternedClip, peak } from './learn-steps.ts';

// node test/bench/run.mjs plan [MODEL] [CLIPS] [RANK] [DEVICE]: what a learning takes, and what the plan said. MODEL is `embedded`, or how
// many layers of 1536 it has. Linux alone, where the system keeps the peak: a step blocks whoever would look.
const [name = 'embedded', batch = '3', rank = '16', device = 'onnxruntime', given] = process.argv.slice(2);
const model = given ?? join(process.cwd(), 'resources/models/motif-tiny');
if (name === 'embedded' || given) await measure();
else {
  // Written by a process that ends before the one that is measured begins.
  const folder = mkdtempSync(join(tmpdir(), 'motif-plan-model-'));
  writeModel(folder, Number(name));
  spawnSync(process.execPath, [process.argv[1]!, name, batch, rank, device, folder], { stdio: 'inherit' });
  rmSync(folder, { recursive: true });
}

function writeModel(folder: string, layers: number): void {
  cpSync(join(process.cwd(), 'test/golden/model'), folder, { recursive: true });
  const size = { num_attention_heads: 12, ffn_dim: 6144, num_layers: layers };
  const config = transformerConfigSchema.parse({ ...size, text_dim: 24, in_channels: 4, out_channels: 4 });
  writeFileSync(join(folder, 'transformer/config.json'), JSON.stringify(config));
  const shapes = [...transformerSpecs(config)].map(([tensor, { stored }]) => [tensor, stored] as const);
  writeRandom(join(folder, 'transformer/diffusion_pytorch_model.safetensors'), new Map(shapes));
  const sampling = { steps: 2, guidance: 5 };
  const sizes = [{ width: 128, height: 128 }];
  writeFileSync(
    join(folder, 'motif.json'),
    JSON.stringify({ frameRate: 8, frames: 17, sizes, maxTextTokens: 64, sampling }),
  );
}

async function measure(): Promise<void> {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  const folder = mkdtempSync(join(tmpdir(), 'motif-plan-'));
  const engine = await createEngine({ device: device as DeviceName });
  const info = await engine.describeModel({ model });
  const rule = recipe.parse({
    stepsIdentity: 2,
    stepsMotion: 3,
    priorClips: 1,
    batchSizeMotion: Number(batch),
    rank: Number(rank),
  });
  const rate = { numerator: 8, denominator: 1 };
  const frames = patternedClip(folder, { frameCount: 17, width: 128, height: 128, rate });
  const memoryBytes = processMemory();
  console.log(`opened: ${megabytes(peak.bytes())}`);
  // Both kinds of step are recorded, compiled and run by its end.
  await learnSteps(engine, { model, frames, recipe: rule, folder }, (stage, step) =>
    console.log(`${stage} ${step}: ${megabytes(peak.bytes())}`),
  );
  const used = peak.bytes();
  const plan = planLearning(learningSizeOf(info, rule.rank), rule, memoryBytes);
  console.log(
    `${name}, ${batch} clips, rank ${rank}: ${megabytes(used)} used, ${megabytes(plan.bytes)} planned (${(plan.bytes / used).toFixed(2)}), ${plan.form}${plan.recomputes ? ', computed again' : ''}`,
  );
  await engine.dispose();
  rmSync(folder, { recursive: true });
}
