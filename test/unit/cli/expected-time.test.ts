import { expect, it } from 'vitest';
import { tellEditTime, tellLearningTime } from '../../../main/cli/expected-time.ts';
import { createFakeEngine } from '../../fixtures/fake-engine.ts';
import { makeClip, makeConcept, makeEdit } from '../../fixtures/library.ts';

/** What is said before a job begins, of a library with these items; the device's rate is told when it is measured. */
async function start({ seconds = null as number | null, gflops = 1e-3, timed = false } = {}) {
  const [clip, concept] = [makeClip('ballroom'), makeConcept('waltz', ['ballroom'])];
  if (timed) concept.metrics.timing = { prepare: 10, identity: 1, motion: 1, measure: 5, machine: 'here' };
  const model = await createFakeEngine().describeModel({ model: '/' });
  const notes: string[] = [];
  const measured: boolean[] = [];
  const answers = {
    'models.get': () => model,
    'models.list': () => [{ directory: '/', embedded: true, info: model, error: null }],
    'program.about': () => ({ totalMemoryBytes: 8e9 }),
    'concepts.list': () => [concept],
    'concepts.get': () => concept,
    'clips.get': () => clip,
    'edits.list': () => (seconds === null ? [] : [makeEdit('edit', 'waltz', { seconds })]),
    'device.report': ({ measure }: { measure: boolean }) => {
      measured.push(measure);
      return { machine: 'here', matMulGflops: measure ? gflops : null, memoryBytes: null };
    },
  };
  const call = Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [name, async (x: never) => answer(x)]),
  );
  const context = { output: { note: (text: string) => notes.push(text) } } as never;
  return { notes, measured, context, services: { call } as never };
}

const edit = { conceptId: 'waltz', settings: { prompt: 'in snow' } };

it('measures the device only where nothing else tells how long a learning will take', async () => {
  const fresh = await start();
  await tellLearningTime(fresh.context, fresh.services, {});
  expect(fresh.notes).toEqual([expect.stringMatching(/^This will take about [\d:]+( s)?, a rough guess\.$/)]);
  expect(fresh.measured).toEqual([false, true]);
  const known = await start({ timed: true });
  await tellLearningTime(known.context, known.services, {});
  expect(known.notes).toEqual(['This will take about 15:15, going by how fast waltz was learned.']);
  expect(known.measured).toEqual([false]);
});

it('says of an edit how long it will take, by the last one, and nothing of a short one', async () => {
  const long = await start({ seconds: 75 });
  await tellEditTime(long.context, long.services, edit);
  expect([long.notes, long.measured]).toEqual([['This will take about 1:15.'], [false]]);
  for (const short of [await start({ seconds: 4 }), await start({ gflops: 1e3 })]) {
    await tellEditTime(short.context, short.services, edit);
    expect(short.notes).toEqual([]);
  }
});
