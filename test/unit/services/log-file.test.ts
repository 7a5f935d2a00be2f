import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LogFile } from '../../../main/services/log-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motif-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('writes one line a happening', () => {
  const log = new LogFile(join(folder, 'logs', 'motif.log'));
  log.write('info', 'learn 1 done');
  log.write('error', 'two\nlines', { code: 'internal' });
  const lines = readFileSync(log.file, 'utf8').trim().split('\n');
  expect(lines[0]).toMatch(/^\d{4}-\S+Z info learn 1 done$/);
  expect(lines[1]).toMatch(/error two\\nlines \{"code":"internal"\}$/);
});

it('rotates: three files at most, none much larger than the limit', () => {
  const log = new LogFile(join(folder, 'motif.log'), 200);
  for (let number = 0; number < 50; number++) log.write('info', `happening ${number}`);
  expect(log.files().map((file) => basename(file))).toEqual(['motif.log', 'motif.1.log', 'motif.2.log']);
  expect(readFileSync(log.file, 'utf8')).toContain('happening 49');
  for (const file of log.files()) expect(readFileSync(file).length).toBeLessThanOrEqual(200);
});
