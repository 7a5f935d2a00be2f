import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { openWeights, readJson } from '../../formats/diffusers.ts';

/** Tensors up to this many values count with their contents. */
const smallTensor = 65_536;

/**
 * Tells one transformer's weights from another's without reading gigabytes: a hash of its configuration, of every tensor's name and
 * shape, and of the values of its small tensors (biases, norms and tables), which every training moves. Stored types do not count: the same
 * values as float32 and as float16 have different fingerprints only where rounding moved them.
 */
export async function transformerFingerprint(folder: string): Promise<string> {
  const { _diffusers_version: _, ...config } = await readJson(
    join(folder, 'config.json'),
    z.record(z.string(), z.unknown()),
  );
  const hash = createHash('sha256').update(JSON.stringify(config));
  const source = await openWeights(folder);
  try {
    for (const name of source.names().sort()) {
      const { shape } = source.info(name);
      hash.update(`${name}[${shape}]`);
      if (shape.reduce((product, length) => product * length, 1) > smallTensor) continue;
      const values = await source.readFloats(name);
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    return hash.digest('hex');
  } finally {
    await source.close();
  }
}
