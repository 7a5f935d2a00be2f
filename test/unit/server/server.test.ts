import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { contentSecurityPolicy } from '../../../main/host/content-security-policy.ts';
import { pageResponse } from '../../../main/host/page-response.ts';
import { parseRange } from '../../../main/host/send-file.ts';
import { isOurs } from '../../../main/server/guard.ts';
import { Session } from '../../../main/server/session.ts';
import { safeName } from '../../../main/server/uploads.ts';

describe('who may talk to the server', () => {
  it('exchanges the token once and knows the cookie from then on', () => {
    const session = new Session(4000);
    expect(session.exchange('wrong')).toBeNull();
    const cookie = session.exchange(session.token);
    expect(cookie).toMatch(/^motif-4000=[\w-]{40,}; HttpOnly; SameSite=Strict; Path=\/$/);
    expect(session.exchange(session.token)).toBeNull();
    expect(session.isKnown(`other=1; ${cookie!.split(';')[0]}`)).toBe(true);
    expect(session.isKnown('motif-4000=guess')).toBe(false);
    expect(session.isKnown(undefined)).toBe(false);
  });

  it('refuses other names of this machine and pages from elsewhere', () => {
    expect(isOurs({ host: '127.0.0.1:4000' }, 4000, false)).toBe(true);
    expect(isOurs({ host: 'localhost:4000', origin: 'http://localhost:4000' }, 4000, true)).toBe(true);
    expect(isOurs({ host: 'evil.example:4000' }, 4000, false)).toBe(false);
    expect(isOurs({ host: '127.0.0.1:4000', origin: 'http://evil.example' }, 4000, false)).toBe(false);
    expect(isOurs({ host: '127.0.0.1:4000', origin: 'null' }, 4000, false)).toBe(false);
    expect(isOurs({ host: '127.0.0.1:4000' }, 4000, true)).toBe(false);
    expect(isOurs({ host: '127.0.0.1:4000', 'sec-fetch-site': 'same-origin' }, 4000, true)).toBe(true);
    expect(isOurs({ host: '127.0.0.1:4000', 'sec-fetch-site': 'cross-site' }, 4000, true)).toBe(false);
  });

  it('allows no inline script and nothing from elsewhere', () => {
    const policy = contentSecurityPolicy('ws://127.0.0.1:4000');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
  });
});

describe('the built page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'motif-page-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'page/assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.html'), 'secret');
  writeFileSync(join(folder, 'page/index.html'), 'page');
  writeFileSync(join(folder, 'page/assets/a b.js'), 'code');
  const ask = (path: string) => pageResponse(join(folder, 'page'), path, null, { 'X-Content-Type-Options': 'nosniff' });

  it('is served with the types of its files', async () => {
    expect(await (await ask('/')).text()).toBe('page');
    const { headers } = await ask('/assets/a%20b.js');
    expect(headers.get('Content-Type')).toBe('text/javascript; charset=utf-8');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
  });

  it.each([
    '/../secret.html',
    '/..%5csecret.html',
    '/..%2fsecret.html',
    '/assets/..%5c..%5csecret.html',
    '/%',
    '//secret.html',
  ])('ends at its folder: %s is not there', async (path) => expect((await ask(path)).status).toBe(404));
});

describe('ranges', () => {
  it('reads a beginning, a middle and an end', () => {
    expect(parseRange('bytes=0-', 100)).toEqual({ start: 0, end: 99 });
    expect(parseRange('bytes=10-19', 100)).toEqual({ start: 10, end: 19 });
    expect(parseRange('bytes=90-900', 100)).toEqual({ start: 90, end: 99 });
    expect(parseRange('bytes=-10', 100)).toEqual({ start: 90, end: 99 });
  });

  it('says when a range is outside, and leaves unknown ones alone', () => {
    expect(parseRange('bytes=100-', 100)).toBe('outside');
    expect(parseRange('bytes=20-10', 100)).toBe('outside');
    expect(parseRange('bytes=-', 100)).toBeNull();
    expect(parseRange('lines=1-2', 100)).toBeNull();
  });
});

it('keeps an uploaded name inside its folder', () => {
  expect(safeName('../../etc/passwd')).toBe('passwd');
  expect(safeName('C:\\clips\\dance.mp4')).toBe('dance.mp4');
  expect(safeName('..')).toBe('clip');
  expect(safeName('.hidden.mp4')).toBe('hidden.mp4');
  expect(safeName('a<b>\u0000.mp4')).toBe('a_b__.mp4');
});
