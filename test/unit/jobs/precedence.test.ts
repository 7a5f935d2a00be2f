import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Precedence } from '../../../main/jobs/precedence.ts';

function open(learns: boolean) {
  const told: string[] = [];
  const queue = {
    makeWay: () => {
      told.push('makes way');
      return learns;
    },
    comeBack: () => void told.push('comes back'),
  };
  return { told, precedence: new Precedence(queue, 40) };
}

it('lets learning come back once no preview was made for a while', async () => {
  const { told, precedence } = open(true);
  expect(precedence.begin()).toBe(true);
  for (let previews = 0; previews < 3; previews++) {
    await precedence.during(() => sleep(60));
    expect(told).toEqual(['makes way']);
  }
  await expect.poll(() => told).toEqual(['makes way', 'comes back']);
  await precedence.during(async () => {});
  await sleep(80);
  expect(told).toEqual(['makes way', 'comes back']);
});

it('changes nothing where nothing learns, and lets it come back at the end of the program', async () => {
  const idle = open(false);
  expect(idle.precedence.begin()).toBe(false);
  await sleep(80);
  idle.precedence.end();
  expect(idle.told).toEqual(['makes way']);
  const { told, precedence } = open(true);
  precedence.begin();
  precedence.end();
  await sleep(80);
  expect(told).toEqual(['makes way', 'comes back']);
});
