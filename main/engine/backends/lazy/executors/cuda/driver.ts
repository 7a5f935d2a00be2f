import { createRequire } from 'node:module';
import type { KoffiFunc, LibraryHandle, TypeObject } from 'koffi';
import { driverFile } from './nvidia.ts';

/** Of a graphics processor, in bytes; what other programs use of it is not free. */
export interface CardMemory {
  free: number;
  total: number;
}

/** koffi unloads a library that nothing holds. */
const loaded = new Map<string, { library: LibraryHandle; read: (ordinal: number) => CardMemory }>();

/**
 * The memory of one of the cards that CUDA_VISIBLE_DEVICES leaves, as NVIDIA's driver tells it (cuMemGetInfo of its C interface, cuda.h).
 * The driver and not CUDA's runtime, which is a library of its own on Linux alone. Asked in the context that the runtime computes in, so
 * that none is made beside it. Throws where the driver is missing or fails.
 */
export function cardMemory(ordinal: number, path = driverFile): CardMemory {
  const known = loaded.get(path) ?? open(path);
  loaded.set(path, known);
  return known.read(ordinal);
}

function open(path: string) {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const library = koffi.load(path);
  const pointer = koffi.pointer(koffi.opaque());
  const out = (type: TypeObject | string) => koffi.out(koffi.pointer(type as never));
  const calling = (name: string, ...parameters: (TypeObject | ReturnType<typeof out> | string)[]) => {
    const call = library.func(name, 'int', parameters as never) as KoffiFunc<(...given: unknown[]) => number>;
    return (...given: unknown[]) => {
      const status = call(...given);
      if (status !== 0) throw new Error(`NVIDIA's driver fails in ${name} (${status})`);
    };
  };
  const begin = calling('cuInit', 'unsigned int');
  const getDevice = calling('cuDeviceGet', out('int'), 'int');
  const retainContext = calling('cuDevicePrimaryCtxRetain', out(pointer), 'int');
  const releaseContext = calling('cuDevicePrimaryCtxRelease_v2', 'int');
  const enter = calling('cuCtxPushCurrent_v2', pointer);
  const leave = calling('cuCtxPopCurrent_v2', out(pointer));
  const getMemory = calling('cuMemGetInfo_v2', out('size_t'), out('size_t'));

  const read = (ordinal: number): CardMemory => {
    const answer = (): [unknown] => [null];
    const [device, context, left, free, total] = [answer(), answer(), answer(), answer(), answer()];
    begin(0);
    getDevice(device, ordinal);
    retainContext(context, device[0]);
    try {
      enter(context[0]);
      try {
        getMemory(free, total);
      } finally {
        leave(left);
      }
    } finally {
      releaseContext(device[0]);
    }
    return { free: Number(free[0]), total: Number(total[0]) };
  };
  return { library, read };
}
