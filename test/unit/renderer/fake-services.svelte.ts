import { vi } from 'vitest';
import type { Services } from '../../../renderer/app/connection.svelte.ts';
import { Notices } from '../../../renderer/app/notices.svelte.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { AppError } from '../../../shared/ipc/result.ts';

type Answers = Record<string, (input: never, signal?: AbortSignal) => unknown>;

/** Services that answer as they are told to, and remember what they were asked. */
export function fakeServices(answers: Answers) {
  const asked: { name: string; input: Record<string, unknown> }[] = [];
  const listeners = new Map<string, ((payload: never) => void)[]>();
  const whenOpen: (() => void)[] = [];
  const call = new Proxy({} as Services['call'], {
    get: (_, name: string) => async (input: Record<string, unknown>, options?: { signal?: AbortSignal }) => {
      asked.push({ name, input });
      const answer = answers[name];
      if (!answer) throw new AppError('internal', `nobody answers ${name}`);
      return answer(input as never, options?.signal);
    },
  });
  const notices = new Notices();
  const services: Services = {
    call,
    on: (name, listener) => void listeners.set(name, [...(listeners.get(name) ?? []), listener as never]),
    whenOpen: (listener) => void whenOpen.push(listener),
  };
  return {
    services,
    notices,
    /** What was said to the user, oldest first. */
    told: () => notices.items.map(({ message }) => message),
    open() {
      for (const listener of whenOpen) listener();
    },
    inputsOf: (name: string) => asked.filter((one) => one.name === name).map(({ input }) => input),
    emit(name: string, payload: unknown) {
      for (const listener of listeners.get(name) ?? []) listener(payload as never);
    },
  };
}

/** A queue with the jobs that it is given, which ends them as it is told to. */
export class FakeQueue {
  open = $state.raw<Job[]>([]);
  running = $state.raw<Job[]>([]);
  known = $state.raw<Job[]>([]);
  readonly #listeners: ((job: Job) => void)[] = [];

  whenDone(listener: (job: Job) => void): void {
    this.#listeners.push(listener);
  }

  finished(id: string): Promise<Job> {
    return new Promise((resolve) => this.whenDone((job) => job.id === id && resolve(job)));
  }

  whenLoaded(): void {}

  byId(id: string | null): Job | null {
    return this.known.find((job) => job.id === id) ?? null;
  }

  end(job: Partial<Job>): void {
    this.known = this.known.map((known) => (known.id === job.id ? { ...known, ...job } : known));
    for (const listener of this.#listeners) listener(job as Job);
  }
}

/** An answer that comes when the test says so. */
export function later<T>() {
  let give: (value: T) => void = () => {};
  let fail: (reason: unknown) => void = () => {};
  const answer = new Promise<T>((resolve, reject) => {
    give = resolve;
    fail = reject;
  });
  return { answer, give, fail };
}

/** Lets what was answered reach whoever waits for it. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What a page keeps, and what other pages of the same library tell it. */
export function fakePage() {
  const kept = new Map<string, string>();
  const listeners: ((event: { key: string; newValue: string | null }) => void)[] = [];
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
  vi.stubGlobal('addEventListener', (_: 'storage', listener: (typeof listeners)[number]) => listeners.push(listener));
  return {
    kept,
    elsewhere(key: string, newValue: string) {
      kept.set(key, newValue);
      for (const listener of listeners) listener({ key, newValue });
    },
  };
}
