/**
 * node bench-measure.js TASK --model DIRECTORY --rank N --pictures N --clips N --edit-steps N --preview-steps N
 *   [--device NAME] [--cache FOLDER] [--seconds N] [--layers N] [--tokens N] [--batch N] [--concepts N]
 * One measurement of `motif bench` in a process of its own: its last line on stdout is what main/cli/bench/measurement.ts describes.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Measurement, measurement } from '../../main/cli/bench/measurement.ts';
import { selectBackend } from '../../main/engine/backends/select.ts';
import * as tf from '../../main/engine/backends/tf.ts';
import { openWanPipeline } from '../../main/engine/models/wan/pipeline.ts';
import { Random } from '../../main/engine/nn/random.ts';
import { compareSampleSteps } from '../../main/engine/training/sample-step.ts';
import { libraryFolder } from '../../main/library/location.ts';
import { deviceName } from '../../shared/domain/engine.ts';
import { countCompiledTime } from './compiled-time.ts';
import { conceptStepTask, jointStepTask, referenceStepTask } from './concept-step.ts';
import { latentShape } from './latents.ts';
import { samplingTask } from './sampling.ts';
import type { TaskWork } from './task.ts';
import { twinGenerateTask, twinTask } from './twin.ts';

const number = { type: 'string', default: '' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string' },
    device: { type: 'string' },
    cache: { type: 'string' },
    seconds: { type: 'string', default: '8' },
    // Of the transformer whose step shows how time and memory grow.
    layers: { type: 'string', default: '6' },
    tokens: { type: 'string', default: '512' },
    batch: { type: 'string', default: '4' },
    concepts: { type: 'string', default: '1' },
    rank: number,
    pictures: number,
    clips: number,
    'edit-steps': number,
    'preview-steps': number,
  },
});
const rank = Number(values.rank);

const makers: Record<string, (model: string) => Promise<TaskWork>> = {
  matmul,
  text,
  encode,
  decode,
  autoencoder,
  'reference-step': () =>
    referenceStepTask({ layers: Number(values.layers), tokens: Number(values.tokens), batch: Number(values.batch) }),
  'identity-step': (model) => conceptStepTask(model, 'identity', rank, Number(values.pictures)),
  'motion-step': (model) => conceptStepTask(model, 'motion', rank, Number(values.clips)),
  'joint-step': (model) => jointStepTask(model, rank, Number(values.clips), Number(values.concepts)),
  edit: (model) => samplingTask(model, Number(values['edit-steps'])),
  twin: twinTask,
  'twin-generate': (model) => twinGenerateTask(model, Number(values['edit-steps'])),
  preview: (model) => samplingTask(model, Number(values['preview-steps'])),
};

const maker = makers[positionals[0] ?? ''];
if (!maker || !values.model) throw new Error(`expected one of ${Object.keys(makers).join(', ')} and --model`);
const wanted = deviceName.optional().parse(values.device);
const home = libraryFolder();
const device = await selectBackend({
  device: wanted,
  ...(values.cache === undefined ? {} : { cacheFolder: values.cache }),
  // In which precision CUDA computes is for its self-test to say, as in the editor.
  ...(wanted === 'cuda'
    ? { selfTest: compareSampleSteps, cudaFolder: join(home, 'cuda'), cacheFolder: join(home, 'cache', 'engine') }
    : {}),
});
const compiled = countCompiledTime();
const task = await maker(values.model);
console.log(JSON.stringify(measurement.parse(await timed(task, Number(values.seconds), device.description))));
// Native libraries keep threads; there is nothing to wait for.
process.exit(0);

/** One run before what counts (it compiles), then for `seconds`, at least three times and at most fifty. */
async function timed(task: TaskWork, seconds: number, device: string): Promise<Measurement> {
  const before = performance.now();
  await task.work();
  const ready = performance.now(); // milliseconds since the process started
  const times: number[] = [];
  const processorTimes: number[] = [];
  if (compiled) compiled.milliseconds = 0;
  const started = performance.now();
  while (times.length < 3 || (performance.now() - started < seconds * 1000 && times.length < 50)) {
    const before = performance.now();
    const processorBefore = process.cpuUsage();
    await task.work();
    times.push(performance.now() - before);
    const { user, system } = process.cpuUsage(processorBefore);
    processorTimes.push((user + system) / 1000);
  }
  const total = times.reduce((sum, time) => sum + time, 0);
  const middleOf = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
  const median = middleOf(times);
  return {
    milliseconds: median,
    processorMilliseconds: middleOf(processorTimes),
    repetitions: times.length,
    // maxRSS is in kilobytes on every platform.
    peakBytes: process.resourceUsage().maxRSS * 1024,
    firstMilliseconds: ready - before,
    startMilliseconds: ready,
    gflops: task.flops === undefined ? undefined : task.flops / median / 1e6,
    outsideShare: compiled && 1 - compiled.milliseconds / total,
    note: [device, task.note].filter(Boolean).join(', '),
  };
}

async function matmul(): Promise<TaskWork> {
  const size = 1024;
  const random = new Random(1);
  const [a, b] = [0, 1].map(() => tf.tensor2d(random.normals(size * size), [size, size]));
  return {
    flops: 2 * size ** 3,
    async work() {
      // One value is read, so that what is timed is the product and not the copy of its result.
      const corner = tf.tidy(() => tf.slice(tf.matMul(a!, b!), [0, 0], [1, 1]));
      await corner.data();
      corner.dispose();
    },
  };
}

async function text(model: string): Promise<TaskWork> {
  const pipeline = await openWanPipeline(model);
  const prompt = 'a [v] person in a blue jacket, in a park is dancing in [u] motion, as the camera zooms in';
  return {
    note: `${pipeline.tokenize([prompt]).lengths[0]} tokens`,
    async work() {
      const encoded = await pipeline.encodeText([prompt]);
      await encoded.data();
      encoded.dispose();
    },
  };
}

async function encode(model: string): Promise<TaskWork> {
  const pipeline = await openWanPipeline(model);
  const { width, height } = pipeline.extras.sizes[0]!;
  const count = pipeline.extras.frames;
  const data = Uint8Array.from(new Random(1).normals(count * height * width * 3), (value) => 128 + 40 * value);
  return {
    note: `${count} frames of ${width}x${height}`,
    async work() {
      const latents = await pipeline.encodeFrames({ data, count, width, height });
      await latents.data();
      latents.dispose();
    },
  };
}

async function decode(model: string): Promise<TaskWork> {
  const pipeline = await openWanPipeline(model);
  const shape = latentShape(pipeline);
  const values = tf.tensor(new Random(1).normals(shape.reduce((a, b) => a * b)), shape);
  return {
    async work() {
      await pipeline.decodeFrames(values);
    },
  };
}

/** Encode, then decode what came out. */
async function autoencoder(model: string): Promise<TaskWork> {
  const pipeline = await openWanPipeline(model);
  const { width, height } = pipeline.extras.sizes[0]!;
  const count = pipeline.extras.frames;
  const data = Uint8Array.from(new Random(1).normals(count * height * width * 3), (value) => 128 + 40 * value);
  return {
    note: `${count} frames of ${width}x${height}`,
    async work() {
      const latents = await pipeline.encodeFrames({ data, count, width, height });
      await pipeline.decodeFrames(latents);
      latents.dispose();
    },
  };
}
