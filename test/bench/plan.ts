import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureMatMulRate } from '../../main/engine/backends/matmul-rate.ts';
import { createEngine } from '../../main/engine/index.ts';
import { transformerConfigSchema, transformerSpecs } from '../../main/engine/models/wan/transformer-config.ts';
import { processMemory } from '../../main/engine/training/free-memory.ts';
import { editSettings } from '../../shared/domain/edit.ts';
import type { DeviceName } from '../../shared/domain/engine.ts';
import { learningSizeOf, planLearning } from '../../shared/domain/learning-plan.ts';
import type { ModelInfo } from '../../shared/domain/model.ts';
import { type Recipe, recipe } from '../../shared/domain/recipe.ts';
import { planEditSeconds, planLearningTime } from '../../shared/domain/time-plan.ts';
import { editWork, learningWork } from '../../shared/domain/work.ts';
import type { Engine } from '../../shared/ipc/engine-contract.ts';
import { writeRandom } from './full-size-models.ts';
import { learnSteps, patternedClip, peak } from './learn-steps.ts';

// node test/bench/run.mjs plan [MODEL] [CLIPS] [RANK] [DEVICE]: what a learning takes, in memory and processor time, and what the plan said.
// MODEL is `embedded`, or how many layers of 1536 it has. Linux alone, where the system keeps the peak: a step blocks whoever would look.
const [name = 'embedded', batch = '3', rank = '16', device = 'onnxruntime', given] = process.argv.slice(2);
const clip = { frameCount: 17, width: 128, height: 128, rate: { numerator: 8, denominator: 1 } };
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
    stepsIdentity: 3,
    stepsMotion: 4,
    priorClips: 1,
    batchSizeMotion: Number(batch),
    rank: Number(rank),
    // All steps of a stage are alike, and their times can be compared.
    selfConditioningProbability: 1,
  });
  const frames = patternedClip(folder, clip);
  const memoryBytes = processMemory();
  console.log(`opened: ${megabytes(peak.bytes())}`);
  // Both kinds of step are recorded, compiled and run by its end.
  const steps: Record<string, number[]> = {};
  let last = processorSeconds();
  await learnSteps(engine, { model, frames, recipe: rule, folder }, (stage, step) => {
    const now = processorSeconds();
    steps[stage] = [...(steps[stage] ?? []), now - last];
    last = now;
    console.log(`${stage} ${step}: ${megabytes(peak.bytes())}`);
  });
  const used = peak.bytes();
  const plan = planLearning(learningSizeOf(info, rule.rank), rule, memoryBytes);
  console.log(
    `${name}, ${batch} clips, rank ${rank}: ${megabytes(used)} used, ${megabytes(plan.bytes)} planned (${(plan.bytes / used).toFixed(2)}), ${plan.form}${plan.recomputes ? ', computed again' : ''}`,
  );
  await compareTimes(engine, info, { rule, memoryBytes, steps, folder });
  await engine.dispose();
  rmSync(folder, { recursive: true });
}

/** Seconds that all threads have computed so far: others on the machine change them little. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Prints what learning, sampling and coding took in processor time, beside what was planned by that of matrix products. */
async function compareTimes(
  engine: Engine,
  info: ModelInfo,
  {
    rule,
    memoryBytes,
    steps,
    folder,
  }: { rule: Recipe; memoryBytes: number; steps: Readonly<Record<string, number[]>>; folder: string },
): Promise<void> {
  const rate = await measureMatMulRate(() => 1000 * processorSeconds());
  console.log(`matrix products: ${rate.toFixed(1)} GFLOP for each second of processor time`);
  const timed = { device: { machine: '', matMulGflops: rate }, memoryBytes, timed: [] };
  const { timing } = planLearningTime(info, rule, timed)!;
  const work = learningWork(info, rule, memoryBytes);
  const tell = (what: string, seconds: number, planned: number, operations: number) =>
    console.log(
      `${what}: ${seconds.toFixed(2)} s, ${planned.toFixed(2)} s planned (${(planned / seconds).toFixed(2)}), ${(operations / seconds / rate / 1e9).toFixed(2)} of the rate of products`,
    );
  for (const stage of ['identity', 'motion'] as const) {
    const taken = Math.min(...(steps[stage] ?? []).slice(1)); // the first was compiled
    tell(`a step of ${stage}`, taken, timing[stage], work[stage].learning);
  }
  const edit = (count: number) => {
    const settings = editSettings.parse({ prompt: 'a dog on the beach', steps: count, guidance: 4 });
    return { settings, frames: clip, rank: 0 };
  };
  const take = async (count: number) => {
    const started = processorSeconds();
    const output = join(folder, 'sampled.rgb');
    const { settings } = edit(count);
    await engine.generate({ model, conceptFile: null, source: null, size: clip, settings, output });
    return processorSeconds() - started;
  };
  await take(1);
  const [few, many] = [await take(2), await take(6)];
  const planned = (count: number) => planEditSeconds(info, edit(count), { ...timed, last: null })!;
  const [fewWork, manyWork] = [2, 6].map((count) => editWork(info, edit(count)));
  tell('4 steps of sampling', many - few, planned(6) - planned(2), manyWork!.sampling - fewWork!.sampling);
  tell('decoding', few - (many - few) / 2, planned(2) - (planned(6) - planned(2)) / 2, fewWork!.coding);
  tell('all of 6 steps', many, planned(6), manyWork!.sampling + manyWork!.coding);
}
