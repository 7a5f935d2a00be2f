import type { DeviceBuffer } from '../graph.ts';

export interface HostBuffer extends DeviceBuffer {
  readonly memory: ArrayBuffer;
  readonly byteOffset: number;
  /** Whether somebody outside may hold a view of it, so that it must not be written to again. */
  shared: boolean;
}

/** At most this much is kept for later; a step of training asks for the same sizes again and again. */
const keptLimit = 512 * 2 ** 20;

/** Array buffers that are used again, so that memory neither grows nor waits for the garbage collector. */
export class BufferPool {
  private readonly kept = new Map<number, HostBuffer[]>();
  private keptBytes = 0;
  private usedBytes = 0;

  take(byteLength: number): HostBuffer {
    const waiting = this.kept.get(byteLength)?.pop();
    if (waiting) this.keptBytes -= byteLength;
    const buffer = waiting ?? { byteLength, memory: new ArrayBuffer(byteLength), byteOffset: 0, shared: false };
    this.usedBytes += byteLength;
    return buffer;
  }

  /** A buffer over somebody else's array. */
  adopt({ buffer, byteOffset, byteLength }: ArrayBufferView): HostBuffer {
    this.usedBytes += byteLength;
    return { byteLength, memory: buffer as ArrayBuffer, byteOffset, shared: true };
  }

  /** From now on somebody outside holds the memory. */
  escape(buffer: HostBuffer): HostBuffer {
    buffer.shared = true;
    return buffer;
  }

  give(buffer: HostBuffer): void {
    this.usedBytes -= buffer.byteLength;
    if (buffer.shared || this.keptBytes + buffer.byteLength > keptLimit) return;
    this.keptBytes += buffer.byteLength;
    const waiting = this.kept.get(buffer.byteLength);
    if (waiting) waiting.push(buffer);
    else this.kept.set(buffer.byteLength, [buffer]);
  }

  memory() {
    return { usedBytes: this.usedBytes, keptBytes: this.keptBytes };
  }

  trim(): void {
    this.kept.clear();
    this.keptBytes = 0;
  }
}
