import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Campaign, type Surroundings, Tally } from './campaign.ts';
import { fullDisks } from './full-disks.ts';
import { kills } from './kills.ts';
import { messages } from './messages.ts';

export const campaigns: readonly Campaign[] = [kills, fullDisks, messages];

/** Tries one campaign in a folder of its own. */
export async function tryOut(
  campaign: Campaign,
  options: Pick<Surroundings, 'times' | 'seed' | 'brief'>,
): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'motif-campaign-'));
  const tally = new Tally();
  try {
    await campaign.run({ ...options, folder, tally });
    return tally;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** '200 kills: lost 0, half files after the next start 0, ended programs 0, internal errors 0' */
export function summary({ name }: Campaign, { figures }: Tally): string {
  const { tried, lost, halfFiles, deaths, internalErrors } = figures;
  return `${tried} ${name}: lost ${lost}, half files after the next start ${halfFiles}, ended programs ${deaths}, internal errors ${internalErrors}`;
}
