import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, matchesGlob, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

/**
 * What electron-builder would take into a package, checked without it: its options, the files that the bundled code needs, native modules
 * outside of the archive. Nothing is packaged here; that takes an Electron binary.
 */
const root = resolve(import.meta.dirname, '../../..');
const arch = z.enum(['x64', 'arm64']);
const targets = <T extends [string, ...string[]]>(...names: T) =>
  z.array(z.strictObject({ target: z.enum(names), arch: z.array(arch).min(1) })).min(1);
/** The options that are used, by the names of electron-builder's own schema; an unknown one is a mistake. */
const options = z.strictObject({
  appId: z.string().regex(/^[\w.-]+\.[\w.-]+$/),
  productName: z.string(),
  copyright: z.string(),
  directories: z.strictObject({ output: z.string(), buildResources: z.string() }),
  icon: z.string(),
  files: z.array(z.string()),
  extraResources: z.array(z.strictObject({ from: z.string(), to: z.string(), filter: z.array(z.string()) })),
  asarUnpack: z.array(z.string()),
  electronFuses: z.strictObject({
    runAsNode: z.literal(false),
    enableCookieEncryption: z.literal(true),
    enableNodeOptionsEnvironmentVariable: z.literal(false),
    enableNodeCliInspectArguments: z.literal(false),
    enableEmbeddedAsarIntegrityValidation: z.literal(true),
    onlyLoadAppFromAsar: z.literal(true),
    loadBrowserProcessSpecificV8Snapshot: z.literal(false),
    grantFileProtocolExtraPrivileges: z.literal(false),
  }),
  fileAssociations: z.array(
    z.strictObject({ ext: z.string(), name: z.string(), mimeType: z.string(), role: z.enum(['Editor', 'Viewer']) }),
  ),
  mac: z.strictObject({ category: z.string().startsWith('public.app-category.'), target: targets('dmg', 'zip') }),
  win: z.strictObject({ target: targets('nsis') }),
  linux: z.strictObject({ category: z.string(), target: targets('AppImage', 'deb') }),
});
const builder = options.parse(parse(readFileSync(join(root, 'electron-builder.yml'), 'utf8')));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** As electron-builder reads `files`: what a pattern lets in, a later one with `!` takes out. */
const isPacked = (file: string) =>
  builder.files.reduce(
    (packed, pattern) =>
      pattern.startsWith('!') ? packed && !matchesGlob(file, pattern.slice(1)) : packed || matchesGlob(file, pattern),
    false,
  );
const isUnpacked = (file: string) => builder.asarUnpack.some((pattern) => matchesGlob(file, pattern));
const filesBelow = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    );

/** Folders of the packages that the program needs, with what they need in turn. */
function productionPackages(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  return Object.entries(packages)
    .filter(([folder, { dev }]) => folder.startsWith('node_modules/') && !dev && existsSync(join(root, folder)))
    .map(([folder]) => folder);
}

it('packs the built program and nothing of its sources', () => {
  const packed = filesBelow('dist').filter(isPacked);
  for (const needed of [
    manifest.main,
    'dist/preload.cjs',
    'dist/engine-process.js',
    'dist/renderer/index.html',
    'dist/third-party-notices.txt',
  ]) {
    expect(packed).toContain(needed);
  }
  expect(isPacked('package.json') && isPacked('LICENSE')).toBe(true);
  expect(packed.filter((file) => file.endsWith('.map'))).toEqual([]);
  for (const source of ['main/app/main.ts', 'test/e2e/editor.test.ts', 'renderer/App.svelte']) {
    expect(isPacked(source)).toBe(false);
  }
});

it('resolves every module that the packed code imports to a packed one, or to Electron and Node', () => {
  const packages = new Set(productionPackages());
  const imported = new Set(
    filesBelow('dist')
      .filter((file) => /^dist\/[^/]+\.(js|cjs)$/.test(file) && isPacked(file))
      .flatMap((file) => [
        ...readFileSync(join(root, file), 'utf8').matchAll(
          /(?:^|[\n;}])\s*(?:import|export)\s(?:[^'"();]*\sfrom\s)?["']([^"'.][^"']*)["']/g,
        ),
      ])
      .map(([, name]) => name!)
      .filter((name) => !name.startsWith('node:') && name !== 'electron')
      .map((name) =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
  );
  expect(imported.size).toBeGreaterThan(5);
  expect([...imported].filter((name) => !packages.has(`node_modules/${name}`))).toEqual([]);
});

it('keeps native modules and programs outside of the archive, where they can be loaded and run', () => {
  const isNative = (file: string) => {
    if (/\.(node|dll|dylib|exe)$|\.so(\.\d+)*$/.test(file)) return true;
    return /-installer\/[^/]+\/ff(mpeg|probe)$/.test(file);
  };
  const native = productionPackages().flatMap((folder) =>
    filesBelow(folder).filter((file) => isNative(file) && statSync(join(root, file)).size > 0),
  );
  for (const name of ['better-sqlite3', 'onnxruntime-node', '@napi-rs/', '@ffmpeg-installer/', '@ffprobe-installer/']) {
    expect(native.some((file) => file.includes(name))).toBe(true);
  }
  expect(native.filter((file) => !isUnpacked(file))).toEqual([]);
});

it('brings the models and samples along, and has its icon and its file type', () => {
  const [resources] = builder.extraResources;
  expect(resources).toMatchObject({ from: 'resources', to: 'resources' });
  for (const file of ['models/motif-tiny/model_index.json', 'samples/dancer.motif']) {
    expect(existsSync(join(root, 'resources', file))).toBe(true);
    expect(resources!.filter.some((pattern) => matchesGlob(file, pattern))).toBe(true);
  }
  // electron-builder makes .icns and .ico from a PNG of at least 512 pixels; width and height lie behind its header.
  const icon = readFileSync(join(root, builder.icon));
  expect([icon.readUInt32BE(16), icon.readUInt32BE(20)]).toEqual([1024, 1024]);
  expect(builder.fileAssociations.map(({ ext }) => ext)).toEqual(['motif']);
  expect(manifest.main).toBe('dist/app.js');
});
