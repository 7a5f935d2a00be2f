/**
 * Compares ways to sample the base model: clips for the captions of validation scenes, each with every variant of the settings, named by
 * the judge as `motif evaluate model` has them named. One line of JSON for each variant.
 *
 *   node test/studies/run.mjs test/studies/text-to-video.ts --log FILE [--clips 96] [--model FOLDER] [--device NAME] NAME=JSON...
 *
 * A variant is NAME=JSON, a part of an edit's settings. Scene and noise are the same for all variants.
 */
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { askedAttributes, namesIt } from '../../main/engine/evaluation/judging.ts';
import { readRawFrames } from '../../main/engine/formats/raw-frames.ts';
import { createEngine } from '../../main/engine/index.ts';
import { openJudge } from '../../main/engine/models/judge/judge.ts';
import { readModelExtras } from '../../main/engine/models/model-extras.ts';
import { captionTexts } from '../../main/engine/training/captions.ts';
import { attributes, caption } from '../../main/world/caption.ts';
import { sampleScene } from '../../main/world/scene.ts';
import type { DeviceName } from '../../shared/domain/engine.ts';
import { generateRequest } from '../../shared/domain/engine.ts';

const { values: options, positionals: variants } = parseArgs({
  allowPositionals: true,
  options: {
    log: { type: 'string' },
    clips: { type: 'string', default: '96' },
    model: { type: 'string', default: 'resources/models/motif-tiny' },
    judge: { type: 'string', default: 'resources/models/motif-judge' },
    device: { type: 'string', default: 'auto' },
  },
});
/** Validation seeds end in 1. */
const firstSeed = 100_001;
if (!options.log) throw new Error('--log is missing: the file that results are added to');
const { sizes, frames: frameCount, worldEdition } = await readModelExtras(options.model);
const engine = await createEngine({ device: options.device as DeviceName });
const judge = await openJudge(options.judge);
const folder = await mkdtemp(join(tmpdir(), 'motif-study-'));
const seeds = Array.from({ length: Number(options.clips) }, (_, index) => firstSeed + index * 10);
try {
  for (const variant of variants) {
    const [name, json = '{}'] = variant.split(/=(.*)/s) as [string, string | undefined];
    const asked: Record<string, number> = {};
    const right: Record<string, number> = {};
    for (const [index, seed] of seeds.entries()) {
      const scene = sampleScene(seed, { edition: worldEdition });
      const truth = attributes(scene);
      const settings = { prompt: captionTexts(caption(scene)).full, seed, ...JSON.parse(json) };
      const output = join(folder, 'clip.rgb');
      const request = {
        model: options.model,
        conceptFile: null,
        source: null,
        size: { ...sizes[index % sizes.length], frameCount },
        settings,
        output,
      };
      const { frames } = await engine.generate(generateRequest.parse(request));
      const judgement = await judge.assess(await readRawFrames(frames));
      for (const attribute of askedAttributes(truth, judge.labels)) {
        asked[attribute] = (asked[attribute] ?? 0) + 1;
        const named = namesIt(judgement, judge.labels, attribute, truth[attribute]) === true;
        right[attribute] = (right[attribute] ?? 0) + Number(named);
      }
    }
    const shares = Object.entries(asked).map(([attribute, count]) => (right[attribute] ?? 0) / count);
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const line = JSON.stringify({ variant: name, clips: seeds.length, mean: Number(mean.toFixed(3)), right, asked });
    console.log(line);
    await appendFile(options.log, `${line}\n`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
  judge.dispose();
  await engine.dispose();
}
