import '@tensorflow/tfjs-backend-cpu/dist/index.js';
import { beforeAll, expect, test } from 'vitest';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { tryBrokenCheckpoints } from '../../../campaign/checkpoints.ts';

const count = Number(process.env.MOTIF_CAMPAIGN ?? 100);

beforeAll(() => tf.setBackend('cpu'));

test(`${count} broken checkpoints are each refused with a reason, or read without a fault`, {
  timeout: 30_000 + 300 * count,
}, async () => {
  const figures = await tryBrokenCheckpoints(count, Number(process.env.MOTIF_CAMPAIGN_SEED ?? 1));
  if (process.env.MOTIF_CAMPAIGN) console.log(figures);
  expect(figures).toMatchObject({ tried: count, internal: [] });
  expect(figures.accepted).toBeGreaterThan(0);
  expect(figures.slowestSeconds).toBeLessThan(10);
});
