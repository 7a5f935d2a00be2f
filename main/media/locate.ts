import { constants } from 'node:fs';
import { access, chmod } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { AppError } from '../../shared/ipc/result.ts';
import {
  type Capabilities,
  type ExpectedCapability,
  missingCapabilities,
  parseTable,
  parseVersion,
  softwareCodecs,
} from './capabilities.ts';
import { run } from './run.ts';

type BinaryOrigin = 'FFMPEG_BIN' | 'FFPROBE_BIN' | 'beside ffmpeg' | 'ffmpeg-static' | 'system' | 'npm';

interface Candidate {
  path: string;
  origin: BinaryOrigin;
}

export interface Ffmpeg extends Candidate {
  capabilities: Capabilities;
  missing: ExpectedCapability[];
}

interface Ffprobe extends Candidate {
  version: string;
}

/** The programs that the whole room works with. Made once by `locateMediaTools` and passed along. */
export interface MediaTools {
  ffmpeg: Ffmpeg;
  ffprobe: Ffprobe;
  /** What was found and not chosen, and why; `doctor` prints it. */
  passedOver: Array<Candidate & { reason: string }>;
  /** Found after the chosen one and not looked at yet: `ffmpegFor` does when the chosen one lacks something. */
  others: Candidate[];
}

const suffix = process.platform === 'win32' ? '.exe' : '';
/** A window started from a dock or menu does not see the shell's PATH. */
const usualFolders =
  process.platform === 'win32' ? [] : ['/usr/local/bin', '/opt/homebrew/bin', '/usr/bin', '/snap/bin'];

/**
 * Finds ffmpeg (FFMPEG_BIN, the package ffmpeg-static, the system's PATH, the binary shipped in npm) and ffprobe
 * (FFPROBE_BIN, beside ffmpeg, PATH, npm). Takes the first that runs and lacks nothing essential; when all lack
 * something, the first that runs; FFMPEG_BIN is taken whenever it runs. Throws `not-found` when none does.
 */
export async function locateMediaTools(environment: NodeJS.ProcessEnv = process.env): Promise<MediaTools> {
  const passedOver: MediaTools['passedOver'] = [];
  const candidates = await ffmpegCandidates(environment);
  let chosen: Ffmpeg | undefined;
  let others: Candidate[] = [];
  for (const [index, candidate] of candidates.entries()) {
    const examined = await examineFfmpeg(candidate);
    if ('reason' in examined) {
      passedOver.push(examined);
      continue;
    }
    const lacking = examined.missing.filter(({ essential }) => essential);
    if (lacking.length === 0 || examined.origin === 'FFMPEG_BIN') {
      if (chosen) passedOver.push({ path: chosen.path, origin: chosen.origin, reason: lacks(chosen.missing) });
      chosen = examined;
      others = candidates.slice(index + 1);
      break;
    }
    if (chosen) passedOver.push({ path: examined.path, origin: examined.origin, reason: lacks(lacking) });
    else chosen = examined;
  }
  if (!chosen) throw noneWorks('ffmpeg', passedOver);

  for (const candidate of await ffprobeCandidates(environment, chosen)) {
    const version = await versionOf(candidate);
    if (version.error) passedOver.push({ ...candidate, reason: version.error });
    else return { ffmpeg: chosen, ffprobe: { ...candidate, version: version.version }, passedOver, others };
  }
  throw noneWorks('ffprobe', passedOver);
}

/** The chosen ffmpeg if it `can`, else another one found that can, else undefined. */
export async function ffmpegFor(
  tools: MediaTools,
  can: (capabilities: Capabilities) => boolean,
): Promise<Ffmpeg | undefined> {
  if (can(tools.ffmpeg.capabilities)) return tools.ffmpeg;
  const passedOver = tools.passedOver.filter(({ reason }) => reason.startsWith('lacks'));
  for (const candidate of [...passedOver, ...tools.others]) {
    const examined = await examineFfmpeg(candidate);
    if (!('reason' in examined) && can(examined.capabilities)) return examined;
  }
  return undefined;
}

async function ffmpegCandidates(environment: NodeJS.ProcessEnv): Promise<Candidate[]> {
  return existing([
    { path: environment.FFMPEG_BIN, origin: 'FFMPEG_BIN' },
    { path: packagedPath('ffmpeg-static'), origin: 'ffmpeg-static' },
    ...onPath(`ffmpeg${suffix}`, environment),
    { path: packagedPath('@ffmpeg-installer/ffmpeg'), origin: 'npm' },
  ]);
}

async function ffprobeCandidates(environment: NodeJS.ProcessEnv, ffmpeg: Ffmpeg): Promise<Candidate[]> {
  return existing([
    { path: environment.FFPROBE_BIN, origin: 'FFPROBE_BIN' },
    { path: join(dirname(ffmpeg.path), `ffprobe${suffix}`), origin: 'beside ffmpeg' },
    ...onPath(`ffprobe${suffix}`, environment),
    { path: packagedPath('@ffprobe-installer/ffprobe'), origin: 'npm' },
  ]);
}

function onPath(name: string, environment: NodeJS.ProcessEnv): Array<{ path: string; origin: BinaryOrigin }> {
  const folders = (environment.PATH ?? environment.Path ?? '').split(delimiter).filter((folder) => folder !== '');
  const all = environment.PATH === undefined ? [] : [...folders, ...usualFolders];
  return all.map((folder) => ({ path: join(folder, name), origin: 'system' }));
}

/** Keeps what is there, once each. A path that a user set stays although it is missing, so that the reason is shown. */
async function existing(wanted: Array<{ path: string | undefined; origin: BinaryOrigin }>): Promise<Candidate[]> {
  const found = new Map<string, Candidate>();
  for (const { path, origin } of wanted) {
    if (!path || found.has(path)) continue;
    const present = await access(path, constants.F_OK).then(
      () => true,
      () => false,
    );
    if (present || origin === 'FFMPEG_BIN' || origin === 'FFPROBE_BIN') found.set(path, { path, origin });
  }
  return [...found.values()];
}

/** The binary inside an npm package, undefined when the package is absent or not made for this machine. */
function packagedPath(packageName: string): string | undefined {
  const require = createRequire(import.meta.url);
  try {
    const exported = require(packageName) as string | { path: string };
    const path = typeof exported === 'string' ? exported : exported.path;
    // Inside a packaged application binaries lie beside the archive, not in it.
    return path.replace(/app\.asar(?=[\\/])/, 'app.asar.unpacked');
  } catch {
    return undefined; // not installed: the next candidate is tried, and `noneWorks` says so when none is left
  }
}

async function examineFfmpeg(candidate: Candidate): Promise<Ffmpeg | (Candidate & { reason: string })> {
  const version = await versionOf(candidate);
  if (version.error) return { ...candidate, reason: version.error };
  const [encoders, decoders, filters] = await Promise.all(
    ['-encoders', '-decoders', '-filters'].map(async (flag) =>
      parseTable((await run(candidate.path, ['-hide_banner', flag])).output),
    ),
  );
  const names = (rows: Array<{ name: string }> = []) => new Set(rows.map(({ name }) => name));
  const capabilities: Capabilities = {
    version: version.version,
    libavutil: version.libavutil,
    encoders: names(encoders),
    decoders: names(decoders),
    decodableCodecs: softwareCodecs(decoders ?? []),
    filters: names(filters),
  };
  return { path: candidate.path, origin: candidate.origin, capabilities, missing: missingCapabilities(capabilities) };
}

async function versionOf(
  candidate: Candidate,
): Promise<{ version: string; libavutil: [number, number]; error?: string }> {
  const unknown = { version: '', libavutil: [0, 0] as [number, number] };
  try {
    // A package manager that runs no install scripts leaves the shipped binaries without the permission to run.
    if (candidate.origin === 'npm' && process.platform !== 'win32') {
      await access(candidate.path, constants.X_OK).catch(() => chmod(candidate.path, 0o755));
    }
    const { exitCode, output, errorTail } = await run(candidate.path, ['-version'], { stallMilliseconds: 15_000 });
    const parsed = parseVersion(output);
    if (exitCode === 0 && parsed) return parsed;
    return { ...unknown, error: `does not run: ${errorTail.at(-1) ?? `exit code ${exitCode}`}` };
  } catch (error) {
    return { ...unknown, error: `does not run: ${(error as Error).message}` };
  }
}

function lacks(missing: ExpectedCapability[]): string {
  const essential = missing.filter((item) => item.essential);
  return `lacks ${essential.map(({ kind, names }) => `${kind} ${names.join(' or ')}`).join(', ')}`;
}

function noneWorks(program: 'ffmpeg' | 'ffprobe', passedOver: MediaTools['passedOver']): AppError {
  const tried = passedOver.map(({ path, reason }) => `${path} ${reason}`).join('; ');
  return new AppError('not-found', `No working ${program} was found${tried ? ` (${tried})` : ''}.`, {
    hint: `Install ffmpeg, or set ${program === 'ffmpeg' ? 'FFMPEG_BIN' : 'FFPROBE_BIN'} to a working binary, or run "npm ci" again.`,
  });
}
