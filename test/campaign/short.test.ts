import { describe, expect, it } from 'vitest';
import { campaigns, summary, tryOut } from './all.ts';

describe('whatever happens to it, Motif loses nothing and goes on', () => {
  for (const campaign of campaigns) {
    it.skipIf(campaign.hindrance?.())(`${campaign.times.short} ${campaign.name}`, async () => {
      const tally = await tryOut(campaign, { times: campaign.times.short, seed: 1, brief: true });
      console.log(summary(campaign, tally));
      expect(tally.findings).toEqual([]);
      expect(tally.figures.tried).toBe(campaign.times.short);
    });
  }
});
