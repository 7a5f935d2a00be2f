import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { DeviceName } from '../../shared/domain/engine.ts';
import { type AppContract, appContract } from '../../shared/ipc/app-contract.ts';
import type { Engine } from '../../shared/ipc/engine-contract.ts';
import { type Calls, callsTo, type EventName, type Handlers, type Port, serve } from '../../shared/ipc/rpc.ts';
import { studyContract } from '../../shared/ipc/study-calls.ts';
import type { StartEngineProcess } from '../engine-host/child.ts';
import type { Library } from '../library/open.ts';
import { clipHandlers } from './clips.ts';
import { conceptHandlers } from './concepts.ts';
import { deviceHandlers } from './device.ts';
import { diskHandlers } from './disk.ts';
import { editHandlers } from './edits.ts';
import { jobHandlers } from './jobs.ts';
import { libraryHandlers } from './library.ts';
import { lookHandlers } from './looks.ts';
import { mediaHandlers } from './media.ts';
import { modelHandlers } from './models.ts';
import { type AppEvents, openParts, type ServiceParts } from './parts.ts';
import { programHandlers } from './program.ts';
import { settingsHandlers } from './settings.ts';
import { raterHandlers, studyHandlers } from './studies.ts';
import { twinHandlers } from './twins.ts';

/**
 * What a caller writes to start a job: `{ kind: 'learn', clips: [...], recipe: { rank: 8 } }`. Defaults may
 * be left out.
 */
export type JobRequest = z.input<AppContract['calls']['jobs.enqueue']['input']>;

export interface ServicesOptions {
  /**
   * The library's folder; otherwise MOTIF_HOME, otherwise the platform's application-data folder. Created
   * when absent.
   */
  home?: string;
  /** Shown to others while this program holds the write lock, e.g. 'motif learn'. */
  program: string;
  /**
   * 'write' fails with `library-locked` when another program writes; 'read' never asks for the lock;
   * 'any' writes if it can, reads otherwise. Default 'any'.
   */
  access?: 'write' | 'read' | 'any';
  /** Win over the stored settings. */
  device?: DeviceName;
  threads?: number;
  /** Folder with models/ and samples/; found beside the program when left out. */
  resources?: string;
  /**
   * Stops the engine's process after so long without work, so that an idle window holds no model in memory;
   * default: never.
   */
  engineIdleSeconds?: number;
  /** How the engine's process is started; otherwise as a child process of Node. */
  startEngine?: StartEngineProcess;
  /** An engine in this process instead of one in its own. */
  engine?: Engine;
}

/**
 * The calls of the contract, and what only the process that holds them can do: run jobs here, send files,
 * compute.
 */
export interface Services
  extends Pick<ServiceParts, 'queue' | 'engine' | 'media' | 'studies' | 'tools' | 'log' | 'resources'> {
  /** Every call of the contract, answered in this process by the handlers that answer a window. */
  readonly call: Calls<AppContract['calls']>;
  /** Answers a function that stops listening. */
  on<E extends keyof AppEvents>(event: E, listener: (payload: AppEvents[E]) => void): () => void;
  /** Serves everything to one window until it goes away; several windows may be served at once. */
  serve(port: Port): void;
  /** Serves only what the page of a study asks. */
  serveStudy(port: Port): void;
  readonly library: Pick<Library, 'status' | 'absolutePath'>;
  /** Pauses or cancels what runs, stops the engine, gives the write lock back. */
  close(): Promise<void>;
}

export async function openServices(options: ServicesOptions): Promise<Services> {
  const parts = openParts(options);
  const { library, queue, precedence, engine, media, studies, tools, log, resources, emitter } = parts;
  const handlers: Handlers<AppContract['calls']> = {
    ...libraryHandlers(parts),
    ...clipHandlers(parts),
    ...conceptHandlers(parts),
    ...editHandlers(parts),
    ...lookHandlers(parts),
    ...twinHandlers(parts),
    ...jobHandlers(parts),
    ...modelHandlers(parts),
    ...deviceHandlers(parts),
    ...settingsHandlers(parts),
    ...mediaHandlers(parts),
    ...diskHandlers(parts),
    ...programHandlers(parts),
    ...studyHandlers(parts),
    ...raterHandlers(parts),
  };
  return {
    call: callsTo(appContract.calls, handlers),
    on: (event, listener) => emitter.on(event, listener),
    serve(port) {
      const server = serve(appContract, port, handlers);
      const events = Object.keys(appContract.events) as EventName<AppContract>[];
      const stops = events.map((event) => emitter.on(event, (payload) => server.emit(event, payload)));
      port.onClose(() => {
        for (const stop of stops) stop();
      });
    },
    serveStudy: (port) => void serve(studyContract, port, raterHandlers(parts)),
    ...{ library, queue, engine, media, studies, tools, log, resources },
    async close() {
      const stopped = queue.close();
      // What made way begins again at the next start, and not now.
      precedence.end();
      // A call that does not end soon is cut off with its process; a learning goes on from its last
      // checkpoint.
      await Promise.race([stopped, sleep(closeMilliseconds, undefined, { ref: false })]);
      await engine.dispose();
      await stopped;
      library.close();
    },
  };
}

const closeMilliseconds = 5000;
