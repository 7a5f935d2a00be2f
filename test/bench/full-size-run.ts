import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../../main/engine/index.ts';
import { processMemory } from '../../main/engine/training/free-memory.ts';
import { editSettings } from '../../shared/domain/edit.ts';
import { deviceName } from '../../shared/domain/engine.ts';
import { learningSizeOf, planLearning } from '../../shared/domain/learning-plan.ts';
import { planRunning } from '../../shared/domain/model.ts';
import { recipe } from '../../shared/domain/recipe.ts';
import { learnSteps, patternedClip, peak } from './learn-steps.ts';

const clip = { frameCount: 17, width: 256, height: 256, rate: { numerator: 16, denominator: 1 } };
const [learningSteps, samplingSteps, rank] = [3, 2, 16];

interface Moment {
  at: number;
  usage: NodeJS.CpuUsage;
}

const moment = (): Moment => ({ at: performance.now(), usage: process.cpuUsage() });

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
  const running = planRunning(info, memoryBytes, { picture: pictureTokens, clip: clipTokens });
  for (const [what, plan] of Object.entries({ learning, running }))
    console.log(`${what} is planned with ${plan.form} and ${(plan.bytes / 1e9).toFixed(2)} GB`);
  /** Prints what each part took, each from the end of the one before, and all of them. */
  const timed = async (what: string, work: (lap: (part: string) => void) => Promise<unknown>) => {
    const print = (name: string, { at, usage }: Moment, bytes: number) => {
      const { user, system } = process.cpuUsage(usage);
      const [seconds, processor] = [(performance.now() - at) / 1000, (user + system) / 1e6];
      const memory = (bytes / 1e9).toFixed(2);
      console.log(
        `${name}: ${seconds.toFixed(1)} s, ${processor.toFixed(1)} s of processor time, at most ${memory} GB`,
      );
    };
    const started = moment();
    let last = started;
    let most = 0;
    peak.start();
    await work((part) => {
      print(`  ${part}`, last, peak.bytes());
      most = Math.max(most, peak.bytes());
      last = moment();
      peak.start();
    });
    print(what, started, Math.max(most, peak.bytes()));
  };
  try {
    const settings = editSettings.parse({ prompt: 'a dog runs on the beach', steps: samplingSteps, guidance: 1 });
    const output = join(folder, 'sampled.rgb');
    await timed(`${samplingSteps} steps of sampling, with text, weights and decoding`, (lap) =>
      engine.generate(
        { model, conceptFile: null, source: null, size: clip, settings, output },
        {
          onEvent(event) {
            if (event.type === 'remark') console.log(event.text);
            if (event.type === 'progress') lap(`${event.progress.phase} ${event.progress.done}`);
          },
        },
      ),
    );
    const frames = patternedClip(folder, clip);
    const few = recipe.parse({
      ...{ rank, stepsIdentity: 0, stepsMotion: learningSteps, batchSize: 1, batchSizeMotion: 1 },
      regularisers: { priorPreservation: false },
    });
    await timed(`${learningSteps} steps of learning, with encoding`, (lap) =>
      learnSteps(
        engine,
        { model, frames, recipe: few, folder },
        (stage, step, loss) => lap(`${stage} ${step}, loss ${loss.toFixed(4)}`),
        (phase, done) => lap(`${phase} ${done}`),
      ),
    );
  } finally {
    await engine.dispose();
    rmSync(folder, { recursive: true });
  }
}
