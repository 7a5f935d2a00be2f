import { toErrorShape } from '../../shared/ipc/result.ts';
import type { CommandContext } from './context.ts';

/**
 * Does the same with each of several: one that fails is told by its name and does not keep the others out; Ctrl-C does. Of a single one
 * the error is the command's own. Answers which have failed.
 */
export async function oneByOne<T>(
  context: CommandContext,
  items: readonly T[],
  nameOf: (item: T) => string,
  work: (item: T) => Promise<void>,
  detailsOf: (item: T) => Record<string, unknown> = () => ({}),
): Promise<T[]> {
  const failed: T[] = [];
  for (const item of items) {
    try {
      await work(item);
    } catch (thrown) {
      const error = toErrorShape(thrown);
      if (items.length === 1 || context.signal.aborted || error.code === 'cancelled') throw thrown;
      failed.push(item);
      const details = { ...error.details, ...detailsOf(item) };
      context.output.error({ ...error, message: `${nameOf(item)}: ${error.message}`, details });
    }
  }
  if (failed.length > 0) context.fail();
  return failed;
}
