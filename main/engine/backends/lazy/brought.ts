import type { Executor } from './executors/executor.ts';
import type { DeviceBuffer, Value } from './graph.ts';

/** Buffers of streamed values, each there for one program. */
export class Brought {
  private readonly executor: Executor;
  private readonly done = new Map<DeviceBuffer, () => void>();

  constructor(executor: Executor) {
    this.executor = executor;
  }

  /** The contents of streamed values, read one after the other. The caller gives each to `release`. */
  async bring(values: readonly Value[]): Promise<DeviceBuffer[]> {
    const made: DeviceBuffer[] = [];
    try {
      for (const value of values) {
        const streamed = value.streamed!;
        const contents = await streamed.read();
        const buffer = this.executor.upload(contents, value);
        this.done.set(buffer, () => streamed.done(contents));
        made.push(buffer);
      }
      return made;
    } catch (error) {
      for (const buffer of made) this.release(buffer);
      throw error;
    }
  }

  /** Ends the use of a buffer, a streamed value's or any other. */
  release(buffer: DeviceBuffer): void {
    this.executor.release(buffer);
    this.done.get(buffer)?.();
    this.done.delete(buffer);
  }
}
