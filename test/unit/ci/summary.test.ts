import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const script = resolve(import.meta.dirname, '../../../.ci/summary.mjs');

function summary(checks: string[], testResults: object[] | null, exitCode: number) {
  const folder = mkdtempSync(join(tmpdir(), 'motif-ci-'));
  try {
    writeFileSync(join(folder, 'checks'), `${checks.join('\n')}\n`);
    if (testResults) writeFileSync(join(folder, 'tests.json'), JSON.stringify({ testResults }));
    const { status, stdout } = spawnSync(process.execPath, [script, folder, `${exitCode}`], { encoding: 'utf8' });
    return { status, lastLine: stdout.trim().split('\n').at(-1), stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const file = (...states: string[]) => ({
  name: resolve('test/a.test.ts'),
  status: states.includes('failed') ? 'failed' : 'passed',
  assertionResults: states.map((status, index) => ({ status, fullName: `test ${index}` })),
});

test('checks and tests are counted, skipped ones are neither', () => {
  expect(summary(['format passed', 'types passed'], [file('passed', 'passed', 'skipped')], 0)).toMatchObject({
    status: 0,
    lastLine: '4 passed, 0 failed',
  });
});

test('a failed test or check fails the whole and is named', () => {
  const found = summary(['format failed', 'types passed'], [file('passed', 'failed')], 1);
  expect(found).toMatchObject({ status: 1, lastLine: '2 passed, 2 failed' });
  expect(found.stdout).toContain('failed: check:format\n');
  expect(found.stdout).toContain('a.test.ts: test 1');
});

test('a file that does not load, and a run that breaks without a failed test, count as failures', () => {
  const unloaded = { name: resolve('test/b.test.ts'), status: 'failed', assertionResults: [] };
  expect(summary(['format passed'], [file('passed'), unloaded], 1).lastLine).toBe('2 passed, 1 failed');
  expect(summary(['format passed'], null, 1).lastLine).toBe('1 passed, 1 failed');
});
