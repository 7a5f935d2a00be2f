import { readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { toErrorShape } from '../../../shared/ipc/result.ts';
import { writeWhole } from '../../files/place.ts';
import { type Measurement, measurement, workload } from './measurement.ts';
import { ourDevices, type Part, type PartResult, partResult, peerVariants } from './peers.ts';
import { runChild } from './run-child.ts';

export interface PeersOptions {
  /** What was measured is kept here, a file for each part; a part that is there is not measured again. */
  folder: string;
  model: string;
  /** test/bench's measure.ts, bundled, and peer.py. */
  ownScript: string;
  peerScript: string;
  python: string;
  contenders: readonly string[];
  rounds: number;
  seconds: number;
  signal: AbortSignal;
  onProgress(what: string, done: number, total: number): void;
}

export const allContenders: readonly string[] = [...ourDevices, ...peerVariants];

/** The result of a part: what an earlier run kept, or measured now, contender after contender in every round. */
export async function measurePart(part: Part, options: PeersOptions): Promise<PartResult> {
  const file = join(options.folder, `${part.name}.json`);
  const kept = await readFile(file, 'utf8')
    .then((text) => partResult.parse(JSON.parse(text)))
    .catch(() => undefined);
  if (kept) return kept;
  const cache = join(options.folder, 'cache', part.name);
  const sizes = part.growth?.sizes ?? [null];
  const rows: PartResult['rows'] = [];
  let done = 0;
  for (const size of sizes) {
    const own = await measureSize(part, size, cache, options, (contender) => {
      const what = [part.name, size, contender].filter((word) => word !== null).join(' ');
      options.onProgress(what, done++, sizes.length * options.contenders.length * options.rounds);
    });
    rows.push(...own);
  }
  const result: PartResult = { part: part.name, measuredAt: new Date().toISOString(), machine: machine(), rows };
  await keep(file, result);
  for (const size of sizes) await rm(fileOfSize(part, size, options), { force: true });
  return result;
}

const fileOfSize = (part: Part, size: number | null, { folder }: PeersOptions) =>
  join(folder, 'sizes', `${part.name}-${size ?? 'only'}.json`);

/** What is compared, all contenders of one size, is measured in one go; sizes that an ended run finished are kept. */
async function measureSize(
  part: Part,
  size: number | null,
  cache: string,
  options: PeersOptions,
  onNext: (contender: string) => void,
): Promise<PartResult['rows']> {
  const { contenders, rounds } = options;
  const file = fileOfSize(part, size, options);
  const known = await readFile(file, 'utf8')
    .then((text) => partResult.shape.rows.parse(JSON.parse(text)))
    .catch(() => []);
  const complete = known.length === contenders.length && known.every((row) => row.rounds.length === rounds);
  if (complete && known.every(({ contender }) => contenders.includes(contender))) {
    for (const { contender } of known) for (let round = 0; round < rounds; round++) onNext(contender);
    return known;
  }
  const rows = contenders.map((contender) => ({ size, contender, rounds: [] as Measurement[] }));
  const ownCache = size === null ? cache : join(cache, String(size));
  await rm(ownCache, { recursive: true, force: true }); // so that the first round shows a cold start
  for (let round = 0; round < rounds; round++)
    for (const row of rows) {
      onNext(row.contender);
      row.rounds.push(await measureOnce(part, size, row.contender, ownCache, options));
    }
  if (size !== null) await keep(file, rows);
  return rows;
}

async function keep(file: string, content: unknown): Promise<void> {
  await writeWhole(file, JSON.stringify(content, null, 1));
}

function machine(): PartResult['machine'] {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    threads: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.versions.node,
  };
}

/** One process. A measurement that fails is an answer that says why; the others are still worth having. */
async function measureOnce(
  part: Part,
  size: number | null,
  contender: string,
  cache: string,
  { model, ownScript, peerScript, python, seconds, folder, signal }: PeersOptions,
): Promise<Measurement> {
  const words = [part.task, '--model', model, ...workload, '--seconds', `${seconds}`];
  if (part.growth) words.push(...part.growth.fixed, `--${part.growth.option}`, `${size}`);
  const peer = (peerVariants as readonly string[]).includes(contender);
  try {
    return peer
      ? await runChild(
          python,
          [peerScript, ...words, '--variant', contender, '--started', `${Date.now()}`],
          signal,
          measurement,
          // Compiling takes PyTorch minutes: what it keeps serves later runs as well.
          { TORCHINDUCTOR_CACHE_DIR: join(folder, 'cache', 'torch') },
        )
      : await runChild(
          process.execPath,
          [ownScript, ...words, '--device', contender, '--cache', join(cache, contender)],
          signal,
          measurement,
        );
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return { milliseconds: null, repetitions: 0, peakBytes: 1, note: toErrorShape(thrown).message };
  }
}
