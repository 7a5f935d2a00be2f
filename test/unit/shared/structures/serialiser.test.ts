import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Serialiser } from '../../../../shared/structures/serialiser.ts';

it('does one thing after the other, also behind one that fails', async () => {
  const serialiser = new Serialiser();
  const order: string[] = [];
  const slow = serialiser.run(async () => {
    await sleep(10);
    order.push('slow');
    throw new Error('no');
  });
  const quick = serialiser.run(async () => order.push('quick'));
  await expect(slow).rejects.toThrow('no');
  await quick;
  expect(order).toEqual(['slow', 'quick']);
});

it('tells whoever gives up while waiting at once, and never begins what they asked for', async () => {
  const serialiser = new Serialiser();
  let finish = () => {};
  const first = serialiser.run(() => new Promise<void>((resolve) => (finish = resolve)));
  const controller = new AbortController();
  let begun = false;
  const second = serialiser.run(async () => (begun = true), controller.signal);
  controller.abort();
  await expect(second).rejects.toMatchObject({ code: 'cancelled' });
  finish();
  await first;
  await serialiser.run(async () => {});
  expect(begun).toBe(false);
});

it('leaves work that has begun to end in its own way when its asker gives up', async () => {
  const controller = new AbortController();
  const work = new Serialiser().run(async () => {
    controller.abort();
    await sleep(5);
    return 'done';
  }, controller.signal);
  expect(await work).toBe('done');
});
