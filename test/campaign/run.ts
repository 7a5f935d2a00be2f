import { parseArgs } from 'node:util';
import { campaigns, summary, tryOut } from './all.ts';

/** `npm run campaign -- [--only kills] [--times 20] [--seed 1] [--brief]`: the long form, with what was found and the figures. */
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    times: { type: 'string' },
    seed: { type: 'string', default: '1' },
    brief: { type: 'boolean', default: false },
  },
});
const lines: string[] = [];
let isClean = true;
for (const campaign of campaigns) {
  if (values.only !== undefined && values.only !== campaign.name) continue;
  const hindrance = campaign.hindrance?.() ?? null;
  if (hindrance !== null) {
    lines.push(`${campaign.name}: skipped, ${hindrance}`);
    continue;
  }
  const times = Number(values.times ?? campaign.times.long);
  const tally = await tryOut(campaign, { times, seed: Number(values.seed), brief: values.brief });
  for (const finding of tally.findings) console.log(finding);
  isClean &&= tally.findings.length === 0;
  lines.push(summary(campaign, tally));
}
console.log(lines.join('\n'));
process.exitCode = isClean ? 0 : 1;
