import { existsSync, readdirSync, readFileSync } from 'node:fs';

export interface ResidentPeak {
  /** This process and every program that it started, at one moment; pages that they share are counted for each. Null where the system does not tell. */
  allBytes: number | null;
  /** This process alone. */
  ownBytes: number;
}

const everyMilliseconds = 50;

/** Watches the resident memory from now on; `end` answers the largest that was seen. */
export function watchResidentMemory(): { end(): ResidentPeak } {
  const peak: ResidentPeak = { allBytes: null, ownBytes: 0 };
  const look = () => {
    peak.ownBytes = Math.max(peak.ownBytes, process.memoryUsage.rss());
    const children = childrenOf(process.pid);
    if (children === null) return;
    const all = process.memoryUsage.rss() + children.map(residentBytes).reduce((sum, bytes) => sum + bytes, 0);
    peak.allBytes = Math.max(peak.allBytes ?? 0, all);
  };
  look();
  // It watches as long as something is measured, and keeps no program from ending.
  const timer = setInterval(look, everyMilliseconds).unref();
  return {
    end() {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}

/** All descendants of a process, by Linux' own list; null on other systems. */
function childrenOf(pid: number): number[] | null {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return null;
  const own = readdirSync(tasks).flatMap((task) => read(`${tasks}/${task}/children`).split(' ').filter(Boolean));
  return own.map(Number).flatMap((child) => [child, ...(childrenOf(child) ?? [])]);
}

function residentBytes(pid: number): number {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** Of a process that may end at any moment. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
