/**
 * Where the time of a first start goes, by depth: the LoRA step of the reference transformer with 320 tokens.
 *
 *   node test/bench/run.mjs first-start [--device D] [--layers N] [--steps N]
 *
 * Prints one JSON object: milliseconds to record the step, to encode its programs, in their first runs (which wait for their compilation) beyond later ones, and of a later step.
 */
import { parseArgs } from 'node:util';
import type { Program } from '../../main/engine/backends/lazy/executors/executor.ts';
import { lazyBackend } from '../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../main/engine/backends/select.ts';
import type { DeviceName } from '../../shared/domain/engine.ts';
import { referenceStepTask } from './concept-step.ts';

const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'onnxruntime' },
    layers: { type: 'string', default: '8' },
    steps: { type: 'string', default: '10' },
  },
});
await selectBackend({ device: options.device as DeviceName });
const backend = lazyBackend()!;
const { executor, computation } = backend;
const { programs } = computation;
const task = await referenceStepTask({ layers: Number(options.layers), tokens: 320, batch: 1 });

const trace = backend.trace.bind(backend);
const spent = { trace: 0, compileCall: 0, firstRuns: 0 };
backend.trace = async (...given) => {
  const started = performance.now();
  try {
    return await trace(...given);
  } finally {
    spent.trace += performance.now() - started;
  }
};
const compile = executor.compile.bind(executor);
executor.compile = (...given) => {
  const started = performance.now();
  const program = compile(...given);
  spent.compileCall += performance.now() - started;
  let runs = 0;
  const counted: Program = {
    async run(inputs) {
      const started = performance.now();
      const results = await program.run(inputs);
      if (runs++ === 0) spent.firstRuns += performance.now() - started;
      return results;
    },
    dispose: () => program.dispose(),
  };
  return counted;
};
const get = programs.get.bind(programs);
let runs = 0;
programs.get = (segment) => {
  runs++;
  return get(segment);
};

const before = performance.now();
const processorBefore = process.cpuUsage();
await task.work();
const first = performance.now() - before;
const usedFirst = process.cpuUsage(processorBefore);
const programsRun = runs;
const times: number[] = [];
const processorTimes: number[] = [];
for (let index = 0; index < Number(options.steps); index++) {
  const started = performance.now();
  const used = process.cpuUsage();
  await task.work();
  times.push(performance.now() - started);
  const { user, system } = process.cpuUsage(used);
  processorTimes.push((user + system) / 1000);
}
const middle = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
console.log(
  JSON.stringify({
    layers: Number(options.layers),
    device: options.device,
    first: Math.round(first),
    firstProcessor: Math.round((usedFirst.user + usedFirst.system) / 1000),
    trace: Math.round(spent.trace),
    compileCall: Math.round(spent.compileCall),
    firstRuns: Math.round(spent.firstRuns),
    step: Math.round(middle(times)),
    stepProcessor: Math.round(middle(processorTimes)),
    compiled: programs.compiled,
    programsRun,
    peakMB: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
process.exit(0);
