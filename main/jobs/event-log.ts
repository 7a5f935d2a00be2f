import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type EngineEvent, engineEvent, type LossPoint } from '../../shared/domain/engine.ts';

/** What a learning told so far, one JSON line per event, so that its curve and samples survive a reload or a kill. */
export function appendEvent(file: string, event: EngineEvent): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(event)}\n`);
}

/**
 * The events in order. A run that was resumed tells again what it did after its last checkpoint: the later telling of the same step
 * counts. A last line cut off by a kill is left out.
 */
export function readEvents(file: string): EngineEvent[] {
  if (!existsSync(file)) return [];
  const events = new Map<string, EngineEvent>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const event = parseLine(line);
    if (event === null) continue;
    const key = keyOf(event);
    events.delete(key);
    events.set(key, event);
  }
  return [...events.values()];
}

/** Loss points of several tellings, in order of stage and step; later tellings win. */
export function mergeLosses(...tellings: LossPoint[][]): LossPoint[] {
  const points = new Map(tellings.flat().map((point) => [`${point.stage} ${point.step}`, point]));
  return [...points.values()].sort((a, b) => a.stage.localeCompare(b.stage) || a.step - b.step);
}

function parseLine(line: string): EngineEvent | null {
  try {
    const parsed = engineEvent.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null; // the empty end of the file, or a line that a kill cut off
  }
}

function keyOf(event: EngineEvent): string {
  switch (event.type) {
    case 'progress':
      return 'progress';
    case 'loss':
      return `loss ${event.point.stage} ${event.point.step}`;
    case 'remark':
      return `remark ${event.text}`;
    case 'sample':
    case 'checkpoint':
      return `${event.type} ${event.stage} ${event.step}`;
    default:
      return event satisfies never;
  }
}
