/**
 * Compares ways to finish edits whose truth is known, of validation scenes: perfect ones (the truth at the model's size, coded and
 * decoded), so that finishing alone is judged, and with `--words` those that the model makes by words alone. One line of JSON for each
 * variant and kind of edit, measured as `motif evaluate finish` does. What was rendered and made is kept in --folder.
 *
 *   node test/studies/run.mjs test/studies/finish.ts --folder FOLDER [--seeds 21,31] [--kinds shirt,light] [--words] [--pictures 33] NAME=JSON...
 *
 * A variant is NAME=JSON with `keepDetail` (null: the edit is enlarged) and `recolour` (true: things of another colour are recoloured). `--pictures` measures so many from the beginning.
 */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { selectBackend } from '../../main/engine/backends/select.ts';
import { fittingChanges } from '../../main/engine/evaluation/concept-scene.ts';
import { enlargement, measureFinish, picturesPerFrame } from '../../main/engine/evaluation/measure-finish.ts';
import { picturesOf, throughAutoencoder } from '../../main/engine/evaluation/scenes.ts';
import { summariseFinish } from '../../main/engine/evaluation/summarise-finish.ts';
import { type Pictures, readRawFrames, writeRawFrames } from '../../main/engine/formats/raw-frames.ts';
import { readModelExtras } from '../../main/engine/models/model-extras.ts';
import { openVideoModel } from '../../main/engine/models/registry.ts';
import { createConceptSampler } from '../../main/engine/sampling/concept-sampler.ts';
import { generateClip } from '../../main/engine/sampling/generate-clip.ts';
import type { OpenModel } from '../../main/engine/sampling/open-model.ts';
import { captionTexts } from '../../main/engine/training/captions.ts';
import { processMemory } from '../../main/engine/training/free-memory.ts';
import { compareSampleSteps } from '../../main/engine/training/sample-step.ts';
import { writeWhole } from '../../main/files/place.ts';
import { caption } from '../../main/world/caption.ts';
import { type Change, editScene } from '../../main/world/edit.ts';
import { renderEdit } from '../../main/world/edit-mask.ts';
import { type Scene, sampleScene } from '../../main/world/scene.ts';
import { splitOf } from '../../main/world/split.ts';
import { recolourOf } from '../../shared/domain/colour-words.ts';
import { usualDetail } from '../../shared/domain/edit.ts';
import { type DeviceName, generateRequest } from '../../shared/domain/engine.ts';
import type { FinishScene } from '../../shared/domain/evaluation-finish.ts';
import { lookSettings } from '../../shared/domain/look.ts';
import { startStrength } from '../../shared/domain/strength.ts';

const { values: options, positionals: variants } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string' },
    seeds: { type: 'string', default: '21,31' },
    kinds: { type: 'string' },
    words: { type: 'boolean', default: false },
    pictures: { type: 'string' },
    model: { type: 'string', default: 'resources/models/motif-tiny' },
    device: { type: 'string', default: 'auto' },
  },
});
const { folder, model: directory } = options;
if (!folder) throw new Error('--folder is missing: where rendered scenes and edits are kept');
const seeds = options.seeds.split(',').map(Number);
const known = seeds.find((seed) => splitOf(seed) !== 'validation');
if (known !== undefined) throw new Error(`seed ${known} is not of a validation scene: those end in 1`);

const small = { width: 128, height: 128, frameCount: 17, frameRate: 8 };
const large = {
  width: small.width * enlargement,
  height: small.height * enlargement,
  frameCount: (small.frameCount - 1) * picturesPerFrame + 1,
  frameRate: small.frameRate * picturesPerFrame,
};
const rate = (of: { frameRate: number }) => ({ numerator: of.frameRate, denominator: 1 });
const rawOf = (file: string, { width, height, frameCount, frameRate }: typeof small) =>
  ({ file, width, height, frameCount, rate: rate({ frameRate }) }) as const;
const measured = Number(options.pictures ?? large.frameCount);
const { worldEdition: edition } = await readModelExtras(directory);
let opened: Promise<OpenModel> | undefined;

/** Opened when something is to be made. */
function model(): Promise<OpenModel> {
  opened ??= (async () => {
    await selectBackend({ device: options.device as DeviceName, selfTest: compareSampleSteps });
    const pipeline = await openVideoModel(directory);
    const fingerprint = await pipeline.fingerprint();
    const sampler = createConceptSampler(pipeline);
    return { pipeline, sampler, name: pipeline.name, fingerprint, memoryBytes: processMemory };
  })();
  return opened;
}

const textOf = (said: Scene) => captionTexts(caption(said)).full;

/** Renders an edit and makes what is finished, unless it was: the files of both sizes. */
async function prepare(scene: Scene, change: Change) {
  const stem = join(folder!, `seed-${scene.seed}-${change.kind}`);
  const at = (name: string) => `${stem}-${name}`;
  if (!existsSync(at('mask.bin'))) {
    const rendered = renderEdit(scene, change, large);
    for (const name of ['source', 'target'] as const)
      await writeRawFrames(at(`${name}.rgb`), picturesOf(rendered[name].frames, large), rate(large));
    await writeWhole(at('mask.bin'), rendered.mask);
  }
  if (!existsSync(at('perfect.rgb'))) {
    const rendered = renderEdit(scene, change, small);
    for (const [name, coded] of [
      ['source', 'base'],
      ['target', 'perfect'],
    ] as const) {
      const pictures = picturesOf(rendered[name].frames, small);
      await writeRawFrames(at(`${name}-small.rgb`), pictures, rate(small));
      await writeRawFrames(at(`${coded}.rgb`), await throughAutoencoder(await model(), pictures), rate(small));
    }
  }
  if (options.words && !existsSync(at('words.rgb'))) {
    const edited = editScene(scene, change).scene;
    const settings = lookSettings({
      from: textOf(scene),
      to: textOf(edited),
      strength: startStrength,
      keepDetail: usualDetail,
    });
    const request = generateRequest.parse({
      model: directory,
      conceptFile: null,
      source: rawOf(at('source-small.rgb'), small),
      size: null,
      settings,
      output: at('words.rgb'),
    });
    await generateClip(await model(), request);
  }
  return at;
}

await mkdir(folder, { recursive: true });
const scenes = new Map<string, FinishScene[]>(variants.map((variant) => [variant, []]));
for (const seed of seeds) {
  const scene = sampleScene(seed, { edition });
  const changes = fittingChanges(scene)
    .flat()
    .filter(({ kind }) => !options.kinds || options.kinds.split(',').includes(kind));
  for (const variant of variants) scenes.get(variant)!.push({ seed, edits: [], sheet: [] });
  for (const { kind, to, ...change } of changes) {
    const wanted = { kind, to, ...change } as Change;
    const at = await prepare(scene, wanted);
    const some = (of: Pictures): Pictures => ({
      ...of,
      count: measured,
      data: of.data.subarray(0, measured * large.width * large.height * 3),
    });
    const truth = {
      source: some(await readRawFrames(rawOf(at('source.rgb'), large))),
      target: some(await readRawFrames(rawOf(at('target.rgb'), large))),
      mask: new Uint8Array(await readFile(at('mask.bin'))).subarray(0, measured * large.width * large.height),
    };
    const base = await readRawFrames(rawOf(at('base.rgb'), small));
    for (const edit of options.words ? (['perfect', 'words'] as const) : (['perfect'] as const)) {
      const edited = await readRawFrames(rawOf(at(`${edit}.rgb`), small));
      for (const variant of variants) {
        const { keepDetail = usualDetail, recolour = false } = JSON.parse(variant.split(/=(.*)/s)[1] ?? '{}');
        const colours = recolour ? recolourOf(textOf(scene), textOf(editScene(scene, wanted).scene)) : null;
        const finishing = keepDetail === null ? null : { keepDetail, recolour: colours };
        const values = measureFinish(truth, { base, edited }, finishing);
        scenes
          .get(variant)!
          .at(-1)!
          .edits.push({ edit, kind, to, success: null, preservation: null, ...values });
      }
    }
    console.error(seed, kind, to);
  }
}
for (const variant of variants) {
  const [name] = variant.split('=');
  for (const row of summariseFinish(scenes.get(variant)!)) {
    const { edit, kind, edits, mseInside, mseOutside, sharpnessInside, sharpnessOutside, between, flicker } = row;
    const line = JSON.stringify({
      variant: name,
      ...{ edit, kind, edits, scenes: seeds.length, pictures: measured },
      ...Object.fromEntries(
        Object.entries({ mseInside, mseOutside, sharpnessInside, sharpnessOutside, between, flicker }).map(
          ([measure, { mean }]) => [measure, mean],
        ),
      ),
    });
    console.log(line);
    await appendFile(join(folder, 'finish.jsonl'), `${line}\n`);
  }
}
