/**
 * Renders a captioned data set, shard by shard:
 *   node main/world/dataset.ts --seeds 2..20000 --sizes 128x128,176x96,96x176 --split train --out DIR
 *     [--edition 1] [--workers 1] [--shard 500] [--frames 17] [--rate 8] [--masks]
 * With `--masks` it writes, for shards that are rendered already, where their subjects are. Run again after a stop, it goes on behind
 * the last complete shard. What a shard holds is in shards.ts.
 */
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { maskShard, planShards, renderShard, type Shard } from './shards.ts';
import { editions } from './vocabulary.ts';

const usage =
  'usage: node main/world/dataset.ts --seeds FIRST..LAST --out DIR ' +
  '[--sizes WxH,WxH] [--split train|validation|test] [--edition 1|2] [--workers N] [--shard CLIPS] [--frames N] [--rate HZ] [--masks]';

const whole = z.coerce.number().int().positive();
const optionsSchema = z.object({
  seeds: z
    .string({ error: 'is missing' })
    .regex(/^\d+\.\.\d+$/, 'has to be FIRST..LAST')
    .transform((range) => range.split('..').map(Number) as [number, number]),
  sizes: z
    .string()
    .regex(/^\d+x\d+(,\d+x\d+)*$/, 'has to be WIDTHxHEIGHT,...')
    .transform((list) => list.split(',').map((size) => size.split('x').map(Number) as [number, number])),
  split: z.enum(['train', 'validation', 'test']),
  edition: z.coerce.number().pipe(z.literal(editions, { error: `has to be one of ${editions.join(', ')}` })),
  out: z.string({ error: 'is missing' }).min(1),
  shard: whole,
  workers: whole,
  frames: whole,
  rate: z.coerce.number().positive(),
  masks: z.boolean(),
});
type Options = z.infer<typeof optionsSchema>;

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      sizes: { type: 'string', default: '128x128,176x96,96x176' },
      split: { type: 'string', default: 'train' },
      edition: { type: 'string', default: '1' },
      out: { type: 'string' },
      workers: { type: 'string', default: '1' },
      shard: { type: 'string', default: '500' },
      frames: { type: 'string', default: '17' },
      rate: { type: 'string', default: '8' },
      masks: { type: 'boolean', default: false },
    },
  });
  const parsed = optionsSchema.safeParse(values);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) console.error(`--${path.join('.')}: ${message}`);
  console.error(usage);
  process.exit(2);
}

async function renderAll(shards: readonly Shard[], out: string, masks: boolean): Promise<void> {
  for (const shard of shards) {
    const started = performance.now();
    if (!(await (masks ? maskShard : renderShard)(shard, out))) continue;
    const each = (performance.now() - started) / shard.seeds.length;
    console.log(
      `shard ${shard.index}: ${shard.seeds.length} clips of ${shard.width}x${shard.height}, ${each.toFixed(0)} ms each`,
    );
  }
}

if (isMainThread) {
  const { seeds, sizes, split, edition, out, shard, workers, frames, rate, masks } = readOptions();
  mkdirSync(out, { recursive: true });
  const lengths = { clipsPerShard: shard, frameCount: frames, frameRate: rate };
  const shards = planShards({ first: seeds[0], last: seeds[1], sizes, split, edition, ...lengths });
  console.log(`${shards.length} shards in ${out}`);
  if (workers === 1) await renderAll(shards, out, masks);
  else {
    for (let worker = 0; worker < workers; worker++) {
      const own = shards.filter(({ index }) => index % workers === worker);
      new Worker(new URL(import.meta.url), { workerData: { shards: own, out, masks } });
    }
  }
} else {
  const { shards, out, masks } = workerData as { shards: Shard[]; out: string; masks: boolean };
  await renderAll(shards, out, masks);
}
