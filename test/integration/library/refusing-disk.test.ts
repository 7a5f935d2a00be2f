import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Services } from '../../../main/services/services.ts';
import { makeTempFolder } from '../../fixtures/library.ts';
import { addClips, learnRequest, makeResources, openTestServices, runNew } from '../../fixtures/services.ts';
import { canMount, SmallDisk } from '../../fixtures/small-disk.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

describe.skipIf(!canMount())('on a disk that takes nothing more', () => {
  let disk: SmallDisk;
  let home: string;
  let resources: string;
  let services: Services | null;

  beforeEach(() => {
    disk = SmallDisk.mount(100)!;
    home = join(disk.folder, 'home');
    resources = makeResources(makeTempFolder('resources'));
    addClips(disk.folder, 'river-1a2b', 'lake-3c4d');
  });
  afterEach(async () => {
    await services?.close();
    services = null;
    disk.unmount();
    rmSync(dirname(resources), { recursive: true });
  });
  const open = async (access: 'read' | 'write' | 'any' = 'any') => {
    services = await openTestServices(disk.folder, { access, resources });
    return services;
  };
  const refusal = (code: string) => expect.objectContaining({ code, message: expect.stringContaining(home) });

  /** Keeps its place for states, which is given up when the disk is full. */
  async function openOnce(): Promise<void> {
    await (await open()).close();
    services = null;
    expect(existsSync(join(home, 'reserve'))).toBe(true);
  }

  it('a full one gives its reserve up, so that everything opens and the trash can be emptied', async () => {
    await openOnce();
    disk.fill();
    const { library, call } = await open();
    expect(library.status()).toMatchObject({ access: 'write', obstacle: null });
    expect(await call['clips.list']()).toHaveLength(2);
    await call['library.delete']({ items: [{ kind: 'clip', id: 'river-1a2b' }] });
    expect(await call['library.emptyTrash']()).toEqual({ count: 1 });
    expect(existsSync(join(home, 'clips/river-1a2b'))).toBe(false);
  });

  it('a full one without a reserve is opened for reading, says so, and lets the caches be emptied', async () => {
    await openOnce();
    rmSync(join(home, 'reserve'));
    writeFileSync(join(home, 'previews/x'), Buffer.alloc(2 ** 20));
    disk.fill();
    const { library, call } = await open();
    expect(library.status()).toMatchObject({ access: 'read', obstacle: { code: 'out-of-space' } });
    expect(await call['clips.list']()).toHaveLength(2);
    const labelled = call['clips.label']({ reference: 'river', labels: { name: 'x' } });
    await expect(labelled).rejects.toThrow(refusal('out-of-space'));
    expect((await call['caches.clear']()).previews).toBe(0);
    await services!.close();
    expect((await open()).library.status().access).toBe('write');
  });

  it('a full one with the log of a killed program is read with what is in the log', async () => {
    await openOnce();
    const { call } = await open();
    await call['clips.label']({ reference: 'river', labels: { name: 'Rapids' } });
    const [database, log] = ['library.db', 'library.db-wal'].map((name) => readFileSync(join(home, name)));
    await services!.close();
    writeFileSync(join(home, 'library.db'), database!);
    writeFileSync(join(home, 'library.db-wal'), log!);
    rmSync(join(home, 'reserve'), { force: true });
    disk.fill();
    const reopened = await open();
    expect((await reopened.call['clips.get']({ reference: 'river-1a2b' })).name).toBe('Rapids');
  });

  it('one that fills while a learning reports fails the learning with the reason, and it goes on when there is room', async () => {
    const services = await open();
    const { queue } = services;
    rmSync(join(home, 'reserve'), { force: true });
    let told = 0;
    const job = await runNew(services, learnRequest('river', 400), {
      onEvent: ({ type }) => {
        if (type === 'loss' && ++told === 3) disk.fill();
      },
    });
    expect(job).toMatchObject({ state: 'failed', error: { code: 'out-of-space' } });
    expect(queue.get(job.id)).toMatchObject({ state: 'failed' });
    disk.empty();
    expect(await queue.run(job.id)).toMatchObject({ state: 'done' });
  });

  it('one that fills while an edit is made fails the edit with the reason', async () => {
    const services = await open();
    const { queue } = services;
    await runNew(services, learnRequest('river', 2));
    rmSync(join(home, 'reserve'), { force: true });
    const job = await runNew(
      services,
      { kind: 'generate', conceptId: 'dancer', settings: { prompt: 'a [v] person', steps: 100 } },
      { onChange: ({ progress }) => progress && progress.done > 20 && disk.fill() },
    );
    expect(job).toMatchObject({ state: 'failed', error: { code: 'out-of-space' } });
    disk.empty();
    expect(await queue.run(job.id)).toMatchObject({ state: 'done' });
  });

  it('an end that the disk did not take is stored as soon as it does', async () => {
    const services = await open();
    const { queue } = services;
    queue.start();
    rmSync(join(home, 'reserve'), { force: true });
    const { id } = queue.enqueue(learnRequest('river', 400));
    const stored = () => {
      const db = new Database(join(home, 'library.db'), { readonly: true });
      try {
        return db.prepare('SELECT state FROM jobs WHERE id = ?').pluck().get(id);
      } finally {
        db.close();
      }
    };
    await expect.poll(() => queue.events(id).length).toBeGreaterThan(3);
    disk.fill();
    await expect.poll(() => queue.get(id).state).toBe('failed');
    disk.empty();
    await expect.poll(stored).toBe('failed');
  });

  it.each(['any', 'read'] as const)('a read-only one is opened for reading (%s) and says so', async (access) => {
    await openOnce();
    disk.setReadOnly(true);
    const { library, call, queue } = await open(access);
    expect(library.status()).toMatchObject({ access: 'read', obstacle: { code: 'forbidden' } });
    expect([(await call['clips.list']()).length, queue.list().length]).toEqual([2, 0]);
    expect(() => queue.enqueue(learnRequest('river', 4))).toThrow(refusal('forbidden'));
    await services!.close();
    services = null;
    await expect(open('write')).rejects.toThrow(refusal('forbidden'));
  });

  it('a read-only one with an older library is read by a copy that is brought up to date', async () => {
    const older = join(disk.folder, 'older/home');
    mkdirSync(older, { recursive: true });
    const db = new Database(join(older, 'library.db'));
    db.exec(readFileSync(join(fixtures, 'library-v1.sql'), 'utf8'));
    db.close();
    const copy = join(disk.folder, 'copy.db');
    copyFileSync(join(older, 'library.db'), copy);
    disk.setReadOnly(true);
    services = await openTestServices(disk.folder, { home: older, resources });
    expect((await services.call['clips.list']()).length).toBeGreaterThan(0);
    expect(readFileSync(join(older, 'library.db')).equals(readFileSync(copy))).toBe(true);
  });

  it('a read-only one without a library is refused with the reason', async () => {
    disk.setReadOnly(true);
    const opening = openTestServices(disk.folder, { home: join(disk.folder, 'new'), resources });
    await expect(opening).rejects.toMatchObject({ code: 'forbidden', message: expect.stringContaining('new') });
  });
});
