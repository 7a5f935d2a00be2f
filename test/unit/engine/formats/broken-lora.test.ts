import { expect, test } from 'vitest';
import { tryBrokenLoras } from '../../../campaign/lora.ts';

const count = Number(process.env.MOTIF_CAMPAIGN ?? 200);

test(`${count} broken LoRA files are each refused with a reason or give a concept of finite numbers`, {
  timeout: 20_000 + 100 * count,
}, async () => {
  const figures = await tryBrokenLoras(count, Number(process.env.MOTIF_CAMPAIGN_SEED ?? 1));
  if (process.env.MOTIF_CAMPAIGN) console.log(figures);
  expect(figures).toMatchObject({ tried: count, internal: [], nonFinite: [] });
  // Files that are refused whatever they hold would show nothing.
  expect(figures.accepted).toBeGreaterThan(count / 20);
  expect(figures.slowestSeconds).toBeLessThan(5);
});
