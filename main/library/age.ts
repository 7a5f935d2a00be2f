import type { Library } from './open.ts';

/** However far the clock has moved since the last start, so many days count at most: one that jumps makes nothing old at once. */
const longestStep = 3;
const dayMilliseconds = 24 * 3600 * 1000;

/** The library's age in days, by which it decides what is old enough to be deleted; as SQL. */
export const ageNow = '(SELECT days FROM age)';

/** Called once a start. A clock that was set back stops the ageing until then. */
export function growOlder(library: Library, now = new Date()): void {
  library.write(() => {
    const seenAt = library.db.prepare<[], string>('SELECT seen_at FROM age').pluck().get()!;
    const passed = (now.getTime() - Date.parse(seenAt)) / dayMilliseconds;
    const step = Math.min(longestStep, Math.max(0, passed));
    library.db.prepare('UPDATE age SET days = days + ?, seen_at = ?').run(step, now.toISOString());
  });
}
