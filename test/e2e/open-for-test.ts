import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { ClipStore } from '../../main/library/clips.ts';
import { openLibrary } from '../../main/library/open.ts';
import { useSmallModel } from '../fixtures/small-model.ts';
import { openEditor } from './browser.ts';

export type Editor = Awaited<ReturnType<typeof openEditor>>;

/** An editor of its own for the test that asks, on a library that was filled so before it starts; closed with the test. */
export async function openForTest(...fill: ((home: string) => void)[]): Promise<Editor> {
  const editor = await openEditor((home) => {
    for (const each of fill) each(home);
  });
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

const root = resolve(import.meta.dirname, '../..');

/**
 * Two clips, "A woman dancing" and "A bonfire", and "Dancer", learned from the first: as in a library with the samples, but all of it for the
 * small model, and without a clip whose looks are made all the while.
 */
export function fillWithDancer(home: string): void {
  useSmallModel(home);
  const motif = (...words: string[]) =>
    execFileSync(process.execPath, [join(root, 'dist/motif.js'), '--home', home, ...words], { stdio: 'pipe' });
  const sample = (name: string) => join(root, 'resources/samples', `${name}.mp4`);
  motif('import', sample('bonfire'), '--name', 'A bonfire');
  motif('import', sample('dancer'), '--name', 'A woman dancing');
  const captions = ['--static', 'a [v] lady in a park', '--dynamic', 'she is dancing in [u] motion'];
  const brief = ['--steps-identity', '2', '--steps-motion', '2', '--rank', '4', '--without', 'prior'];
  motif('learn', 'A woman dancing', ...captions, ...brief, '--name', 'Dancer');
  const library = openLibrary({ home, program: 'test' });
  new ClipStore(library).label('A bonfire', { notes: 'a [v] bonfire at night\nit is flickering in [u] motion' });
  library.close();
}
