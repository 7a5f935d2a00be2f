import type { DeviceBuffer, Inspect, Node, Value } from './graph.ts';
import { sizeOf } from './graph.ts';
import { describeSegment, type Segment } from './segment.ts';

/** How to compute some values: segments in order, over a table of buffers. */
export interface Plan {
  readonly stages: readonly Stage[];
  readonly wanted: readonly Value[];
  /** Values that exist before the run, and their places in the table. */
  readonly sources: readonly { value: Value; slot: number }[];
  /** Where each wanted value lies after the run. */
  readonly results: readonly number[];
  readonly slots: number;
}

interface Stage {
  readonly segment: Segment;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Buffers of the plan's own that nothing needs after this stage. */
  readonly last: readonly number[];
}

/** Plans the computation of values that are pending. */
export function planFor(wanted: readonly Value[], inspect?: Inspect): Plan {
  const nodes = ancestors(wanted);
  inspect?.(nodes, wanted);
  const stages = splitIntoSegments(nodes, wanted);
  const slots = new Map<Value, number>();
  const sources: { value: Value; slot: number }[] = [];
  const slotOf = (value: Value) => {
    let slot = slots.get(value);
    if (slot === undefined) {
      slot = slots.size;
      slots.set(value, slot);
      if (!value.node) sources.push({ value, slot });
    }
    return slot;
  };
  const placed = stages.map((segment) => ({
    segment,
    inputs: segment.inputs.map(slotOf),
    outputs: segment.outputs.map(slotOf),
  }));
  const results = wanted.map(slotOf);
  return {
    stages: withLastUses(placed, new Set([...results, ...sources.map(({ slot }) => slot)])),
    wanted,
    sources,
    results,
    slots: slots.size,
  };
}

/** Every unfinished node that the values need, in order of computation. */
function ancestors(wanted: readonly Value[]): Node[] {
  const found = new Set<Node>();
  const waiting = wanted.flatMap(({ node }) => node ?? []);
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const input of node.inputs) if (input?.node && !found.has(input.node)) waiting.push(input.node);
  }
  return [...found].sort((a, b) => a.sequence - b.sequence);
}

/**
 * Views and broadcasts are worth less than the memory that carries their result from one segment to another:
 * each segment that uses one makes its own. So do transposes, most of which a product takes in its stride;
 * and ONNX Runtime 1.30, which moves transposes through products, can leave one that is also an output of the
 * graph unwritten. And frozen weights in fewer bits, which would take all their memory if they were handed on.
 */
function isCheap({ op, inputs, outputs }: Node): boolean {
  return (
    outputs[0]!.expanded === true ||
    op === 'Reshape' ||
    op === 'Transpose' ||
    (op === 'Expand' && sizeOf(inputs[0]!.shape) < sizeOf(outputs[0]!.shape))
  );
}

/**
 * Above this many nodes a graph is compiled in segments. Below it the whole is faster (measured 10 to 15 % on
 * a training step of 6 layers, about 2,500 nodes, in ONNX Runtime; 30 % on stage I of the embedded model,
 * 4,000, and with self-conditioning 6,800, in OpenVINO).
 */
const deepLimit = 8000;

function splitIntoSegments(nodes: readonly Node[], wanted: readonly Value[]): Segment[] {
  const deep = nodes.length > deepLimit;
  const groups = new Map<number, Node[]>();
  for (const node of nodes) {
    const key = deep ? node.segment : node.section;
    const group = groups.get(key);
    if (group) group.push(node);
    else groups.set(key, [node]);
  }
  const members = [...groups.values()].map((own) => withCheapAncestors(own));
  // A value leaves its segment when it is wanted or another segment uses it.
  const leaving = new Set(wanted);
  for (const group of members) {
    const inside = new Set(group);
    for (const node of group)
      for (const input of node.inputs) if (input?.node && !inside.has(input.node)) leaving.add(input);
  }
  const segments: Segment[] = [];
  for (const [index, own] of [...groups.values()].entries()) {
    const outputs = own.flatMap((node) => node.outputs.filter((output) => leaving.has(output)));
    if (outputs.length > 0) segments.push(describeSegment(needed(members[index]!, outputs), outputs));
  }
  return segments;
}

function withCheapAncestors(own: readonly Node[]): Node[] {
  const all = new Set(own);
  const waiting = [...own];
  for (let node = waiting.pop(); node; node = waiting.pop())
    for (const input of node.inputs)
      if (input?.node && !all.has(input.node) && isCheap(input.node)) {
        all.add(input.node);
        waiting.push(input.node);
      }
  return [...all].sort((a, b) => a.sequence - b.sequence);
}

/** Without nodes that only other segments use: an executor would run them. */
function needed(nodes: readonly Node[], outputs: readonly Value[]): Node[] {
  const used = new Set<Value>(outputs);
  const kept: Node[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => used.has(output))) continue;
    kept.push(node);
    for (const input of node.inputs) if (input) used.add(input);
  }
  return kept.reverse();
}

function withLastUses(stages: readonly Omit<Stage, 'last'>[], lasting: ReadonlySet<number>): Stage[] {
  const used = new Set(lasting);
  return stages
    .toReversed()
    .map((stage) => {
      const last: number[] = [];
      for (const slot of [...stage.inputs, ...stage.outputs])
        if (!used.has(slot)) {
          used.add(slot);
          last.push(slot);
        }
      return { ...stage, last };
    })
    .reverse();
}

/** What running a plan needs. */
export interface PlanRunner {
  program(segment: Segment): { run(inputs: readonly DeviceBuffer[]): DeviceBuffer[] | Promise<DeviceBuffer[]> };
  /** The contents of values that are brought for one program. */
  bring(values: readonly Value[]): Promise<DeviceBuffer[]>;
  release(buffer: DeviceBuffer): void;
  /** Memory that is only kept for later. */
  keptBytes(): number;
  /** Gives it back. */
  trim(): void;
  /** Looked at before every segment. */
  signal?: AbortSignal;
}

/**
 * Runs a plan over the buffers of its sources, none for those that are streamed, and returns those of its results. A generator, so that one loop
 * serves synchronous and asynchronous callers: it yields after every segment, with the promise of the results
 * where an executor is asynchronous.
 */
export function* runPlan(
  plan: Plan,
  sources: readonly (DeviceBuffer | undefined)[],
  runner: PlanRunner,
): Generator<Promise<DeviceBuffer[]> | undefined, DeviceBuffer[], DeviceBuffer[] | undefined> {
  const table = new Array<DeviceBuffer | undefined>(plan.slots);
  const own = new Set<DeviceBuffer>();
  const streamed = new Map<number, Value>();
  for (const [index, { value, slot }] of plan.sources.entries()) {
    table[slot] = sources[index];
    if (value.streamed) streamed.set(slot, value);
  }
  try {
    for (const { segment, inputs, outputs, last } of plan.stages) {
      runner.signal?.throwIfAborted();
      const missing = [...new Set(inputs)].filter((slot) => streamed.has(slot));
      if (missing.length > 0) {
        const brought = (yield runner.bring(missing.map((slot) => streamed.get(slot)!)))!;
        for (const [index, buffer] of brought.entries()) {
          table[missing[index]!] = buffer;
          own.add(buffer);
        }
      }
      const attempt = function* (): ReturnType<typeof runPlan> {
        const running = runner.program(segment).run(inputs.map((slot) => table[slot]!));
        return running instanceof Promise ? (yield running)! : running;
      };
      const kept = runner.keptBytes();
      let produced: DeviceBuffer[];
      try {
        produced = yield* attempt();
      } catch (error) {
        // What was kept for later may be what was missing.
        if (kept === 0) throw error;
        runner.trim();
        produced = yield* attempt();
      }
      for (const [index, buffer] of produced.entries()) {
        table[outputs[index]!] = buffer;
        own.add(buffer);
      }
      for (const slot of [...last, ...missing]) {
        const buffer = table[slot]!;
        own.delete(buffer);
        runner.release(buffer);
        table[slot] = undefined;
      }
      yield undefined;
    }
  } catch (error) {
    for (const buffer of own) runner.release(buffer);
    throw error;
  }
  return plan.results.map((slot) => table[slot]!);
}
