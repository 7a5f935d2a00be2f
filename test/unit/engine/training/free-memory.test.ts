import { totalmem } from 'node:os';
import { expect, it } from 'vitest';
import { activationsOf, transformerConfigSchema } from '../../../../main/engine/models/wan/transformer-config.ts';
import { freeMemory, type MemoryProbe } from '../../../../main/engine/training/free-memory.ts';
import { needsRecomputation } from '../../../../main/engine/training/learnable-model.ts';

const gigabyte = 1e9;

function probe(told: Partial<MemoryProbe>, files: Record<string, string> = {}): MemoryProbe {
  return {
    platform: 'linux',
    totalBytes: () => 32 * gigabyte,
    freeBytes: () => 20 * gigabyte,
    limitBytes: () => 2 ** 64,
    availableBytes: () => 20 * gigabyte,
    read(path) {
      const text = files[path];
      if (text === undefined) throw new Error(`ENOENT: ${path}`);
      return text;
    },
    ...told,
  };
}

it('is what this machine has left, and not more than it has', () => {
  expect(freeMemory()).toBeGreaterThan(10e6);
  expect(freeMemory()).toBeLessThanOrEqual(totalmem());
});

it('is what the system calls available where there is no limit', () => {
  for (const limit of [0, 2 ** 63, 2 ** 64]) expect(freeMemory(probe({ limitBytes: () => limit }))).toBe(20 * gigabyte);
  expect(freeMemory(probe({ platform: 'win32' }))).toBe(20 * gigabyte);
});

it('counts copies of files in a container as free, since the system gives them up', () => {
  const limited = { limitBytes: () => 8 * gigabyte, availableBytes: () => 2 * gigabyte };
  const v2 = 'anon 1000000000\nfile 5000000000\ninactive_file 3000000000\nactive_file 2000000000\n';
  const v1 = 'inactive_file 1000\ntotal_inactive_file 3000000000\n';
  const free = (files: Record<string, string>, told = {}) => freeMemory(probe({ ...limited, ...told }, files));
  expect(free({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.stat': v2 })).toBe(5 * gigabyte);
  expect(free({ '/proc/self/cgroup': '0::/user/app\n', '/sys/fs/cgroup/user/app/memory.stat': v2 })).toBe(5 * gigabyte);
  expect(
    free({ '/proc/self/cgroup': '9:cpu:/x\n4:memory:/x\n0::/\n', '/sys/fs/cgroup/memory/x/memory.stat': v1 }),
  ).toBe(5 * gigabyte);
  // The group's name outside the container leads nowhere inside it.
  expect(free({ '/proc/self/cgroup': '4:memory:/docker/1f\n', '/sys/fs/cgroup/memory/memory.stat': v1 })).toBe(
    5 * gigabyte,
  );
  expect(free({})).toBe(2 * gigabyte);
  expect(free({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.stat': 'damaged' })).toBe(2 * gigabyte);
  // A machine that is fuller than the container.
  expect(
    free({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.stat': v2 }, { freeBytes: () => 4 * gigabyte }),
  ).toBe(4 * gigabyte);
});

it('is at least half of a Mac, which counts as free only what nothing has ever used', () => {
  const mac = { platform: 'darwin', limitBytes: () => 0 } as const;
  expect(freeMemory(probe({ ...mac, availableBytes: () => 0.1 * gigabyte }))).toBe(16 * gigabyte);
  expect(freeMemory(probe({ ...mac, availableBytes: () => 25 * gigabyte }))).toBe(25 * gigabyte);
});

it('decides whether a step computes its blocks again', () => {
  const config = transformerConfigSchema.parse({
    num_layers: 6,
    num_attention_heads: 6,
    attention_head_dim: 64,
    ffn_dim: 1536,
    freq_dim: 256,
    in_channels: 16,
    out_channels: 16,
    text_dim: 384,
  });
  // 4 x 512 tokens of this one need about 0.4 GB.
  const model = { activations: (latents: readonly number[]) => activationsOf(config, latents) };
  const latents = [4, 16, 8, 16, 16];
  expect(needsRecomputation(model, latents, 0.8e9)).toBe(false);
  expect(needsRecomputation(model, latents, 0.3e9)).toBe(true);
});
