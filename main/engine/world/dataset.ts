/**
 * Renders a captioned data set, shard by shard:
 *   node main/engine/world/dataset.ts --seeds 2..20000 --sizes 128x128,176x96,96x176 --split train --out DIR
 * `shard-00000.u8` is raw uint8 [clips, 17, height, width, 3]; `shard-00000.json` describes its clips.
 * Run again after a stop, it goes on behind the last complete shard.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { attributes, caption } from './caption.ts';
import { render } from './render.ts';
import { sampleScene } from './scene.ts';
import { belongsTo } from './split.ts';

const frameCount = 17;
const frameRate = 8;
const variants = [0, 1, 2];

const jobSchema = z.object({
  first: z.number().int().nonnegative(),
  last: z.number().int().nonnegative(),
  sizes: z.array(z.tuple([z.number().int().positive(), z.number().int().positive()])).min(1),
  split: z.enum(['train', 'validation', 'test']),
  out: z.string().min(1),
  shard: z.number().int().positive(),
  workers: z.number().int().positive(),
});
type Job = z.infer<typeof jobSchema>;

/** The seeds of one shard. Shards take turns over the sizes, so that every size is there early. */
interface Shard {
  index: number;
  width: number;
  height: number;
  seeds: number[];
}

function planShards(job: Job): Shard[] {
  const seeds: number[] = [];
  for (let seed = job.first; seed <= job.last; seed++) {
    if (belongsTo(sampleScene(seed), job.split)) seeds.push(seed);
  }
  const shards: Shard[] = [];
  for (let start = 0; start < seeds.length; start += job.shard) {
    const index = shards.length;
    const [width, height] = job.sizes[index % job.sizes.length]!;
    shards.push({ index, width, height, seeds: seeds.slice(start, start + job.shard) });
  }
  return shards;
}

async function renderShard({ index, width, height, seeds }: Shard, out: string): Promise<void> {
  const name = join(out, `shard-${String(index).padStart(5, '0')}`);
  if (existsSync(`${name}.json`)) return;
  const started = performance.now();
  const partial = `${name}.u8.partial`;
  const file = openSync(partial, 'w');
  const items = [];
  for (const seed of seeds) {
    const scene = sampleScene(seed);
    writeSync(file, render(scene, { width, height, frameCount, frameRate }).frames);
    // Canvases give back their memory in a turn of the event loop; without one, thousands of clips take gigabytes.
    await new Promise(setImmediate);
    const captions = variants.map((variant) => caption(scene, { variant }));
    items.push({
      seed,
      static: captions.map((text) => text.static),
      dynamic: captions.map((text) => text.dynamic),
      attributes: attributes(scene),
    });
  }
  closeSync(file);
  renameSync(partial, `${name}.u8`);
  // The description comes last: where it is, the shard is complete.
  writeFileSync(`${name}.json.partial`, JSON.stringify({ width, height, frameCount, frameRate, items }));
  renameSync(`${name}.json.partial`, `${name}.json`);
  const each = (performance.now() - started) / seeds.length;
  console.log(`shard ${index}: ${seeds.length} clips of ${width}x${height}, ${each.toFixed(0)} ms each`);
}

function readJob(): Job {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      sizes: { type: 'string', default: '128x128,176x96,96x176' },
      split: { type: 'string', default: 'train' },
      out: { type: 'string' },
      workers: { type: 'string', default: '1' },
      shard: { type: 'string', default: '500' },
    },
  });
  const range = /^(\d+)\.\.(\d+)$/.exec(values.seeds ?? '');
  if (!range || !values.out)
    throw new Error('usage: dataset.ts --seeds FIRST..LAST --out DIR [--sizes WxH,...] [--split train]');
  return jobSchema.parse({
    first: Number(range[1]),
    last: Number(range[2]),
    sizes: values.sizes.split(',').map((size) => size.split('x').map(Number)),
    split: values.split,
    out: values.out,
    shard: Number(values.shard),
    workers: Number(values.workers),
  });
}

if (isMainThread) {
  const job = readJob();
  mkdirSync(job.out, { recursive: true });
  const shards = planShards(job);
  console.log(`${shards.length} shards in ${job.out}`);
  if (job.workers === 1) for (const shard of shards) await renderShard(shard, job.out);
  else {
    for (let worker = 0; worker < job.workers; worker++) {
      const own = shards.filter(({ index }) => index % job.workers === worker);
      new Worker(new URL(import.meta.url), { workerData: { shards: own, out: job.out } });
    }
  }
} else {
  const { shards, out } = workerData as { shards: Shard[]; out: string };
  for (const shard of shards) await renderShard(shard, out);
}
