import { basename } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError, fromErrorShape, type Result } from '../../../shared/ipc/result.ts';
import { type PackageContent, packageLimits } from './format.ts';

/** Beside this file, as its source or bundled. */
const threadFile = new URL(`./unpack-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

/** What a thread that unpacks may take of JavaScript's own memory; contents are counted by the limits of a package. */
const resourceLimits = { maxOldGenerationSizeMb: 256 };

/**
 * `unpackPackage` in a thread of its own, which is given up after some time: the program goes on with its work whatever the file does.
 * Throws what `unpackPackage` throws.
 */
export async function unpackAside(
  file: string,
  folder: string,
  { seconds = packageLimits.seconds }: { seconds?: number } = {},
): Promise<PackageContent> {
  const worker = new Worker(threadFile, { workerData: { file, folder }, resourceLimits, execArgv: [] });
  let timer: NodeJS.Timeout | undefined;
  try {
    const result = await new Promise<Result<PackageContent>>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', (thrown) =>
        reject(outOfMemory(thrown) ? unreadable(file, 'takes too much memory to unpack') : thrown),
      );
      worker.once('exit', (code) => reject(new Error(`the thread that unpacks ended with ${code} and said nothing`)));
      timer = setTimeout(() => reject(unreadable(file, 'takes too long to unpack')), 1000 * seconds);
    });
    if (!result.ok) throw fromErrorShape(result.error);
    return result.value;
  } finally {
    clearTimeout(timer);
    void worker.terminate();
  }
}

const outOfMemory = (thrown: Error) => (thrown as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY';

const unreadable = (file: string, what: string) =>
  new AppError('damaged-file', `${basename(file)} ${what}.`, { hint: 'Fetch or export the file again.' });
