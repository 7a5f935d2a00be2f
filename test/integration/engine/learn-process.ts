import '@tensorflow/tfjs-backend-cpu/dist/index.js';
import { readFile } from 'node:fs/promises';
import { createEngine } from '../../../main/engine/index.ts';
import { learnRequest } from '../../../shared/domain/engine.ts';

/**
 * Learns what a request file says in a process of its own, telling of each step on a line. Where it is to be killed at a line,
 * it does that itself: a signal from outside comes some steps later on a busy machine.
 */
const [requestFile, killAt] = process.argv.slice(2);
const request = learnRequest.parse(JSON.parse(await readFile(requestFile!, 'utf8')));
const engine = await createEngine({ threads: 1 });
const { metrics } = await engine.learn(request, {
  onEvent(event) {
    if (event.type !== 'loss') return;
    const line = `${event.point.stage} ${event.point.step}`;
    console.log(line);
    if (line === killAt) process.kill(process.pid, 'SIGKILL');
  },
});
console.log(`${metrics.steps} steps`);
await engine.dispose();
