import { expect, it } from 'vitest';
import { SharedWork } from '../../../main/services/shared-work.ts';

/** Work that ends when it is told to, or is given up. */
function makeWork() {
  const given: { signal: AbortSignal; finish(value: string): void }[] = [];
  const make = (signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('given up')));
      given.push({ signal, finish: resolve });
    });
  return { given, make };
}

it('does once what two ask for at the same time, and anew what is asked for afterwards', async () => {
  const shared = new SharedWork<string>();
  const { given, make } = makeWork();
  const both = [shared.ask('a', undefined, make), shared.ask('a', undefined, make)];
  const other = shared.ask('b', undefined, make);
  expect(given).toHaveLength(2);
  given[0]!.finish('first');
  given[1]!.finish('other');
  expect(await Promise.all([...both, other])).toEqual(['first', 'first', 'other']);
  const again = shared.ask('a', undefined, make);
  given[2]!.finish('second');
  expect(await again).toBe('second');
});

it('goes on while somebody waits, and gives up when nobody does', async () => {
  const shared = new SharedWork<string>();
  const { given, make } = makeWork();
  const [one, two] = [new AbortController(), new AbortController()];
  const first = shared.ask('a', one.signal, make);
  const second = shared.ask('a', two.signal, make);
  one.abort();
  await expect(first).rejects.toMatchObject({ code: 'cancelled' });
  expect(given[0]!.signal.aborted).toBe(false);
  two.abort();
  await expect(second).rejects.toMatchObject({ code: 'cancelled' });
  expect(given[0]!.signal.aborted).toBe(true);

  // What was given up is nothing to wait for.
  const third = shared.ask('a', undefined, make);
  given[1]!.finish('anew');
  expect(await third).toBe('anew');
  await expect(shared.ask('a', one.signal, make)).rejects.toMatchObject({ code: 'cancelled' });
  expect(given).toHaveLength(2);
});
