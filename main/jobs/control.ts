import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isPartial, writeWholeSync } from '../files/place.ts';

/**
 * How a program that may only read the library reaches a job that runs in the program that writes it: one small file per job in the
 * library's `control` folder, which the writer looks through twice a second and deletes as it obeys. A later request for the same job
 * replaces an earlier one. (The database is no way: only the writer writes it.)
 */
const request = z.object({ action: z.enum(['pause', 'resume', 'cancel']), at: z.string() });
export type ControlAction = z.infer<typeof request>['action'];

const ending = '.json';

export function requestControl(folder: string, jobId: string, action: ControlAction): void {
  const file = join(folder, `${jobId}${ending}`);
  writeWholeSync(file, JSON.stringify({ action, at: new Date().toISOString() }));
}

/** Takes all requests out of the folder. What is no request (a file of another program) is deleted unread. */
export function takeControlRequests(folder: string): { jobId: string; action: ControlAction }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending) && !isPartial(name))
    .flatMap((name) => {
      const file = join(folder, name);
      const parsed = request.safeParse(readJson(file));
      rmSync(file, { force: true });
      return parsed.success ? [{ jobId: name.slice(0, -ending.length), action: parsed.data.action }] : [];
    });
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null; // gone meanwhile, or not JSON: no request either way
  }
}
