import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWorkplace, type Workplace } from './command.ts';

const golden = (name: string) => fileURLToPath(new URL(`../../golden/files/${name}`, import.meta.url));
let work: Workplace;

beforeAll(async () => {
  work = await createWorkplace();
});
afterAll(() => work.close());

test("models are added by pointing at ComfyUI's folder, listed, and removed without their files", async () => {
  const comfy = join(work.folder, 'ComfyUI/models');
  for (const [folder, ...names] of [
    ['diffusion_models', 'wan_fp8_scaled.safetensors', 'wan_q8_0.gguf'],
    ['vae', 'wan_2.1_vae.safetensors'],
    ['text_encoders', 'umt5_fp16.safetensors'],
  ] as const) {
    mkdirSync(join(comfy, folder), { recursive: true });
    for (const name of names) copyFileSync(golden(name), join(comfy, folder, name));
  }
  writeFileSync(join(comfy, 'diffusion_models/config.json'), '{"num_heads": 1}');
  writeFileSync(join(comfy, 'diffusion_models/flux.safetensors'), 'something else');

  const added = await work.motif(['models', 'add', join(work.folder, 'ComfyUI')]);
  expect(added).toMatchObject({ code: 0 });
  expect(added.out).toMatch(/wan_fp8_scaled .*\n.*wan_q8_0 .*\nLeft out: .*flux\.safetensors: /);

  const listed = await work.motif(['--json', 'models', 'list']);
  const { models } = listed.lines.find(({ type }) => type === 'models')!;
  const names = models.map(({ info }: { info: { name: string } | null }) => info?.name);
  expect(names).toEqual(expect.arrayContaining(['wan_fp8_scaled', 'wan_q8_0']));

  const removed = await work.motif(['models', 'remove', 'wan_q8_0']);
  expect(removed.code).toBe(0);
  expect(readdirSync(join(work.home, 'models'))).toEqual(['wan_fp8_scaled']);
  expect(existsSync(join(comfy, 'diffusion_models/wan_q8_0.gguf'))).toBe(true);

  const pickled = join(work.folder, 'trap.pth');
  writeFileSync(pickled, 'no archive');
  expect(await work.motif(['models', 'add', pickled])).toMatchObject({
    code: 1,
    err: expect.stringContaining('torch.save'),
  });
}, 120_000);
