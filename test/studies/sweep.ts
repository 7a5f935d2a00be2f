/**
 * Rates and lengths of learning, for every method with the same effort: each learns validation scenes at the same multiples of its own rate, for
 * the same multiples of the processor time that the default recipe takes, and makes all true edits from pure noise and by the editor's defaults.
 * One line of JSON a learning is appended to the log; what stands there already is not done again, and a learning that was stopped goes on.
 *
 *   node test/studies/run.mjs test/studies/sweep.ts --log FILE --folder FOLDER [--methods lora-8,dreammix] [--seeds 11,21] [--rates 0.33,1,3]
 *     [--efforts 0.5,1] [--steps 24] [--size 128x128x17] [--model FOLDER] [--judge FOLDER]
 *
 * In the end it says at which rate and time each method's true error is least on average, and by how much the next is worse.
 */
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { selectBackend } from '../../main/engine/backends/select.ts';
import { type ConceptScene, conceptScene } from '../../main/engine/evaluation/concept-scene.ts';
import { nameOfContent } from '../../main/engine/evaluation/folder.ts';
import { learnOnce } from '../../main/engine/evaluation/learned-concept.ts';
import { measureEdit } from '../../main/engine/evaluation/measure-method.ts';
import { costOf, stepCosts, withinBudget } from '../../main/engine/evaluation/table-costs.ts';
import { readRawFrames, writeRawFrames } from '../../main/engine/formats/raw-frames.ts';
import { methodOf } from '../../main/engine/methods/registry.ts';
import { openJudge } from '../../main/engine/models/judge/judge.ts';
import { openVideoModel } from '../../main/engine/models/registry.ts';
import { createConceptSampler } from '../../main/engine/sampling/concept-sampler.ts';
import { generateClip } from '../../main/engine/sampling/generate-clip.ts';
import { processMemory } from '../../main/engine/training/free-memory.ts';
import { splitOf } from '../../main/world/split.ts';
import { editSettings } from '../../shared/domain/edit.ts';
import type { DeviceName } from '../../shared/domain/engine.ts';
import type { EditMeasures } from '../../shared/domain/evaluation.ts';
import { type LearningMethod, methodName, plannedSteps, type Recipe, recipe } from '../../shared/domain/recipe.ts';
import { startSettings } from '../../shared/domain/strength.ts';
import { AppError } from '../../shared/ipc/result.ts';

const { values: options } = parseArgs({
  options: {
    log: { type: 'string' },
    folder: { type: 'string' },
    methods: { type: 'string', default: methodName.options.join() },
    seeds: { type: 'string', default: '11,21' },
    rates: { type: 'string', default: '0.33,1,3' },
    efforts: { type: 'string', default: '0.5,1' },
    steps: { type: 'string', default: '24' },
    size: { type: 'string', default: '128x128x17' },
    model: { type: 'string', default: 'resources/models/motif-tiny' },
    judge: { type: 'string', default: 'resources/models/motif-judge' },
    device: { type: 'string', default: 'auto' },
  },
});
const { log, folder } = options;
if (!log || !folder) throw new Error('give --log and --folder');
const numbers = (list: string) => list.split(',').filter(Boolean).map(Number);
const [width, height, frameCount] = options.size.split('x').map(Number) as [number, number, number];
const seeds = numbers(options.seeds);
const strange = seeds.find((seed) => splitOf(seed) !== 'validation');
if (strange !== undefined) throw new Error(`seed ${strange} is of no validation scene: those end in 1`);
await mkdir(folder, { recursive: true });
await selectBackend({ device: options.device as DeviceName });
const pipeline = await openVideoModel(options.model);
const sampler = createConceptSampler(pipeline);
const fingerprint = await pipeline.fingerprint();
const model = { pipeline, sampler, name: pipeline.name, fingerprint, memoryBytes: processMemory };
const judge = await openJudge(options.judge);
const { worldEdition, frameRate } = pipeline.extras;
const rate = { numerator: frameRate, denominator: 1 };

type Ways = Record<'noise' | 'editor', { error: number; inside: number; outside: number; named: number }>;
interface Line {
  key: string;
  method: LearningMethod;
  rate: number;
  effort: number;
  seed: number;
  ways?: Ways;
  refused?: string;
}
const lines: Line[] = existsSync(log)
  ? readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  : [];

const chosen = methodName.options.filter((name) => options.methods.split(',').includes(name));
const asked: Line[] = [];
for (const seed of seeds) {
  const scene = await conceptScene(seed, worldEdition, { width, height, frameCount, frameRate }, judge);
  const source = await writeRawFrames(join(folder, `${seed}.rgb`), scene.source, rate);
  const usual = recipe.parse({});
  const learning = (of: Recipe, kind: string) => {
    const stem = join(folder, `${kind}-${seed}-${nameOfContent({ fingerprint, of, size: options.size })}`);
    return { directory: options.model, recipe: of, caption: scene.caption, source, stem };
  };
  const costs = async (of: Recipe) => (await stepCosts(model, learning(of, 'costs'), {})).costs;
  const budget = costOf(usual, await costs(usual));
  for (const method of chosen)
    for (const factor of numbers(options.rates))
      for (const effort of numbers(options.efforts)) {
        const own = recipe.parse({ method });
        const learningRate = own.learningRate * factor;
        const tokenLearningRate = own.tokenLearningRate * factor;
        const wanted = { ...own, learningRate, tokenLearningRate };
        const key = nameOfContent({ fingerprint, wanted, effort, seed, size: options.size, steps: options.steps });
        const known = lines.find((line) => line.key === key);
        if (known) {
          asked.push(known);
          continue;
        }
        const about = { key, method, rate: factor, effort, seed };
        const line: Line = await measure().catch((error) => {
          if (!(error instanceof AppError) || error.code !== 'invalid-input') throw error;
          return { ...about, refused: error.message };
        });
        asked.push(line);
        console.log(JSON.stringify(line));
        await appendFile(log, `${JSON.stringify(line)}\n`);

        async function measure() {
          const fitting = withinBudget(wanted, await costs(own), budget * effort);
          const place = learning(fitting, 'concept');
          const { conceptFile, cost } = await learnOnce(model, place, {});
          const ways = { noise: await measured('noise'), editor: await measured('editor') };
          await rm(conceptFile);
          const { processorSeconds } = cost;
          const rates = { learningRate, tokenLearningRate, steps: plannedSteps(fitting) };
          return { ...about, ...rates, processorSeconds: Math.round(processorSeconds), ways };

          async function measured(way: keyof Ways) {
            const made = startSettings(way === 'editor');
            return meanOf(await editsOf(scene, { source, conceptFile, fitting, made }));
          }
        }
      }
}
console.log(conclusions(asked));
judge.dispose();
sampler.dispose();
await pipeline.dispose();

interface Making {
  source: Awaited<ReturnType<typeof writeRawFrames>>;
  conceptFile: string;
  fitting: Recipe;
  made: object;
}

/** All true edits of a scene, under the words that the method reads. */
async function editsOf(scene: ConceptScene, { source, conceptFile, fitting, made }: Making): Promise<EditMeasures[]> {
  const stages = methodOf(fitting).stages(fitting, { moving: true, tokensLearn: fitting.tokenLearningRate > 0 });
  const words = stages.some(({ clipText }) => clipText === 'motion') ? 'identityOnly' : 'learned';
  const edits: EditMeasures[] = [];
  for (const edit of scene.edits) {
    const about = { steps: Number(options.steps), shown: scene.prompt[words], ...made };
    const settings = editSettings.parse({ prompt: edit.prompt[words], ...about });
    const output = join(folder!, 'made.rgb');
    const request = { model: options.model, conceptFile, source, size: null, settings, output };
    const { frames, seconds } = await generateClip(model, request);
    edits.push(await measureEdit(edit, await readRawFrames(frames), seconds, scene, judge));
  }
  await rm(join(folder!, 'made.rgb'), { force: true });
  return edits;
}

function meanOf(edits: readonly EditMeasures[]): Ways['noise'] {
  const mean = (values: readonly (number | null)[]) => {
    const known = values.filter((value) => value !== null);
    return Number((known.reduce((sum, value) => sum + value, 0) / known.length).toPrecision(4));
  };
  return {
    error: mean(edits.map(({ mse }) => mse)),
    inside: mean(edits.map(({ mseInside }) => mseInside)),
    outside: mean(edits.map(({ mseOutside }) => mseOutside)),
    named: mean(edits.map(({ success }) => (success === null ? null : Number(success)))),
  };
}

/** For each method and way, the rate and time of the least true error, mean over the scenes, and the next best. */
function conclusions(all: readonly Line[]): string {
  const told = chosen.flatMap((method) => {
    const own = all.filter((line) => line.method === method);
    const refused = own.find((line) => line.refused)?.refused;
    if (refused) return [`${method}: refused: ${refused}`];
    return (['noise', 'editor'] as const).map((way) => {
      const settings = [...new Set(own.map(({ rate, effort }) => `rate x ${rate}, time x ${effort}`))];
      const errors = settings.map((setting) => {
        const of = own.filter(({ rate, effort }) => `rate x ${rate}, time x ${effort}` === setting);
        return { setting, error: of.reduce((sum, { ways }) => sum + ways![way].error, 0) / of.length };
      });
      const [best, next] = errors.sort((a, b) => a.error - b.error);
      const behind = next ? `; next ${next.setting}: ${next.error.toFixed(4)}` : '';
      return `${method}, ${way}: ${best!.setting}: true error ${best!.error.toFixed(4)}${behind}`;
    });
  });
  return `${seeds.length} scenes (${seeds.join(', ')}), one learning seed each:\n${told.join('\n')}`;
}
