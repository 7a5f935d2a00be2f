/**
 * What a step of each stage costs in processor time, by what it does: a figure that other programs on the machine disturb less than the
 * time on the clock (divide by the number of cores).
 *
 *   node test/studies/run.mjs test/studies/step-cost.ts [VARIANT=JSON...]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../../main/engine/index.ts';
import { recipe } from '../../shared/domain/recipe.ts';

const variants = process.argv.slice(2);
const measured = variants.length > 0 ? variants : ['default={}', 'frozen tokens={"tokenLearningRate":0}'];
const folder = await mkdtemp(join(tmpdir(), 'motif-cost-'));
const frames = {
  file: join(folder, 'clip.rgb'),
  frameCount: 17,
  width: 128,
  height: 128,
  rate: { numerator: 8, denominator: 1 },
};
await writeFile(frames.file, new Uint8Array(17 * 128 * 128 * 3).fill(90));
const engine = await createEngine();
const cpuMilliseconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

for (const [index, variant] of measured.entries()) {
  const [name, json = '{}'] = variant.split(/=(.*)/s) as [string, string | undefined];
  const costs: Record<string, number[]> = {};
  let last = cpuMilliseconds();
  await engine.learn(
    {
      model: 'resources/models/motif-tiny',
      clips: [{ frames, caption: { static: 'a [v] woman in a park', dynamic: 'she is dancing in [u] motion' } }],
      recipe: recipe.parse({ stepsIdentity: 8, stepsMotion: 8, priorClips: 2, ...JSON.parse(json) }),
      workDirectory: join(folder, `work-${index}`),
      conceptFile: join(folder, 'concept.safetensors'),
    },
    {
      onEvent(event) {
        if (event.type !== 'loss') return;
        const now = cpuMilliseconds();
        const list = costs[event.point.stage] ?? [];
        costs[event.point.stage] = list;
        list.push(now - last);
        last = now;
      },
    },
  );
  // The first two steps record and compile.
  const median = (list: number[]) => Math.round(list.slice(2).sort((a, b) => a - b)[(list.length - 2) >> 1]!);
  console.log(name, Object.fromEntries(Object.entries(costs).map(([stage, list]) => [stage, median(list)])), 'ms');
}
await engine.dispose();
await rm(folder, { recursive: true });
