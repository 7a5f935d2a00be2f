import { expect, it } from 'vitest';
import { LruCache } from '../../../../shared/structures/lru-cache.ts';

it('lets go of what was used longest ago, and tells of it', () => {
  const dropped: string[] = [];
  const cache = new LruCache<string, string>(2, (value) => dropped.push(value));
  cache.set('a', 'A');
  cache.set('b', 'B');
  expect(cache.get('a')).toBe('A');
  cache.set('c', 'C');
  expect(dropped).toEqual(['B']);
  expect([cache.get('b'), cache.has('a'), cache.size, [...cache.values()]]).toEqual([undefined, true, 2, ['A', 'C']]);
});

it('lets a value go that another of its key replaces, but not the same one that is set again', () => {
  const dropped: object[] = [];
  const cache = new LruCache<string, object>(2, (value) => dropped.push(value));
  const [first, second] = [{}, {}];
  cache.set('a', first);
  cache.set('a', first);
  expect(dropped).toEqual([]);
  cache.set('a', second);
  expect(dropped).toEqual([first]);
});

it('lets everything go when it is cleared', () => {
  const dropped: number[] = [];
  const cache = new LruCache<number, number>(3, (value) => dropped.push(value));
  for (const number of [1, 2, 3]) cache.set(number, number);
  cache.delete(2);
  cache.clear();
  expect(dropped).toEqual([2, 1, 3]);
  expect(cache.size).toBe(0);
});
