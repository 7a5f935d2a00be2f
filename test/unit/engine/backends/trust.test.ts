import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mayPass, openWatched, trustDevice } from '../../../../main/engine/backends/trust.ts';

const about = ['device', '1.0', 'adapter'];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motif-trust-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('is found out once, whatever the verdict, for each device, version and adapter', async () => {
  let tests = 0;
  const pass = async () => `passed ${++tests}`;
  const fail = async () => {
    throw new Error(`differs ${++tests}`);
  };
  expect(await trustDevice({ about, folder }, pass)).toEqual({ trusted: true, reason: 'passed 1' });
  expect(await trustDevice({ about, folder }, fail)).toEqual({ trusted: true, reason: 'passed 1' });
  const newer = { about: ['device', '1.1', 'adapter'], folder };
  expect(await trustDevice(newer, fail)).toEqual({ trusted: false, reason: 'differs 2' });
  expect(await trustDevice(newer, pass)).toMatchObject({ trusted: false });
  expect(await trustDevice({ about: ['device', '1.0', 'other adapter'], folder }, pass)).toMatchObject({
    reason: 'passed 3',
  });
});

it('remembers what a device is trusted without', async () => {
  const without = ['multiHeadAttention'];
  await trustDevice({ about, folder }, async () => ({ reason: 'passed', without }));
  const never = async () => Promise.reject(new Error('not asked'));
  expect(await trustDevice({ about, folder }, never)).toEqual({ trusted: true, reason: 'passed', without });
});

it('never remembers what may pass', async () => {
  for (const reason of ['out of memory', 'std::bad_alloc', 'the device was lost', 'the device is busy', 'timed out']) {
    expect(mayPass(new Error(reason))).toBe(true);
    expect(await trustDevice({ about, folder }, () => Promise.reject(new Error(reason)))).toEqual({
      trusted: false,
      reason,
    });
  }
  expect(JSON.parse(readFileSync(join(folder, 'self-tests.json'), 'utf8'))).toEqual({});
  expect(await trustDevice({ about, folder }, async () => 'passed')).toMatchObject({ trusted: true });
});

it('is not given where the process ended twice in the middle of the test', async () => {
  let tests = 0;
  const never = () => {
    tests++;
    return new Promise<string>(() => {});
  };
  for (let start = 0; start < 2; start++) void trustDevice({ about, folder }, never);
  expect(await trustDevice({ about, folder }, never)).toEqual({
    trusted: false,
    reason: expect.stringMatching(/ended 2 times/),
  });
  expect(tests).toBe(2);
  // Once may have been the user; what passes afterwards is trusted.
  const other = { about: ['other'], folder };
  void trustDevice(other, never);
  expect(await trustDevice(other, async () => 'passed')).toMatchObject({ trusted: true });
});

it('is found out again where what was remembered is damaged or there is nowhere to remember it', async () => {
  writeFileSync(join(folder, 'self-tests.json'), '{"half');
  expect(await trustDevice({ about, folder }, async () => 'passed')).toMatchObject({ trusted: true });
  expect(JSON.parse(readFileSync(join(folder, 'self-tests.json'), 'utf8'))).toBeTypeOf('object');
  expect(await trustDevice({ about, folder: undefined }, async () => 'passed')).toMatchObject({ trusted: true });
});

describe('what is opened', () => {
  it('is left alone once opening it twice did not come to an end, and says how to try again', async () => {
    for (let start = 0; start < 2; start++) void openWatched({ about, folder }, () => new Promise(() => {}));
    const opened = openWatched({ about, folder }, async () => 'opened');
    await expect(opened).rejects.toThrow(
      /ended 2 times while it was opened here; delete .*self-tests.json to try again/,
    );
    expect(await openWatched({ about: ['another'], folder }, async () => 'opened')).toBe('opened');
  });

  it('is no longer watched once it came to an end, an error included, and keeps the verdicts found meanwhile', async () => {
    const failed = openWatched({ about, folder }, async () => {
      await trustDevice({ about, folder }, async () => 'passed');
      throw new Error('no adapter');
    });
    await expect(failed).rejects.toThrow('no adapter');
    for (let start = 0; start < 3; start++) void openWatched({ about, folder }, () => new Promise(() => {}));
    expect(await openWatched({ about, folder }, async () => 'opened')).toBe('opened');
    const never = async () => Promise.reject(new Error('not asked'));
    expect(await trustDevice({ about, folder }, never)).toEqual({ trusted: true, reason: 'passed' });
  });
});
