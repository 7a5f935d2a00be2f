import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const verdict = z.object({ trusted: z.boolean(), reason: z.string() });
/** Whether a self-test found OpenVINO right and fast here, and in words what it found. */
export type Verdict = z.infer<typeof verdict>;

/** `begun` counts tests that have not come to an end: a library may take the whole process with it. */
const verdicts = z.record(z.string(), z.union([verdict, z.object({ begun: z.int() })]));

/** One may have been ended by the user; two are the library's doing. */
const beginningsAllowed = 2;

/**
 * The verdict about this version on this processor at this precision: remembered in `folder`, else found by `test`, whose failing is a
 * verdict as well, and so is a test that twice never ended. Without a folder nothing is remembered.
 */
export async function trustOpenVino(
  { version, precision, folder }: { version: string; precision: string; folder: string | undefined },
  test: () => Promise<string>,
): Promise<Verdict> {
  const key = [version, precision, cpus()[0]?.model ?? process.arch].join(', ');
  const file = folder && join(folder, 'openvino-self-test.json');
  const known = file ? read(file) : {};
  const last = known[key];
  if (last && 'trusted' in last) return last;
  const begun = last?.begun ?? 0;
  if (begun >= beginningsAllowed)
    return { trusted: false, reason: `the process ended ${begun} times while it was tested here` };
  const remember = (what: (typeof known)[string]) => {
    if (!folder || !file) return;
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${file}.new`, JSON.stringify({ ...known, [key]: what }, null, 2));
    renameSync(`${file}.new`, file);
  };
  remember({ begun: begun + 1 });
  const found = await test().then(
    (reason) => ({ trusted: true, reason }),
    (error: unknown) => ({ trusted: false, reason: error instanceof Error ? error.message : String(error) }),
  );
  remember(found);
  return found;
}

/** What is damaged is found out again. */
function read(file: string): z.infer<typeof verdicts> {
  try {
    return verdicts.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}
