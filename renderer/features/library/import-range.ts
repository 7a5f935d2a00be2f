import type { Clip } from '../../../shared/domain/clip.ts';
import { type ImportInput, importOutput } from '../../../shared/domain/job-input.ts';
import { AppError, fromErrorShape } from '../../../shared/ipc/result.ts';
import type { Services } from '../../app/connection.svelte.ts';
import { text } from '../../text/en.ts';
import type { QueueState } from '../queue/queue.svelte.ts';

/**
 * The id of a clip of the same file, of another range, crop or model, once it is imported. Throws `not-found` for a clip that came without
 * its file, and what the import fails with.
 */
export async function importRange(
  { connection, queue }: { connection: Services; queue: Pick<QueueState, 'finished'> },
  clip: Clip,
  cut: Pick<ImportInput, 'fromSeconds' | 'toSeconds' | 'crop'> & { model?: string | null },
): Promise<string> {
  const { path } = clip.source;
  if (path === null) throw new AppError('not-found', text.learn.noSource(clip.name));
  const request = { kind: 'import', path, name: clip.name, fit: clip.fit, ...cut } as const;
  const { id } = await connection.call['jobs.enqueue'](request);
  const imported = await queue.finished(id);
  const made = importOutput.safeParse(imported.output).data;
  if (made) return made.clipId;
  throw imported.error ? fromErrorShape(imported.error) : new AppError('cancelled', text.connection.cancelled);
}
