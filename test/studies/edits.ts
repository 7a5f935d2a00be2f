/**
 * Compares ways to make an edit. Learns a concept of each validation scene once (kept in --folder), then makes all its true edits with
 * every variant of the settings, and measures them as `motif evaluate concept` does, as sampled and as finished. One line of JSON for each
 * scene and variant.
 *
 *   node test/studies/run.mjs test/studies/edits.ts --folder FOLDER [--words] [--seeds 11,21] [--recipe JSON] [--judge FOLDER] NAME=JSON...
 *
 * A variant is NAME=JSON, a part of an edit's settings. The reconstruction is always made from pure noise. With `--words` nothing is learned
 * and every edit is made by words alone; `strength` in a variant is that of a look.
 */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { conceptScene } from '../../main/engine/evaluation/concept-scene.ts';
import { finishEdit } from '../../main/engine/evaluation/finish-edit.ts';
import { readKept } from '../../main/engine/evaluation/folder.ts';
import { type MakeClip, measureEdits, measureMethod } from '../../main/engine/evaluation/measure-method.ts';
import { readRawFrames, writeRawFrames } from '../../main/engine/formats/raw-frames.ts';
import { createEngine } from '../../main/engine/index.ts';
import { openJudge } from '../../main/engine/models/judge/judge.ts';
import { readModelExtras } from '../../main/engine/models/model-extras.ts';
import type { DeviceName } from '../../shared/domain/engine.ts';
import { generateRequest } from '../../shared/domain/engine.ts';
import { lookSettings } from '../../shared/domain/look.ts';
import { recipe } from '../../shared/domain/recipe.ts';
import { startStrength } from '../../shared/domain/strength.ts';
import { summary } from './summary.ts';

const { values: options, positionals: variants } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string' },
    seeds: { type: 'string', default: '11,21' },
    recipe: { type: 'string', default: '{}' },
    words: { type: 'boolean', default: false },
    model: { type: 'string', default: 'resources/models/motif-tiny' },
    judge: { type: 'string', default: 'resources/models/motif-judge' },
    device: { type: 'string', default: 'auto' },
  },
});
if (!options.folder) throw new Error('--folder is missing: where concepts and results are kept');
const size = { width: 128, height: 128, frameCount: 17, frameRate: 8 };
const rate = { numerator: 8, denominator: 1 };
const engine = await createEngine({ device: options.device as DeviceName });
const judge = await openJudge(options.judge);
const { worldEdition } = await readModelExtras(options.model);

for (const seed of options.seeds.split(',').map(Number)) {
  const folder = join(options.folder, `seed-${seed}`);
  await mkdir(folder, { recursive: true });
  const scene = await conceptScene(seed, worldEdition, size, judge);
  const source = await writeRawFrames(join(folder, 'source.rgb'), scene.source, rate);
  const conceptFile = join(folder, 'concept.safetensors');
  if (!options.words && !(await readKept(join(folder, 'learned.json'), z.object({})))) {
    const learned = await engine.learn({
      model: options.model,
      clips: [{ frames: source, caption: scene.caption }],
      recipe: recipe.parse(JSON.parse(options.recipe)),
      workDirectory: join(folder, 'work'),
      conceptFile,
    });
    await writeFile(join(folder, 'learned.json'), JSON.stringify(learned.metrics));
    console.log(seed, learned.metrics);
  }
  for (const variant of variants) {
    const [name, json = '{}'] = variant.split(/=(.*)/s) as [string, string | undefined];
    const { strength = startStrength, ...laid } = JSON.parse(json);
    const make: MakeClip = async (wanted) => {
      const { learned, plain } = wanted.prompt;
      const settings = options.words
        ? { ...lookSettings({ from: scene.prompt.plain, to: plain, strength, keepDetail: 1 }), ...laid }
        : {
            prompt: learned,
            sliders: wanted.sliders,
            ...laid,
            ...(wanted.task === 'reconstruction' && { fidelity: 0 }),
          };
      const request = generateRequest.parse({
        model: options.model,
        conceptFile: options.words ? null : conceptFile,
        source,
        size: null,
        settings,
        output: join(folder, `${name}-${wanted.name.replaceAll(' ', '-')}.rgb`),
        baseOutput: join(folder, 'base.rgb'),
      });
      const { frames, base, seconds } = await engine.generate(request);
      const made = { pictures: await readRawFrames(frames), seconds };
      return {
        ...made,
        finished: base && finishEdit(scene.source, await readRawFrames(base), made, request.settings),
      };
    };
    const measured = options.words
      ? {
          method: 'words' as const,
          reconstruction: null,
          edits: await measureEdits(scene, judge, make, false),
          sliders: [],
        }
      : await measureMethod('concept', scene, judge, make, []);
    const line = JSON.stringify({ variant: name, seed, ...summary(measured) });
    console.log(line);
    await appendFile(join(options.folder, 'edits.jsonl'), `${line}\n`);
  }
}
judge.dispose();
await engine.dispose();
