import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWorkplace, hashOf, type Line, quickRecipe, type Workplace } from './command.ts';

let place: Workplace;
let file: string;
beforeAll(async () => {
  place = await createWorkplace('small');
  file = await place.makeClip();
}, 60_000);
afterAll(() => place.close());

const isStep = (stage: string, step: number) => (line: Line) =>
  line.type === 'loss' && line.point.stage === stage && line.point.step >= step;

async function weightsOf(reference: string): Promise<string> {
  const output = join(place.folder, `${reference}.safetensors`);
  await place.answer('file', ['export', reference, '--lora', 'kohya', '-o', output]);
  return hashOf(output);
}

test('killed in each stage and resumed, learning ends in the same weights as without', async () => {
  await place.answer('concept', ['learn', file, ...quickRecipe(4), '--name', 'whole']);

  const killAt = (stage: string) => (line: Line, child: { kill(signal: 'SIGKILL'): void }) => {
    if (isStep(stage, 3)(line)) child.kill('SIGKILL');
  };
  const words = ['learn', file, ...quickRecipe(4), '--name', 'pieces', '--json'];
  const first = await place.motif(words, killAt('identity'));
  expect(first.code).toBe(null);
  const { id } = first.lines.findLast((line) => line.type === 'job')!;
  const interrupted = (await place.answer('jobs', ['jobs'])).jobs.find((job: Line) => job.id === id);
  expect(interrupted.state).toBe('interrupted');

  const second = await place.motif(['jobs', 'resume', id, '--json'], killAt('motion'));
  expect(second.code).toBe(null);
  // It went on from a checkpoint, not from the beginning.
  expect(
    second.lines.some((line) => line.type === 'loss' && line.point.stage === 'identity' && line.point.step < 2),
  ).toBe(false);

  await place.answer('job', ['jobs', 'resume', id]);
  expect(await weightsOf('pieces')).toBe(await weightsOf('whole'));
}, 600_000);

test('Ctrl-C stops after the step at hand with 130 and says how to go on; the job waits', async () => {
  const words = ['learn', file, ...quickRecipe(4), '--steps-identity', '500', '--name', 'long', '--json'];
  let interrupted = false;
  const { code, lines } = await place.motif(words, (line, child) => {
    if (interrupted || !isStep('identity', 2)(line)) return;
    interrupted = true; // a second Ctrl-C would end it at once
    child.kill('SIGINT');
  });
  expect(code).toBe(130);
  const { id } = lines.findLast((line) => line.type === 'job')!;
  expect(lines.findLast((line) => line.type === 'error')!.error.hint).toContain(`motif jobs resume ${id}`);
  const { jobs } = await place.answer('jobs', ['jobs']);
  expect(jobs.find((job: Line) => job.id === id)).toMatchObject({ state: 'paused' });

  expect((await place.answer('job', ['jobs', 'cancel', id])).job.state).toBe('cancelled');
}, 300_000);
