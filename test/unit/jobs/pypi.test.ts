import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fetchWheel, findWheel } from '../../../main/jobs/runners/pypi.ts';
import type { Progress } from '../../../shared/domain/job.ts';

const wheel = Buffer.from('wheel'.repeat(1_000_000));
const tag = process.platform === 'win32' ? 'win_amd64' : 'manylinux_2_28_x86_64';
const other = process.platform === 'win32' ? 'manylinux_2_28_x86_64' : 'win_amd64';
const { signal } = new AbortController();
const before = process.env.MOTIF_PYPI;
let folder: string;
let server: Server;
/** What is sent of a wheel: all of it, half of it and then nothing more, or something else. */
let sends: 'all' | 'half' | 'other';
let ranges: (string | undefined)[];
let sizes: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'motif-pypi-'));
  sends = 'all';
  ranges = [];
  sizes = wheel.length;
  server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    if (request.url === '/pypi/package/1.2.3/json') {
      const file = (filename: string) => ({
        filename,
        url: `http://127.0.0.1:${port}/files/${filename}`,
        size: sizes,
        digests: { sha256: createHash('sha256').update(wheel).digest('hex') },
      });
      const urls = [file(`package-1.2.3-cp311-cp311-${other}.whl`), file(`package-1.2.3-cp311-cp311-${tag}.whl`)];
      return response.end(JSON.stringify({ info: { license: 'MIT License', license_expression: null }, urls }));
    }
    if (request.url === '/pypi/package/7.0.0/json') return response.end('<html>log in</html>');
    if (!request.url!.startsWith('/files/')) return response.writeHead(404).end();
    ranges.push(request.headers.range);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { 'Content-Length': wheel.length - from });
    if (sends === 'other') return response.end(Buffer.alloc(wheel.length - from));
    if (sends === 'all') return response.end(wheel.subarray(from));
    response.write(wheel.subarray(from, from + 2_000_000), () => setTimeout(() => response.destroy(), 100));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env.MOTIF_PYPI = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  if (before === undefined) delete process.env.MOTIF_PYPI;
  else process.env.MOTIF_PYPI = before;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

it('finds the wheel for this system and fetches it, with progress', async () => {
  const found = await findWheel('package', '1.2.3', signal);
  expect(found).toMatchObject({ license: 'MIT License', from: expect.stringMatching(/^127\.0\.0\.1:/) });
  expect(found.file).toMatchObject({ rfilename: `package-1.2.3-cp311-cp311-${tag}.whl`, size: wheel.length });
  const told: Progress[] = [];
  const path = await fetchWheel(found, join(folder, 'new'), signal, (progress) => told.push(progress));
  expect(readFileSync(path).equals(wheel)).toBe(true);
  expect(readdirSync(join(folder, 'new'))).toEqual([found.file.rfilename]);
  expect(told.at(-1)).toMatchObject({ done: 5, total: 5, unit: 'MB' });
});

it('goes on where it was broken off', async () => {
  const found = await findWheel('package', '1.2.3', signal);
  sends = 'half';
  await expect(fetchWheel(found, folder, signal, () => {})).rejects.toMatchObject({ code: 'disconnected' });
  sends = 'all';
  expect(readFileSync(await fetchWheel(found, folder, signal, () => {})).equals(wheel)).toBe(true);
  expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
});

it('keeps nothing of what is not what was promised', async () => {
  const found = await findWheel('package', '1.2.3', signal);
  sends = 'other';
  await expect(fetchWheel(found, folder, signal, () => {})).rejects.toMatchObject({ code: 'damaged-file' });
  sends = 'all';
  sizes = 1000;
  const shorter = await findWheel('package', '1.2.3', signal);
  await expect(fetchWheel(shorter, folder, signal, () => {})).rejects.toThrow(/longer than the 1000 bytes/);
  expect(readdirSync(folder)).toEqual([]);
});

it('says what is wrong where there is no such wheel, or no list of any', async () => {
  await expect(findWheel('package', '9.9.9', signal)).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringMatching(/has no package 9\.9\.9/),
  });
  await expect(findWheel('package', '7.0.0', signal)).rejects.toMatchObject({ code: 'damaged-file' });
});
