import { onTestFinished } from 'vitest';
import { openEditor } from './browser.ts';

export type Editor = Awaited<ReturnType<typeof openEditor>>;

/** An editor of its own for the test that asks, closed with it. */
export async function openForTest(fill?: (home: string) => void): Promise<Editor> {
  const editor = await openEditor(fill);
  onTestFinished(() => editor.close());
  return editor;
}
