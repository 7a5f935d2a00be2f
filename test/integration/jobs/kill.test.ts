import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { makeTempFolder } from '../../fixtures/library.ts';
import { addClips, openTestServices } from '../../fixtures/services.ts';

it('a program killed in the middle of learning leaves no engine behind, an interrupted job, and its checkpoint', async () => {
  const folder = makeTempFolder('kill');
  addClips(folder, 'river');
  const program = spawn(process.execPath, [join(import.meta.dirname, '../../fixtures/run-learn.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => program.once('exit', resolve));
  let enginePid = 0;
  for await (const line of createInterface({ input: program.stdout })) {
    const told = JSON.parse(line) as { done: number; enginePid?: number };
    enginePid = told.enginePid ?? 0;
    if (told.done < 10) continue;
    program.kill('SIGKILL');
    break;
  }
  await ended;
  await expect.poll(() => isAlive(enginePid)).toBe(false);

  const services = await openTestServices(folder, { access: 'write' });
  try {
    const [job] = services.queue.list();
    expect(job).toMatchObject({ state: 'interrupted', checkpoint: `jobs/${job!.id}` });
    expect(services.queue.events(job!.id).filter(({ type }) => type === 'loss').length).toBeGreaterThanOrEqual(8);
    expect(await services.call['concepts.list']()).toEqual([]);
    const again = services.queue.run(job!.id);
    await expect.poll(() => services.queue.get(job!.id).progress?.done ?? 0).toBeGreaterThan(10);
    services.queue.control(job!.id, 'cancel');
    expect((await again).state).toBe('cancelled');
  } finally {
    await services.close();
    rmSync(folder, { recursive: true });
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
