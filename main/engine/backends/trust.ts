import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWholeSync } from '../../files/place.ts';

const verdict = z.object({
  trusted: z.boolean(),
  reason: z.string(),
  /** Operations that a device computes wrongly, and that it is trusted without. */
  without: z.array(z.string()).optional(),
  /** Whether frozen weights in float16 compute as what they stand for. */
  float16Weights: z.boolean().optional(),
  /** How it computes products, where it could do so in several ways. */
  precision: z.string().optional(),
});
/** Whether a self-test found a device right and fast here, and in words what it found. */
export type Verdict = z.infer<typeof verdict>;

/** `begun` counts what has not come to an end: a driver may take the whole process with it. */
const entry = z.union([verdict, z.object({ opened: z.literal(true) }), z.object({ begun: z.int() })]);
const entries = z.record(z.string(), entry);

/** One may have been ended by the user; two are the library's doing. */
const beginningsAllowed = 2;

const fileName = 'self-tests.json';

/** Of a machine that has no memory or is busy just then: no word about the device. */
const passingTrouble =
  /out of (host |device )?memory|not enough memory|bad_alloc|allocat|busy|device (was )?lost|timed? ?out/i;

/** Whether an error says nothing about a device, and another time may be better. */
export const mayPass = (error: unknown): boolean =>
  passingTrouble.test(error instanceof Error ? error.message : String(error));

/**
 * The verdict about a device in this version (of its library, at a precision, on this hardware: `about`):
 * remembered in `folder`, else found by `test`, whose failing is a verdict as well, and so is a test that
 * twice never ended. What may pass, such as a lack of memory, is answered but never remembered. Without a
 * folder nothing is remembered.
 */
export async function trustDevice(
  { about, folder }: { about: readonly string[]; folder: string | undefined },
  test: () => Promise<string | Omit<Verdict, 'trusted'>>,
): Promise<Verdict> {
  const { MOTIF_REWRITES: rewrites } = process.env; // with others it computes other graphs
  const { last, remember } = remembered(rewrites ? [...about, rewrites] : about, folder);
  if (last && 'trusted' in last) return last;
  const begun = begunOf(last);
  if (begun >= beginningsAllowed)
    return { trusted: false, reason: `the process ended ${begun} times while it was tested here` };
  remember({ begun: begun + 1 });
  try {
    const found = await test();
    const good = { trusted: true, ...(typeof found === 'string' ? { reason: found } : found) };
    remember(good);
    return good;
  } catch (error) {
    const bad = { trusted: false, reason: error instanceof Error ? error.message : String(error) };
    remember(mayPass(error) ? undefined : bad);
    return bad;
  }
}

/**
 * What `open` answers, unless opening it twice ended the process before: a library that cannot be loaded here would end the engine at each
 * start. What has come to an end once, also in an error, is no longer watched. Throws an Error with the reason, and what `open` throws.
 */
export async function openWatched<T>(
  { about, folder }: { about: readonly string[]; folder: string | undefined },
  open: () => Promise<T>,
): Promise<T> {
  const { last, remember } = remembered(['opening', ...about], folder);
  if (last && 'opened' in last) return open();
  const begun = begunOf(last);
  if (begun >= beginningsAllowed)
    throw new Error(
      `the process ended ${begun} times while it was opened here${folder ? `; delete ${join(folder, fileName)} to try again` : ''}`,
    );
  remember({ begun: begun + 1 });
  try {
    return await open();
  } finally {
    remember({ opened: true });
  }
}

const begunOf = (last: z.infer<typeof entry> | undefined): number => (last && 'begun' in last ? last.begun : 0);

/** The processor, for verdicts about what computes on it. */
export const processorName = (): string => cpus()[0]?.model ?? process.arch;

/**
 * The graphics adapters and their drivers, as far as the system tells without starting one: PCI ids and
 * driver versions on Linux, the system's version elsewhere, with which drivers come.
 */
export function graphicsName(): string {
  const text = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim() : '');
  const drm = '/sys/class/drm';
  const cards = existsSync(drm) ? readdirSync(drm).filter((name) => /^card\d+$/.test(name)) : [];
  const adapters = cards.map((card) =>
    ['vendor', 'device', 'driver/module/version'].map((part) => text(`${drm}/${card}/device/${part}`)).join(':'),
  );
  // A driver that is named by the environment is another one.
  const named = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES'].map((name) => process.env[name] ?? '');
  const [nvidia] = text('/proc/driver/nvidia/version').split('\n');
  return [process.platform, release(), ...adapters, nvidia, ...named].filter(Boolean).join(' ');
}

/** What the file in `folder` says of `about`, and how to change that. */
function remembered(about: readonly string[], folder: string | undefined) {
  const key = about.join(', ');
  const file = folder && join(folder, fileName);
  const remember = (what: z.infer<typeof entry> | undefined) => {
    if (!file) return;
    // Read anew: what is opened writes of its own tests.
    const { [key]: _, ...others } = read(file);
    writeWholeSync(file, JSON.stringify(what ? { ...others, [key]: what } : others, null, 2));
  };
  return { last: file ? read(file)[key] : undefined, remember };
}

/** What is damaged is found out again. */
function read(file: string): z.infer<typeof entries> {
  try {
    return entries.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}
