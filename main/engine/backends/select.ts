import { createCpuExecutor } from './lazy/executors/onnxruntime/cpu.ts';
import { useLazyBackend } from './lazy/use.ts';

export async function selectBackend(_: { device: string }): Promise<void> {
  await useLazyBackend(createCpuExecutor());
}
