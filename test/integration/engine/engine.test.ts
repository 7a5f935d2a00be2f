import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lazyBackend } from '../../../main/engine/backends/lazy/use.ts';
import * as tf from '../../../main/engine/backends/tf.ts';
import { readConcept, writeConcept } from '../../../main/engine/formats/concept.ts';
import { createEngine } from '../../../main/engine/index.ts';
import { createJoiner } from '../../../main/engine/sampling/windows.ts';
import { type EngineEvent, generateRequest } from '../../../shared/domain/engine.ts';
import { recipe } from '../../../shared/domain/recipe.ts';
import type { Engine } from '../../../shared/ipc/engine-contract.ts';
import { learnRequest, temporaryFolder, tinyModel, writeClip } from './tiny-model.ts';

let engine: Engine;
let folder: string;
let concept: string;
const events: EngineEvent[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  engine = await createEngine({ threads: 2, device: 'onnxruntime' });
  const request = await learnRequest(folder, { sampleEvery: 6 });
  concept = request.conceptFile;
  await engine.learn(request, { onEvent: (event) => events.push(event) });
});
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});

const request = async (name: string, settings: object, changes: object = {}) =>
  generateRequest.parse({
    model: tinyModel,
    conceptFile: concept,
    source: await writeClip(folder),
    size: null,
    settings: { prompt: 'a [v] dog on the beach runs in [u] motion', steps: 3, ...settings },
    output: join(folder, `${name}.rgb`),
    ...changes,
  });

/** A concept file that holds a basis alone, which is written as version 1. */
async function readFirst(file: string) {
  const read = await readConcept(file);
  if (read.version !== 1) throw new Error(`expected version 1, found ${read.version}`);
  return read;
}

async function generate(name: string, settings: object, changes: object = {}) {
  const { frames } = await engine.generate(await request(name, settings, changes));
  return readFile(frames.file);
}

describe('learning', () => {
  it('tells of losses, progress, checkpoints and samples', () => {
    const losses = events.flatMap((event) => (event.type === 'loss' ? [event.point] : []));
    expect(losses.map(({ stage, step }) => `${stage} ${step}`)).toEqual(
      ['identity', 'motion'].flatMap((stage) => [1, 2, 3, 4, 5, 6].map((step) => `${stage} ${step}`)),
    );
    const phases = events.flatMap((event) => (event.type === 'progress' ? [event.progress.phase] : []));
    expect([...new Set(phases)]).toEqual(['encode', 'prior', 'identity', 'motion', 'measure']);
    expect(events.filter(({ type }) => type === 'checkpoint').length).toBeGreaterThanOrEqual(4);
    const samples = events.flatMap((event) => (event.type === 'sample' ? [event.frames.frameCount] : []));
    expect(samples).toEqual([1, 5]);
  });

  it('refuses the folder of another run, and a clip that the model cannot take', async () => {
    const other = await learnRequest(folder, { seed: 2 });
    await expect(engine.learn(other)).rejects.toMatchObject({ code: 'conflict' });
    const odd = await learnRequest(folder);
    odd.workDirectory = join(folder, 'odd');
    odd.clips[0]!.frames = { ...odd.clips[0]!.frames, frameCount: 4 };
    await expect(engine.learn(odd)).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('makes one concept of two clips, each with its own tokens', async () => {
    const joint = await learnRequest(folder, { stepsIdentity: 4, stepsMotion: 4, stitchedShare: 0.5 });
    const frames = await writeClip(folder, 'second', 8);
    joint.clips.push({ frames, caption: { static: 'a [v] cat in the snow', dynamic: 'runs in [u] motion' } });
    joint.workDirectory = join(folder, 'joint');
    joint.conceptFile = join(folder, 'joint.safetensors');
    await engine.learn(joint);
    const { tokens, captions } = await readConcept(joint.conceptFile);
    expect(Object.keys(tokens)).toEqual(['v', 'u', 'v2', 'u2']);
    expect(captions[1]!.static).toBe('a [v2] cat in the snow');
    const made = await generate('joint', { prompt: 'a [v] dog and a [v2] cat' }, { conceptFile: joint.conceptFile });
    expect(made.length).toBe(5 * 32 * 32 * 3);
  });

  it('learns the identity alone from a single picture', async () => {
    const still = await learnRequest(folder, { stepsIdentity: 3 });
    const [clip] = still.clips;
    const file = join(folder, 'still.rgb');
    await writeFile(file, (await readFile(clip!.frames.file)).subarray(0, 32 * 32 * 3));
    clip!.frames = { ...clip!.frames, file, frameCount: 1 };
    still.workDirectory = join(folder, 'still');
    still.conceptFile = join(folder, 'still.safetensors');
    const { losses } = await engine.learn(still);
    expect(losses.map(({ stage }) => stage)).toEqual(['identity', 'identity', 'identity']);
  });

  it('learns plain LoRA from the clip, without a motion residual', async () => {
    const lora = await learnRequest(folder, { method: 'lora', rank: 1, stepsMotion: 3 });
    lora.workDirectory = join(folder, 'lora');
    lora.conceptFile = join(folder, 'lora.safetensors');
    const { losses, rank } = await engine.learn(lora);
    expect([losses.length, rank]).toEqual([3, 1]);
    const made = await readFirst(lora.conceptFile);
    expect(made.layers.every(({ residual }) => residual.every((value) => value === 0))).toBe(true);
  });

  it('learns words alone by Textual Inversion, which no LoRA file holds', async () => {
    const words = await learnRequest(folder, { method: 'textual-inversion', stepsMotion: 3 });
    words.workDirectory = join(folder, 'words');
    words.conceptFile = join(folder, 'words.safetensors');
    const { losses, rank } = await engine.learn(words);
    expect([losses.map(({ stage }) => stage), rank]).toEqual([['words', 'words', 'words'], 0]);
    const { conceptFile } = words;
    expect(await readConcept(conceptFile)).toMatchObject({ version: 2, parts: {}, stages: [{ label: 'words' }] });
    expect(await engine.checkConcept({ file: conceptFile, model: tinyModel })).toMatchObject({ rank: 0 });
    const edit = { fidelity: 0.3, steps: 4 };
    expect((await generate('words', edit, { conceptFile })).equals(await generate('without', edit))).toBe(false);
    const sliders = { identity: 1, motion: 1, directions: {} };
    const output = join(folder, 'words-lora.safetensors');
    const exported = engine.exportLora({ model: tinyModel, conceptFile, sliders, dialect: 'comfyui', output });
    await expect(exported).rejects.toThrow('words alone');
    const frozen = await learnRequest(folder, { method: 'textual-inversion', tokenLearningRate: 0 });
    frozen.workDirectory = join(folder, 'frozen');
    await expect(engine.learn(frozen)).rejects.toThrow('tokens cannot learn');
  });

  it('learns the parts of DreamVideo, each of which follows its slider', async () => {
    const dream = await learnRequest(folder, { method: 'dreamvideo', stepsIdentity: 3, stepsMotion: 3, rank: 4 });
    dream.workDirectory = join(folder, 'dream');
    dream.conceptFile = join(folder, 'dream.safetensors');
    const { losses } = await engine.learn(dream);
    expect([...new Set(losses.map(({ stage }) => stage))]).toEqual(['words', 'identity', 'motion']);
    const { conceptFile } = dream;
    expect(Object.keys(((await readConcept(conceptFile)) as { parts: object }).parts)).toEqual(['identity', 'motion']);
    const edit = { fidelity: 0.3, steps: 4, guidance: 3 };
    const whole = await generate('dream', edit, { conceptFile });
    expect(await generate('dream-again', edit, { conceptFile })).toEqual(whole);
    for (const sliders of [{ identity: 0 }, { motion: 3 }, { appearance: 0 }])
      expect(
        (await generate('dream-moved', { ...edit, sliders }, { conceptFile })).equals(whole),
        JSON.stringify(sliders),
      ).toBe(false);
    const sliders = { identity: 1, motion: 1, directions: {} };
    const output = join(folder, 'dream-lora.safetensors');
    const exported = engine.exportLora({ model: tinyModel, conceptFile, sliders, dialect: 'comfyui', output });
    await expect(exported).rejects.toThrow('not a low-rank change');
  });

  it("learns the two LoRAs of MotionDirector, which become one file, and NewMove's whole weights, which become none", async () => {
    const sliders = { identity: 0, motion: 1, directions: {} };
    const exported = async (method: 'motion-director' | 'newmove') => {
      const asked = await learnRequest(folder, { method, stepsIdentity: 2, stepsMotion: 2, rank: 2 });
      const conceptFile = join(folder, `${method}.safetensors`);
      await engine.learn({ ...asked, workDirectory: join(folder, method), conceptFile });
      expect(await engine.checkConcept({ file: conceptFile, model: tinyModel })).toMatchObject({
        rank: method === 'newmove' ? 0 : 2,
      });
      const whole = await generate(method, {}, { conceptFile });
      expect((await generate(`${method}-still`, { sliders: { motion: 0 } }, { conceptFile })).equals(whole)).toBe(
        false,
      );
      const output = join(folder, `${method}-lora.safetensors`);
      return engine.exportLora({ model: tinyModel, conceptFile, sliders, dialect: 'comfyui', output });
    };
    expect(await exported('motion-director')).toMatchObject({ rank: 2, layers: 20 });
    await expect(exported('newmove')).rejects.toThrow('not a low-rank change');
  });

  it('puts the identity of one concept and the motion of another together, each as it is alone', async () => {
    // What the tests above have learned.
    const dream = join(folder, 'dream.safetensors');
    const conceptFile = join(folder, 'mix.safetensors');
    const named = (file: string) => ({ file, name: 'it' });
    const mixed = await engine.mix({ model: tinyModel, identity: named(concept), motion: named(dream), conceptFile });
    // What DreamVideo learned of the motion, it learned under plain words.
    expect(mixed.captions).toEqual([{ static: 'a [v] dog on the beach', dynamic: 'runs' }]);
    expect(await engine.checkConcept({ file: conceptFile, model: tinyModel })).toEqual(mixed);
    const prompt = 'a dog on the beach'; // without the tokens, which are of both
    const far = async (sliders: object, alone: string) => {
      const together = await generate('mixed', { prompt, sliders }, { conceptFile });
      const apart = await generate('apart', { prompt, sliders }, { conceptFile: alone });
      return Math.max(...together.map((value, index) => Math.abs(value - apart[index]!)));
    };
    expect(await far({ identity: 1, motion: 0 }, concept)).toBeLessThanOrEqual(1);
    expect(await far({ identity: 0, motion: 1, appearance: 0 }, dream)).toBeLessThanOrEqual(1);
    expect(await far({ identity: 1, motion: 2, appearance: 0 }, dream)).toBeGreaterThan(1);
    const words = named(join(folder, 'words.safetensors'));
    const nothing = engine.mix({ model: tinyModel, identity: named(concept), motion: words, conceptFile });
    await expect(nothing).rejects.toThrow('no learned motion');
  });

  it('refuses layers that the model does not have', async () => {
    const wrong = await learnRequest(folder, { targetLayers: ['attn3.to_q'] });
    await expect(engine.learn(wrong)).rejects.toThrow('attn3.to_q');
  });

  it('when stopped leaves the engine usable and no tensors behind', async () => {
    const stopped = await learnRequest(folder, { stepsIdentity: 1000 });
    stopped.workDirectory = join(folder, 'stopped');
    const run = async () => {
      const controller = new AbortController();
      const work = engine.learn(stopped, {
        signal: controller.signal,
        onEvent: (event) => event.type === 'loss' && controller.abort(),
      });
      await expect(work).rejects.toMatchObject({ code: 'cancelled' });
    };
    await run();
    const before = tf.memory().numTensors;
    await run();
    expect(tf.memory().numTensors).toBe(before);
    expect((await generate('after', {})).length).toBe(5 * 32 * 32 * 3);
  });

  it('keeps memory constant over 200 steps', async () => {
    const long = await learnRequest(folder, { stepsIdentity: 200, stepsMotion: 0, checkpointEvery: 1000 });
    long.workDirectory = join(folder, 'long');
    long.conceptFile = join(folder, 'long.safetensors');
    const tensors: number[] = [];
    const bytes: number[] = [];
    await engine.learn(long, {
      onEvent(event) {
        if (event.type !== 'loss') return;
        tensors.push(tf.memory().numTensors);
        bytes.push(tf.memory().numBytes);
      },
    });
    expect(tensors).toHaveLength(200);
    expect(new Set(tensors.slice(2))).toEqual(new Set([tensors[2]]));
    expect(new Set(bytes.slice(2))).toEqual(new Set([bytes[2]]));
  });
});

describe('generating', () => {
  it('gives the same bytes for the same request', async () => {
    expect(await generate('one', {})).toEqual(await generate('two', {}));
  });

  it('changes with the sliders, each direction, the seed and the words', async () => {
    const base = await generate('base', {});
    const others = {
      identity: { sliders: { identity: 2 } },
      motion: { sliders: { motion: 3 } },
      direction: { sliders: { directions: { 0: 4 } } },
      seed: { seed: 2 },
      prompt: { prompt: 'a [v] cat in the snow' },
    };
    for (const [name, settings] of Object.entries(others))
      expect((await generate(name, settings)).equals(base), name).toBe(false);
  });

  it('with all gains at zero is the base model under the same words', async () => {
    const prompt = 'a dog on the beach';
    const silent = await generate('silent', { prompt, sliders: { identity: 0, motion: 0 } });
    const base = await generate('bare', { prompt }, { conceptFile: null });
    let worst = 0;
    for (const [i, value] of silent.entries()) worst = Math.max(worst, Math.abs(value - base[i]!));
    expect(worst).toBeLessThanOrEqual(1);
  });

  for (const fidelityStart of ['noise', 'inversion', 'flow-edit'])
    it(`comes closer to the source clip with more fidelity by ${fidelityStart}`, async () => {
      const source = await readFile((await writeClip(folder)).file);
      const away = async (fidelity: number) => {
        const made = await generate(`fidelity-${fidelity}`, { fidelity, fidelityStart, steps: 4, guidance: 1 });
        return made.reduce((sum, value, i) => sum + (value - source[i]!) ** 2, 0);
      };
      expect(await away(0.75)).toBeLessThan(await away(0));
    });

  it('gives the same edit of a clip whatever was made of the clip before', async () => {
    const edit = { prompt: 'a [v] cat in the snow', fidelity: 0.25, steps: 4, seed: 5 };
    const first = await generate('edit-first', edit);
    for (const change of [
      { sliders: { motion: 0 } },
      { steps: 5 },
      { seed: 6 },
      { fidelity: 0.5 },
      { prompt: 'a [v] dog' },
    ])
      expect((await generate('edit-between', { ...edit, ...change })).equals(first), JSON.stringify(change)).toBe(
        false,
      );
    const fresh = await createEngine({ threads: 2, device: 'onnxruntime' });
    try {
      for (const [name, settings] of Object.entries({ again: edit, turned: { ...edit, sliders: { motion: 0 } } }))
        expect(await generate(name, settings)).toEqual(
          await readFile((await fresh.generate(await request(`fresh-${name}`, settings))).frames.file),
        );
    } finally {
      await fresh.dispose();
    }
  });

  it('edits a whole clip in windows of the length that the model takes, joined where they overlap', async () => {
    const model = join(folder, 'short-model');
    await cp(tinyModel, model, { recursive: true });
    await writeFile(join(model, 'motif.json'), JSON.stringify({ frames: 9 }));
    const clip = await writeClip(folder);
    const picture = (await readFile(clip.file)).subarray(0, 32 * 32 * 3);
    const long = { ...clip, frameCount: 21, file: join(folder, 'long.rgb') };
    await writeFile(
      long.file,
      Buffer.concat(Array.from({ length: 21 }, (_, at) => picture.map((v) => (v + 9 * at) % 256))),
    );
    const words = { prompt: 'a cat in the snow', shown: 'a dog', fidelity: 0.25, steps: 4, seed: 5 };
    const edit = async (name: string, source: typeof clip, whole: boolean) => {
      const baseOutput = join(folder, `${name}-base.rgb`);
      const changes = { model, conceptFile: null, source, baseOutput };
      const progress: number[] = [];
      const made = await engine.generate(await request(name, { ...words, whole }, changes), {
        onEvent: (event) =>
          void (event.type === 'progress' && progress.push(event.progress.done / event.progress.total)),
      });
      expect(progress).toEqual(progress.toSorted((a, b) => a - b));
      return { ...made, data: await readFile(made.frames.file), coded: await readFile(made.base!.file) };
    };
    const whole = await edit('whole', long, true);
    expect(whole.frames).toMatchObject({ frameCount: 21, width: 32, height: 32 });
    expect(whole.base).toMatchObject({ frameCount: 21 });
    const join9 = { data: createJoiner(picture.length), coded: createJoiner(picture.length) };
    const expected = { data: [] as Uint8Array[], coded: [] as Uint8Array[] };
    for (const first of [0, 4, 8, 12]) {
      const file = join(folder, `part-${first}.rgb`);
      await writeFile(file, (await readFile(long.file)).subarray(first * picture.length, (first + 9) * picture.length));
      const part = await edit(`part-${first}`, { ...long, frameCount: 9, file }, false);
      for (const name of ['data', 'coded'] as const) expected[name].push(join9[name](first, part[name], first === 12));
    }
    expect(whole.data.equals(Buffer.concat(expected.data))).toBe(true);
    expect(whole.coded.equals(Buffer.concat(expected.coded))).toBe(true);
    const fromNoise = request(
      'noise',
      { ...words, whole: true, fidelity: 0 },
      { model, conceptFile: null, source: long },
    );
    await expect(engine.generate(await fromNoise)).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('reads a concept again whose file was replaced', async () => {
    const conceptFile = join(folder, 'replaced.safetensors');
    await cp(concept, conceptFile);
    const edit = async () => generate('replaced', { fidelity: 0.3, sliders: { identity: 1.5 } }, { conceptFile });
    const first = await edit();
    expect(await edit()).toEqual(first);
    const other = await readFirst(concept);
    for (const { coefficients } of other.layers) coefficients.reverse();
    await writeConcept(conceptFile, other);
    expect((await edit()).equals(first)).toBe(false);
    await cp(concept, conceptFile);
    expect(await edit()).toEqual(first);
    await rm(conceptFile);
    await expect(edit()).rejects.toMatchObject({ code: 'not-found' });
  });

  it('refuses what cannot be, and says why', async () => {
    await expect(generate('x', { sliders: { directions: { 9: 1 } } })).rejects.toThrow('direction 9');
    await expect(generate('x', { fidelity: 0.5 }, { source: null })).rejects.toThrow('fidelity');
    const size = { width: 30, height: 32, frameCount: 5 };
    await expect(generate('x', {}, { source: null, size })).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('when cancelled leaves the engine usable and no tensors behind', async () => {
    const cancel = async () => {
      const controller = new AbortController();
      const work = engine.generate(await request('cancelled', { steps: 50 }), {
        signal: controller.signal,
        onEvent: () => controller.abort(),
      });
      await expect(work).rejects.toMatchObject({ code: 'cancelled' });
    };
    await cancel();
    const before = tf.memory().numTensors;
    await cancel();
    expect(tf.memory().numTensors).toBe(before);
    expect((await generate('again', {})).length).toBe(5 * 32 * 32 * 3);
  });
});

describe('LoRA files', () => {
  for (const dialect of ['comfyui', 'diffusers', 'kohya'] as const) {
    it(`in the ${dialect} dialect carry a slider setting to another program and back`, async () => {
      const sliders = { identity: 1.5, motion: 0.5, directions: {} };
      const output = join(folder, `lora-${dialect}.safetensors`);
      const exported = await engine.exportLora({ model: tinyModel, conceptFile: concept, sliders, dialect, output });
      expect(exported).toMatchObject({ dialect, rank: 2, layers: 20 });
      const conceptFile = join(folder, `imported-${dialect}.safetensors`);
      const caption = { static: 'a dog', dynamic: '' };
      const imported = await engine.importLora({ model: tinyModel, file: output, caption, conceptFile });
      expect(imported).toMatchObject({ dialect, rank: 2, layers: 20, alphaMissing: false });
      expect(imported.directionStrengths).toEqual((await readConcept(conceptFile)).directionStrengths);
      expect(imported.directionStrengths).toHaveLength(2);
      const prompt = 'a dog on the beach'; // without the tokens, which LoRA files do not carry
      const there = await generate('there', { prompt, sliders });
      const back = await generate('back', { prompt }, { conceptFile });
      let worst = 0;
      for (const [i, value] of there.entries()) worst = Math.max(worst, Math.abs(value - back[i]!));
      expect(worst).toBeLessThanOrEqual(1);
    });
  }
});

it('describes a model', async () => {
  const info = await engine.describeModel({ model: tinyModel });
  expect(info).toMatchObject({ name: 'model', temporalStride: 4, spatialStride: 16 });
  expect(info.parameters).toBeGreaterThan(10_000);
});

it('compiles before the first edit what that needs, when it was warmed up', async () => {
  const defaults = recipe.parse({});
  const model = join(folder, 'model');
  await cp(tinyModel, model, { recursive: true });
  const extras = { frames: 5, sizes: [{ width: 32, height: 32 }], sampling: { steps: 3, guidance: 5 } };
  await writeFile(join(model, 'motif.json'), JSON.stringify(extras));
  const learned = {
    ...(await learnRequest(folder, { rank: defaults.rank, stepsIdentity: 1, stepsMotion: 1, seed: 3 })),
    model,
  };
  const { conceptFile } = await engine.learn({
    ...learned,
    workDirectory: join(folder, 'warm'),
    conceptFile: `${concept}-warm`,
  });
  const compiledByEdit = async (name: string, warm: boolean) => {
    const fresh = await createEngine({ threads: 2, device: 'onnxruntime' });
    if (warm) expect(await fresh.warmUp({ model })).toBe(true);
    const { programs } = lazyBackend()!.computation;
    const before = programs.compiled;
    const settings = { fidelity: 0.5, fidelityStart: 'flow-edit' };
    await fresh.generate(await request(name, settings, { model, conceptFile }));
    const compiled = programs.compiled - before;
    await fresh.dispose();
    return compiled;
  };
  const cold = await compiledByEdit('cold', false);
  const warm = await compiledByEdit('warm', true);
  // Only the words, among them the concept's own tokens, are new to it.
  expect(warm).toBeLessThanOrEqual(2);
  expect(cold).toBeGreaterThan(warm + 3);
});
