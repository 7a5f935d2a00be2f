import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openVideoModel } from '../../main/engine/models/registry.ts';
import { type FullSize, fullSizes, writeFullSize } from './full-size-models.ts';
import { runFullSize } from './full-size-run.ts';

/** What opening a model costs: headers, and the small tensors of its fingerprint. */
async function measureOpening(directory: string): Promise<string> {
  const started = performance.now();
  const model = await openVideoModel(directory);
  const info = await model.describe();
  await model.fingerprint();
  const milliseconds = Math.round(performance.now() - started);
  await model.dispose();
  const [parameters, disk] = [info.parameters, info.sizeBytes].map((value) => (value / 1e9).toFixed(1));
  return `${parameters} billion parameters, ${disk} GB: opened in ${milliseconds} ms, ${Math.round(process.memoryUsage.rss() / 1e6)} MB resident`;
}

// node test/bench/run.mjs full-size                       what opening each costs, without weights that take disk
// node test/bench/run.mjs full-size write SIZE FOLDER      a directory with random weights in bfloat16
// node test/bench/run.mjs full-size run FOLDER [DEVICE] [GB]  3 steps of learning and 2 of sampling on it, as if so much memory were free
const [task, ...given] = process.argv.slice(2);
if (task === 'write' && given[1] && Object.hasOwn(fullSizes, given[0]!)) {
  writeFullSize(given[1], given[0] as FullSize, false);
} else if (task === 'run' && given[0]) {
  await runFullSize(given[0], given[1], given[2] === undefined ? undefined : Number(given[2]) * 1e9);
} else {
  for (const name of Object.keys(fullSizes) as FullSize[]) {
    const folder = mkdtempSync(join(tmpdir(), 'motif-full-size-'));
    writeFullSize(folder, name, true);
    console.log(`${name}: ${await measureOpening(folder)}`);
    rmSync(folder, { recursive: true });
  }
}
