import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Preview } from '../../../renderer/app/preview.svelte.ts';
import { AppError } from '../../../shared/ipc/result.ts';

interface Asked {
  full: boolean;
  signal: AbortSignal;
  answer(picture: { name: string }): void;
  refuse(error: unknown): void;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function start(hasWords = () => true) {
  const asked: Asked[] = [];
  const told: string[] = [];
  const preview = new Preview<{ name: string }>({
    render(full, signal) {
      if (!hasWords()) return null;
      return new Promise((answer, refuse) => {
        signal.addEventListener('abort', () => refuse(new AppError('cancelled', 'given up')));
        asked.push({ full, signal, answer, refuse });
      });
    },
    fullMilliseconds: 500,
    onBegin: () => told.push('begin'),
    onShown: () => told.push('shown'),
    onRest: () => told.push('rest'),
  });
  const soon = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
  return { preview, asked, told, soon };
}

it('the first change asks at once, and of those that follow only the last one, when it is quiet', async () => {
  const { preview, asked, soon } = start();
  await soon(1000);
  preview.soon();
  expect(asked).toHaveLength(1);
  preview.soon();
  preview.soon();
  expect(asked[0]!.signal.aborted).toBe(true);
  await soon(119);
  expect(asked).toHaveLength(1);
  await soon(1);
  expect(asked).toHaveLength(2);
});

it('words that are being typed wait for a pause', async () => {
  const { preview, asked, soon } = start();
  await soon(1000);
  preview.soon(true);
  expect(asked).toHaveLength(0);
  await soon(120);
  expect(asked).toHaveLength(1);
});

it('the full result follows in the place of the quick one, and then the engine is free', async () => {
  const { preview, asked, told, soon } = start();
  preview.now();
  expect(preview.isWorking).toBe(true);
  asked[0]!.answer({ name: 'quick' });
  await soon(0);
  expect(preview.shown).toEqual({ name: 'quick', full: false });
  expect(preview.isWorking).toBe(false);
  expect(told).toEqual(['begin', 'shown']);
  await soon(500);
  expect(asked[1]!.full).toBe(true);
  asked[1]!.answer({ name: 'full' });
  await soon(0);
  expect(preview.shown).toEqual({ name: 'full', full: true });
  expect(told).toEqual(['begin', 'shown', 'begin', 'shown', 'rest']);
});

it('an answer that comes too late is not shown', async () => {
  const { preview, asked, soon } = start();
  preview.now();
  preview.now();
  asked[1]!.answer({ name: 'new' });
  asked[0]!.answer({ name: 'old' });
  await soon(0);
  expect(preview.shown?.name).toBe('new');
});

it('an error is said until a preview works again; being given up is none', async () => {
  const { preview, asked, told, soon } = start();
  preview.now();
  asked[0]!.refuse(new AppError('invalid-input', 'too many words'));
  await soon(0);
  expect(preview.error).toMatchObject({ code: 'invalid-input', message: 'too many words' });
  expect(told).toEqual(['begin', 'rest']);
  preview.now();
  preview.stop();
  await soon(0);
  expect(preview.error?.code).toBe('invalid-input');
  preview.now();
  asked[2]!.answer({ name: 'there' });
  await soon(0);
  expect(preview.error).toBeNull();
});

it('stopping keeps what is shown, clearing does not, and after neither comes the full result', async () => {
  const { preview, asked, soon } = start();
  preview.now();
  asked[0]!.answer({ name: 'quick' });
  await soon(0);
  preview.stop();
  expect(preview.shown?.name).toBe('quick');
  await soon(1000);
  preview.clear();
  await soon(1000);
  expect(preview.shown).toBeNull();
  expect(asked).toHaveLength(1);
});

it('nothing is asked for where there is nothing to render', async () => {
  const { preview, asked, told, soon } = start(() => false);
  preview.now();
  await soon(1000);
  expect([asked.length, told.length, preview.isWorking]).toEqual([0, 0, false]);
});
