import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../../main/engine/index.ts';
import { processMemory } from '../../main/engine/training/free-memory.ts';
import { editSettings } from '../../shared/domain/edit.ts';
import { deviceName } from '../../shared/domain/engine.ts';
import { learningSizeOf, planLearning } from '../../shared/domain/learning-plan.ts';
import { planRunning, promptsAtOnce } from '../../shared/domain/model.ts';
import { recipe } from '../../shared/domain/recipe.ts';

const clip = { frameCount: 17, width: 256, height: 256, rate: { numerator: 16, denominator: 1 } };
const [learningSteps, samplingSteps, rank] = [3, 2, 16];

/** The most memory that this process had at once so far; `start` begins anew. Linux alone. */
const peak = {
  start: () => writeFileSync('/proc/self/clear_refs', '5'),
  bytes: () => 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]),
};

/** Learns 3 steps on whole clips and samples 2 with a model, and prints what each took. */
export async function runFullSize(model: string, device?: string, memoryLimitBytes?: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'motif-full-size-'));
  const engine = await createEngine({ device: deviceName.optional().parse(device), memoryLimitBytes });
  console.log((await engine.device({})).description);
  const info = await engine.describeModel({ model });
  const memoryBytes = processMemory(memoryLimitBytes);
  const pictureTokens = (clip.width * clip.height) / info.spatialStride ** 2;
  const clipTokens = pictureTokens * (1 + (clip.frameCount - 1) / info.temporalStride);
  const size = { ...learningSizeOf(info, rank), pictureTokens, clipTokens };
  const learning = planLearning(size, { batchSize: 1, batchSizeMotion: 1 }, memoryBytes);
  const running = planRunning(info, memoryBytes, promptsAtOnce * clipTokens);
  for (const [what, plan] of Object.entries({ learning, running }))
    console.log(`${what} is planned with ${plan.form} and ${(plan.bytes / 1e9).toFixed(2)} GB`);
  const timed = async (what: string, work: () => Promise<unknown>) => {
    peak.start();
    const [started, before] = [performance.now(), process.cpuUsage()];
    await work();
    const { user, system } = process.cpuUsage(before);
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `${what}: ${seconds.toFixed(1)} s, ${((user + system) / 1e6).toFixed(0)} s of processor time, at most ${(peak.bytes() / 1e9).toFixed(2)} GB`,
    );
  };
  try {
    const settings = editSettings.parse({ prompt: 'a dog runs on the beach', steps: samplingSteps, guidance: 1 });
    const output = join(folder, 'sampled.rgb');
    await timed(`${samplingSteps} steps of sampling, with text, weights and decoding`, () =>
      engine.generate(
        { model, conceptFile: null, source: null, size: clip, settings, output },
        {
          onEvent(event) {
            if (event.type === 'remark') console.log(event.text);
            if (event.type === 'progress') console.log(`  ${event.progress.phase} ${event.progress.done}`);
          },
        },
      ),
    );
    const frames = { file: join(folder, 'clip.rgb'), ...clip };
    const values = new Uint8Array(clip.frameCount * clip.width * clip.height * 3);
    writeFileSync(
      frames.file,
      values.map((_, index) => (index * 7) % 251),
    );
    const enough = new AbortController();
    let last = performance.now();
    const learn = engine.learn(
      {
        model,
        clips: [{ frames, caption: { static: 'a [v] dog on the beach', dynamic: 'runs in [u] motion' } }],
        recipe: recipe.parse({
          ...{ rank, stepsIdentity: 0, stepsMotion: learningSteps, batchSize: 1, batchSizeMotion: 1 },
          regularisers: { priorPreservation: false },
        }),
        workDirectory: join(folder, 'work'),
        conceptFile: join(folder, 'concept.safetensors'),
      },
      {
        signal: enough.signal,
        onEvent(event) {
          if (event.type === 'remark') console.log(event.text);
          if (event.type !== 'loss') return;
          const seconds = (performance.now() - last) / 1000;
          last = performance.now();
          console.log(
            `  ${event.point.stage} ${event.point.step}: loss ${event.point.loss.toFixed(4)}, ${seconds.toFixed(1)} s`,
          );
          // Measuring the concept would sample it with all of the steps.
          if (event.point.stage === 'motion' && event.point.step === learningSteps) enough.abort();
        },
      },
    );
    await timed(`${learningSteps} steps of learning, with encoding`, () =>
      learn.catch((thrown) => {
        if (!enough.signal.aborted) throw thrown;
      }),
    );
  } finally {
    await engine.dispose();
    rmSync(folder, { recursive: true });
  }
}
