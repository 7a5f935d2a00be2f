import type { Program } from '../../main/engine/backends/lazy/executors/executor.ts';
import { lazyBackend } from '../../main/engine/backends/lazy/use.ts';

/**
 * Counts the milliseconds spent inside compiled programs from now on: what remains of a step is recording, replaying and binding in
 * JavaScript. undefined for a backend that compiles nothing.
 */
export function countCompiledTime(): { milliseconds: number } | undefined {
  const executor = lazyBackend()?.executor;
  if (!executor) return undefined;
  const count = { milliseconds: 0 };
  const compile = executor.compile;
  executor.compile = (...given) => {
    const program = compile.apply(executor, given);
    const counted: Program = {
      run(inputs) {
        const started = performance.now();
        const end = <T>(results: T): T => {
          count.milliseconds += performance.now() - started;
          return results;
        };
        const results = program.run(inputs);
        return results instanceof Promise ? results.then(end) : end(results);
      },
      dispose: () => program.dispose(),
    };
    return counted;
  };
  return count;
}
