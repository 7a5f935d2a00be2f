import { onTestFinished } from 'vitest';
import { openLibrary } from '../../main/library/open.ts';
import { openEditor } from './browser.ts';

export type Editor = Awaited<ReturnType<typeof openEditor>>;

/** An editor of its own for the test that asks, closed with it. */
export async function openForTest(fill?: (home: string) => void): Promise<Editor> {
  const editor = await openEditor(fill);
  onTestFinished(() => editor.close());
  return editor;
}

/** A library in which something was done once gets no samples, of which looks would be made all the while. */
export function fillWithoutSamples(home: string): void {
  const library = openLibrary({ home, program: 'test' });
  library.db
    .prepare(
      `INSERT INTO jobs (id, kind, title, state, input, position, created_at, finished_at)
       VALUES ('import-1', 'import', 'Import a.mp4', 'cancelled', '{"path":"/a.mp4"}', 1, @now, @now)`,
    )
    .run({ now: new Date().toISOString() });
  library.close();
}
