import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clip } from '../../../shared/domain/clip.ts';
import { firstLooks, lookSettings } from '../../../shared/domain/look.ts';
import type { ContactSheetRow } from '../../media/contact-sheet.ts';
import type { Services } from '../../services/services.ts';
import type { CommandContext } from '../context.ts';
import { runExport, runGenerate } from '../run-job.ts';
import type { DemoLook } from './report.ts';
import { editRow, sourceRow } from './sheet-rows.ts';

export interface LooksMade {
  looks: DemoLook[];
  /** The clip and its looks, finished, for a contact sheet. */
  rows: ContactSheetRow[];
}

/**
 * The first looks of a clip by words alone, each a finished video of the clip's own size and rate in
 * `folder`.
 */
export async function makeLooks(
  context: CommandContext,
  services: Services,
  clip: Clip,
  { folder, sampling }: { folder: string; sampling: { steps?: number; seed: number } },
): Promise<LooksMade> {
  await mkdir(folder, { recursive: true });
  const looks: DemoLook[] = [];
  const rows: ContactSheetRow[] = [];
  for (const look of firstLooks) {
    const settings = { ...lookSettings(look, { seen: clip.seen }), ...sampling };
    const model = context.global.model ?? null;
    const request = { sourceClipId: clip.id, settings, name: look.name, model };
    const { editId, reused } = await runGenerate(context, services, request);
    const file = `${look.id}.mp4`;
    await runExport(context, services, {
      what: 'edit',
      editId,
      settings: { preset: 'h264', overwrite: 'replace' },
      output: join(folder, file),
    });
    const edit = await services.call['edits.get']({ reference: editId });
    looks.push({
      file: `looks/${file}`,
      label: look.name,
      settings: edit.settings,
      seconds: edit.seconds,
      // The clock of `performance` starts with the program.
      finishedAfterSeconds: performance.now() / 1000,
      reused,
    });
    rows.push(await editRow(services, clip, edit, { label: look.name, note: edit.settings.prompt }));
  }
  return { looks, rows: [await sourceRow(services, clip), ...rows] };
}
