import { parentPort, workerData } from 'node:worker_threads';
import { toErrorShape } from '../../../shared/ipc/result.ts';
import { unpackPackage } from './unpack.ts';

/** Runs in a thread of its own: unpacks one package and tells what came of it. */
const { file, folder } = workerData as { file: string; folder: string };
try {
  parentPort!.postMessage({ ok: true, value: unpackPackage(file, folder) });
} catch (thrown) {
  parentPort!.postMessage({ ok: false, error: toErrorShape(thrown) });
}
