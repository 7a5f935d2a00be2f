import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Configuration, Platform, build as pack } from 'electron-builder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * electron-builder packs the program into a folder, with its own validation and file rules. A file with nothing in it but Electron's
 * fuses stands where Electron's program would; all else is what a person would install. Building installers takes Electron itself.
 */
const root = resolve(import.meta.dirname, '../../..');
const isLinux = process.platform === 'linux';
if (!isLinux) console.log('The package test is skipped: the empty Electron that it packs is laid out as on Linux.');

interface Entry {
  files?: Record<string, Entry>;
  size?: number;
  offset?: string;
  unpacked?: boolean;
}

let folder: string;
/** The folder of the package that holds the archive and what lies beside it. */
let resources: string;
/** Path in the archive -> its entry, those that lie outside of it (`unpacked`) included. */
let entries: Map<string, Entry>;

async function packFolder(config: Configuration): Promise<void> {
  const shell = join(folder, 'electron');
  await mkdir(shell, { recursive: true });
  // The mark by which fuses are found, the version, their number, and each of the eight set.
  await writeFile(join(shell, 'electron'), 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX\x01\x0811111111');
  await pack({
    projectDir: root,
    targets: Platform.LINUX.createTarget('dir'),
    publish: 'never',
    config: { directories: { output: join(folder, 'out') }, electronDist: shell, ...config },
  });
}

/** The archive's table: four 32 bit lengths, then JSON; contents follow at the end of the second length. */
async function readArchive(file: string): Promise<{ entries: Map<string, Entry>; contentOf(entry: Entry): Buffer }> {
  const archive = await readFile(file);
  const contents = 8 + archive.readUInt32LE(4);
  const table = JSON.parse(archive.subarray(16, 16 + archive.readUInt32LE(12)).toString()) as Entry;
  const entries = new Map<string, Entry>();
  const collect = (at: string, { files = {} }: Entry) => {
    for (const [name, entry] of Object.entries(files)) {
      const path = at === '' ? name : `${at}/${name}`;
      if (entry.files) collect(path, entry);
      else entries.set(path, entry);
    }
  };
  collect('', table);
  return {
    entries,
    contentOf: ({ offset, size }) =>
      archive.subarray(contents + Number(offset), contents + Number(offset) + (size ?? 0)),
  };
}

describe.skipIf(!isLinux)('a packed folder', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'motif-package-'));
    await packFolder({});
    resources = join(folder, 'out', `linux${process.arch === 'x64' ? '' : `-${process.arch}`}-unpacked`, 'resources');
    ({ entries } = await readArchive(join(resources, 'app.asar')));
  }, 300_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is refused with an option that electron-builder does not know', async () => {
    await expect(packFolder({ colour: 'red' } as Configuration)).rejects.toThrow(/colour/);
  });

  it('holds the built program and nothing of its sources', () => {
    for (const needed of [
      'package.json',
      'LICENSE',
      'dist/app.js',
      'dist/preload.cjs',
      'dist/engine-process.js',
      'dist/unpack-thread.js',
      'dist/renderer/index.html',
      'dist/third-party-notices.txt',
    ]) {
      expect([...entries.keys()]).toContain(needed);
    }
    const own = [...entries.keys()].filter((path) => !path.startsWith('node_modules/'));
    expect(own.filter((path) => path.endsWith('.map') || !/^(dist\/|package\.json$|LICENSE$)/.test(path))).toEqual([]);
  });

  it('says under which licence its ffmpeg comes, with the text and where the source is', async () => {
    const { entries, contentOf } = await readArchive(join(resources, 'app.asar'));
    const notices = contentOf(entries.get('dist/third-party-notices.txt')!).toString();
    expect(notices).toMatch(/^ffmpeg and ffprobe\n/);
    expect(notices).toContain('GNU GENERAL PUBLIC LICENSE\n                       Version 3');
    expect(notices).toContain('https://git.ffmpeg.org/ffmpeg.git');
    expect(notices).toMatch(/@ffmpeg-installer\/[\w-]+ [\d.]+ \(GPL\S*\): https:/);
  });

  it('keeps native modules and programs outside of the archive, and those of other systems out of the package', () => {
    const native = [...entries].filter(([path]) => /\.(node|dll|dylib)$|\.so(\.\d+)*$|\/ff(mpeg|probe)$/.test(path));
    for (const name of [
      'better-sqlite3',
      'onnxruntime-node',
      '@napi-rs/',
      '@ffmpeg-installer/',
      '@ffprobe-installer/',
    ]) {
      expect(native.filter(([path]) => path.startsWith(`node_modules/${name}`))).not.toEqual([]);
    }
    expect(native.filter(([, { unpacked }]) => !unpacked)).toEqual([]);
    expect(native.filter(([path]) => /darwin|win32|\.dll$|\.dylib$/.test(path))).toEqual([]);
  });

  it('brings the models and samples along, without what trained them', () => {
    for (const file of [
      'models/motif-tiny/model_index.json',
      'models/motif-judge/config.json',
      'samples/dancer.motif',
    ]) {
      expect(existsSync(join(resources, 'resources', file))).toBe(true);
    }
    expect(existsSync(join(resources, 'resources/models/motif-tiny/training'))).toBe(false);
  });

  it('has its fuses set: no running as Node, no options of Node, cookies encrypted, the archive alone and checked', async () => {
    const program = await readFile(join(dirname(resources), 'motif'), 'latin1');
    expect(program.slice(-8)).toBe('01001100');
  });

  it('has every module that it needs, and a working database, ffmpeg and engine', async () => {
    // Node cannot read an archive, so its files are laid beside those that are unpacked already.
    const app = join(resources, 'app.asar.unpacked');
    const { entries, contentOf } = await readArchive(join(resources, 'app.asar'));
    for (const [path, entry] of entries) {
      if (entry.unpacked || entry.offset === undefined) continue;
      await mkdir(dirname(join(app, path)), { recursive: true });
      await writeFile(join(app, path), contentOf(entry));
    }
    const run = promisify(execFile);
    // Without a path the programs of this machine are not looked for.
    const { PATH: _path, FFMPEG_BIN: _ffmpeg, FFPROBE_BIN: _ffprobe, ...rest } = process.env;
    const env = { ...rest, MOTIF_HOME: join(folder, 'library') };
    const motif = (...words: string[]) =>
      run(process.execPath, [join(app, 'dist/motif.js'), '--json', ...words], { cwd: folder, env });
    const { stdout: found } = await motif('doctor');
    const { findings, media, device } = JSON.parse(found.trim().split('\n').at(-1)!);
    expect(findings.filter(({ state }: { state: string }) => state === 'broken')).toEqual([]);
    expect(media.ffmpeg.path.startsWith(app) && media.ffprobe.path.startsWith(app)).toBe(true);
    expect(device.matMulGflops).toBeGreaterThan(0);
    const { stdout: imported } = await motif('import', join(resources, 'resources/samples/dancer.mp4'));
    expect(JSON.parse(imported.trim().split('\n').at(-1)!)).toMatchObject({
      type: 'clip',
      clip: { frames: { frameCount: 17 } },
    });
    const code = "console.log((await import('@napi-rs/canvas')).createCanvas(2, 2).toBuffer('image/png').length > 50)";
    const drawn = await run(process.execPath, ['--input-type=module', '--eval', code], { cwd: app });
    expect(drawn.stdout.trim()).toBe('true');
  });
});

it('has an icon that is large enough for every system', async () => {
  // electron-builder makes .icns and .ico from a PNG of at least 512 pixels; width and height lie behind its header.
  const icon = await readFile(join(root, 'resources/icons/icon.png'));
  expect([icon.readUInt32BE(16), icon.readUInt32BE(20)]).toEqual([1024, 1024]);
});
