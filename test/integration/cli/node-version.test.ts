import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
/** Loaded first, it makes this Node say that it is an older one. */
const pretend = (version: string) =>
  `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '${version}' })`;

it.each([
  ['motif.js', '20.18.0', 'npm run motif'],
  ['server.js', '22.11.0', 'npm start'],
])('dist/%s refuses Node %s with a sentence that says what to do', (file, version, command) => {
  const words = ['--import', pretend(version), resolve(root, 'dist', file), '--no-open', '--home', '/nonexistent/home'];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toMatch(
    new RegExp(`^Error: Motif needs Node 22.12 or newer, this is ${version}.\\n.*${command}.*\\n$`),
  );
});

it('package.json says which Node that is', () => {
  expect(JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')).engines).toEqual({ node: '>=22.12' });
});
