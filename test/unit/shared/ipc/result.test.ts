import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { parseInput, toErrorShape } from '../../../../shared/ipc/result.ts';
import { makeTempFolder } from '../../../fixtures/library.ts';

const withCode = (code: string) => Object.assign(new Error('said by the system'), { code });

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (thrown) {
    return thrown;
  }
  throw new Error('expected it to throw');
}

it.each([
  ['ENOSPC', 'out-of-space'],
  ['SQLITE_FULL', 'out-of-space'],
  ['EROFS', 'forbidden'],
  ['EACCES', 'forbidden'],
  ['SQLITE_CANTOPEN', 'forbidden'],
  ['SQLITE_READONLY_DBMOVED', 'forbidden'],
  ['SQLITE_IOERR', 'disk-failed'],
  ['SQLITE_IOERR_WRITE', 'disk-failed'],
  ['EIO', 'disk-failed'],
  ['ENAMETOOLONG', 'invalid-input'],
  ['ENOTDIR', 'invalid-input'],
  ['ENOENT', 'not-found'],
  ['SQLITE_CORRUPT', 'damaged-file'],
  ['EMFILE', 'conflict'],
])('%s has a sentence of its own and something to do about it', (systemCode, code) => {
  const shape = toErrorShape(withCode(systemCode));
  expect(shape).toMatchObject({ code, details: { systemCode }, hint: expect.stringMatching(/\.$/) });
  expect(shape.message).toMatch(/^[A-Z].*\. \(said by the system\)$/);
});

it('what the system really throws is told apart', () => {
  const folder = makeTempFolder('errors');
  try {
    mkdirSync(join(folder, 'x'));
    expect(toErrorShape(thrownBy(() => readFileSync(join(folder, 'x')))).code).toBe('invalid-input');
    expect(toErrorShape(thrownBy(() => readFileSync(join(folder, 'y')))).code).toBe('not-found');
    expect(toErrorShape(thrownBy(() => writeFileSync(join(folder, 'y'.repeat(300)), ''))).message).toContain(
      'too long',
    );
    expect(toErrorShape(thrownBy(() => new Database(join(folder, 'z'), { readonly: true }))).code).toBe('forbidden');
    expect(toErrorShape(thrownBy(() => decodeURIComponent('%'))).code).toBe('invalid-input');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('an input that does not fit is the caller’s fault, anything else that does not is a fault of the program', () => {
  const schema = z.object({ count: z.int() });
  expect(toErrorShape(thrownBy(() => parseInput(schema, { count: 'x' })))).toMatchObject({
    code: 'invalid-input',
    message: expect.stringContaining('count'),
  });
  expect(toErrorShape(thrownBy(() => schema.parse({ count: 'x' }))).code).toBe('internal');
});
