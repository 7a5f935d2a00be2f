import type { deviceCalls } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { ServiceParts } from './parts.ts';

export function deviceHandlers({ engine }: ServiceParts): Handlers<typeof deviceCalls> {
  return { 'device.report': (options) => engine.device(options) };
}
