import { appContract } from '../../shared/ipc/app-contract.ts';
import { type Port, serve } from '../../shared/ipc/rpc.ts';
import type { ServiceEvents, Services } from '../services/services.ts';
import { clipHandlers } from './clips.ts';
import { conceptHandlers } from './concepts.ts';
import { editHandlers } from './edits.ts';
import { jobHandlers } from './jobs.ts';
import { libraryHandlers } from './library.ts';
import { lookHandlers } from './looks.ts';
import { machineHandlers } from './machine.ts';
import { mediaHandlers } from './media.ts';

/** Serves everything to one window until it goes away; several windows may be served at once. */
export function serveApp(services: Services, port: Port): void {
  const server = serve(appContract, port, {
    ...libraryHandlers(services),
    ...clipHandlers(services),
    ...conceptHandlers(services),
    ...editHandlers(services),
    ...lookHandlers(services),
    ...jobHandlers(services),
    ...machineHandlers(services),
    ...mediaHandlers(services),
  });
  const forward = <E extends keyof ServiceEvents>(event: E) =>
    services.on(event, (payload) => server.emit(event, payload as never));
  const stops = (Object.keys(appContract.events) as (keyof ServiceEvents)[]).map(forward);
  port.onClose(() => {
    for (const stop of stops) stop();
  });
}
