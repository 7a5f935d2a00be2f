import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const verdict = z.object({ trusted: z.boolean(), reason: z.string() });
/** Whether a self-test found OpenVINO's answers right, and in words what it found. */
export type Verdict = z.infer<typeof verdict>;

const verdicts = z.record(z.string(), verdict);

/**
 * The verdict about this version on this processor at this precision: remembered in `folder`, else found by `test`, whose failing is a
 * verdict as well. Without a folder nothing is remembered.
 */
export async function trustOpenVino(
  { version, precision, folder }: { version: string; precision: string; folder: string | undefined },
  test: () => Promise<string>,
): Promise<Verdict> {
  const key = [version, precision, cpus()[0]?.model ?? process.arch].join(', ');
  const file = folder && join(folder, 'openvino-self-test.json');
  const known = file ? read(file) : {};
  if (known[key]) return known[key];
  const found = await test().then(
    (reason) => ({ trusted: true, reason }),
    (error: unknown) => ({ trusted: false, reason: error instanceof Error ? error.message : String(error) }),
  );
  if (folder && file) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${file}.new`, JSON.stringify({ ...known, [key]: found }, null, 2));
    renameSync(`${file}.new`, file);
  }
  return found;
}

/** What is damaged is found out again. */
function read(file: string): Record<string, Verdict> {
  try {
    return verdicts.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}
