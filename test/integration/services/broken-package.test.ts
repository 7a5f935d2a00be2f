import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tryBrokenPackages } from '../../campaign/packages.ts';
import { makeTempFolder } from '../../fixtures/library.ts';

const count = Number(process.env.MOTIF_CAMPAIGN ?? 40);

test(`${count} broken packages are each refused with a reason or give a sound concept`, {
  timeout: 60_000 + 2000 * count,
}, async () => {
  const folder = makeTempFolder('broken-package');
  try {
    const figures = await tryBrokenPackages(folder, count, Number(process.env.MOTIF_CAMPAIGN_SEED ?? 1));
    if (process.env.MOTIF_CAMPAIGN) console.log(figures);
    expect(figures).toMatchObject({ tried: count, internal: [], unsound: [] });
    expect(figures.accepted).toBeGreaterThan(0);
    expect(figures.slowestSeconds).toBeLessThan(15);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
