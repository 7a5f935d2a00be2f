import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';

/** Where the numbers about memory come from: the machine, or a test. */
export interface MemoryProbe {
  platform: NodeJS.Platform;
  totalBytes(): number;
  /** Unused on the whole machine, whatever this process may take of it. */
  freeBytes(): number;
  /** What a container allows; 0, or more than there is, without a limit. */
  limitBytes(): number;
  /** What of that the system says is left. */
  availableBytes(): number;
  /** A file in which the system tells more. Throws where there is none. */
  read(path: string): string;
}

const machine: MemoryProbe = {
  platform: process.platform,
  totalBytes: totalmem,
  freeBytes: freemem,
  limitBytes: () => process.constrainedMemory(),
  availableBytes: () => process.availableMemory(),
  read: (path) => readFileSync(path, 'utf8'),
};

/** Memory that can be taken without swapping, in bytes. */
export function freeMemory(probe: MemoryProbe = machine): number {
  const total = probe.totalBytes();
  const limit = probe.limitBytes();
  const available = Math.min(probe.availableBytes(), total);
  // Linux counts copies of files as available where there is no limit, but within a container's limit as used.
  if (probe.platform === 'linux' && limit > 0 && limit < total)
    return Math.min(available + fileCopies(probe), limit, probe.freeBytes());
  // macOS gives up copies of files and compresses the rest, yet calls free only what nothing has ever used.
  if (probe.platform === 'darwin') return Math.max(available, total / 2);
  return available;
}

/** Memory that this process may take altogether, with what it has now, in bytes; never more than a limit. */
export function processMemory(limitBytes = Number.POSITIVE_INFINITY): number {
  return Math.min(limitBytes, freeMemory() + process.memoryUsage.rss());
}

/** Bytes of a container's memory that hold copies of files not in use. */
function fileCopies({ read }: MemoryProbe): number {
  try {
    for (const line of read('/proc/self/cgroup').split('\n')) {
      const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (controllers === undefined || !(controllers === '' || controllers.split(',').includes('memory'))) continue;
      const root = controllers === '' ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory';
      // Inside a container its own group lies at the root, whatever it is called outside.
      for (const folder of [`${root}${path}`, root]) {
        const bytes = inactiveFiles(read, `${folder}/memory.stat`);
        if (bytes !== undefined) return bytes;
      }
    }
  } catch {
    // Hidden by a sandbox.
  }
  return 0;
}

function inactiveFiles(read: MemoryProbe['read'], file: string): number | undefined {
  try {
    const counts = new Map(
      read(file)
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    );
    const count = counts.get('total_inactive_file') ?? counts.get('inactive_file'); // the first with groups inside this one
    return count === undefined ? undefined : Number(count);
  } catch {
    return undefined;
  }
}
