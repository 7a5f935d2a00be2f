import '@tensorflow/tfjs-backend-cpu/dist/index.js';
import { readFile } from 'node:fs/promises';
import { createEngine } from '../../../main/engine/index.ts';
import { learnRequest } from '../../../shared/domain/engine.ts';

/** Learns what a request file says in a process of its own, telling of each step on a line, to be killed at any moment. */
const request = learnRequest.parse(JSON.parse(await readFile(process.argv[2]!, 'utf8')));
const engine = await createEngine({ threads: 1 });
const { metrics } = await engine.learn(request, {
  onEvent(event) {
    if (event.type === 'loss') console.log(`${event.point.stage} ${event.point.step}`);
  },
});
console.log(`${metrics.steps} steps`);
await engine.dispose();
