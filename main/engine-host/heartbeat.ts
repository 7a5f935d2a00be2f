import { Worker } from 'node:worker_threads';
import { beatMark } from './process-options.ts';

/**
 * Runs in a thread of its own. Nobody at the other end of the pipe means that the host is gone, and then a
 * process whose main thread may be blocked for minutes must not live on: it cannot end itself from here but
 * by a signal.
 */
const source = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
setInterval(() => {
  const { user, system } = process.cpuUsage();
  const beat = { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss() };
  try {
    writeSync(1, workerData.mark + JSON.stringify(beat) + '\\n');
  } catch (error) {
    if (error.code === 'EPIPE') process.kill(process.pid, 'SIGKILL');
    else if (error.code !== 'EAGAIN') throw error;
  }
}, workerData.milliseconds);
`;

/** Starts the beats; answers a function that stops them. */
export function startHeartbeat(milliseconds: number): () => void {
  const worker = new Worker(source, { eval: true, workerData: { mark: beatMark, milliseconds } });
  worker.unref();
  return () => void worker.terminate();
}
