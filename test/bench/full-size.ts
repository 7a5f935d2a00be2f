import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openVideoModel } from '../../main/engine/models/registry.ts';
import { type FullSize, fullSizes, writeFullSize } from './full-size-models.ts';

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

// node test/bench/run.mjs full-size                    what opening each costs, without weights that take disk
// node test/bench/run.mjs full-size write SIZE FOLDER   a directory with random weights in bfloat16
const [task, size, target] = process.argv.slice(2);
if (task === 'write' && size && target && Object.hasOwn(fullSizes, size)) {
  await writeFullSize(target, size as FullSize, false);
} else {
  for (const name of Object.keys(fullSizes) as FullSize[]) {
    const folder = mkdtempSync(join(tmpdir(), 'motif-full-size-'));
    await writeFullSize(folder, name, true);
    console.log(`${name}: ${await measureOpening(folder)}`);
    rmSync(folder, { recursive: true });
  }
}
