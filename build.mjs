// Bundles the command line, the editor's hosts, the engine process and the measurements of `motif bench` into dist/. TensorFlow.js' ES modules are bundled
// in, because its Node build lacks the gradients; every other dependency stays in node_modules.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const bundleTfjs = {
  name: 'bundle-tfjs',
  setup(b) {
    b.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || /^@tensorflow\/tfjs-(core|backend-cpu)/.test(path)
        ? undefined
        : { path, external: true },
    );
  },
};

await build({
  entryPoints: {
    motif: 'main/cli/motif.ts',
    'engine-process': 'main/engine-host/engine-process.ts',
    'finish-thread': 'main/media/finish-thread.ts',
    'unpack-thread': 'main/library/package/unpack-thread.ts',
    server: 'main/server/main.ts',
    app: 'main/app/main.ts',
    'bench-measure': 'test/bench/measure.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  mainFields: ['module', 'main'],
  sourcemap: true,
  plugins: [bundleTfjs],
  logLevel: 'warning',
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});

// Electron's sandboxed preload takes neither ES modules nor imports of its own.
await build({
  entryPoints: { preload: 'main/app/preload.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  external: ['electron'],
  logLevel: 'warning',
});

/** Built into the page; they and what they depend on are not among the program's own dependencies. */
const inThePage = ['svelte', 'bits-ui', '@lucide/svelte', 'uplot', 'virtua', '@tensorflow/tfjs-backend-cpu'];

/** ffmpeg's and ffprobe's builds bring no text of their licence, and another one than the packages that find them. */
function ffmpegNotice(delivered) {
  const builds = delivered
    .filter((folder) => /@ff(mpeg|probe)-installer\/\w+-/.test(folder) && existsSync(folder))
    .map((folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
    .map(({ name, version, license, homepage }) => `${name} ${version} (${license}): ${homepage}`);
  const [about, text] = ['ffmpeg', 'GPL-3'].map((name) =>
    readFileSync(`resources/licenses/${name}.txt`, 'utf8').trim(),
  );
  return `${about}\n\n${builds.join('\n')}\n\n${text}`;
}

/** Every package that is delivered, with the text of its licence: dist/third-party-notices.txt. */
function writeNotices() {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const delivered = new Set();
  const add = (name, required) => {
    const key = `node_modules/${name}`;
    if (delivered.has(key) || !packages[key] || (!required && !existsSync(key))) return;
    delivered.add(key);
    const { dependencies = {}, optionalDependencies = {} } = packages[key];
    for (const next of Object.keys(dependencies)) add(next, true);
    for (const next of Object.keys(optionalDependencies)) add(next, false);
  };
  const { dependencies, optionalDependencies } = packages[''];
  for (const name of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...inThePage]) add(name, false);
  const texts = [...delivered].sort().map((folder) => {
    const { version, license = 'see its own files' } = packages[folder];
    const entries = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
    const files = entries.filter((entry) => entry.isFile() && /^(licen[cs]e|copying|notice)/i.test(entry.name));
    const text = files.map(({ name }) => readFileSync(join(folder, name), 'utf8').trim()).join('\n\n');
    return `${folder.replace('node_modules/', '')} ${version} (${license})\n\n${text}`;
  });
  writeFileSync(
    'dist/third-party-notices.txt',
    [ffmpegNotice([...delivered]), ...texts].join(`\n\n${'-'.repeat(80)}\n\n`),
  );
}
writeNotices();
