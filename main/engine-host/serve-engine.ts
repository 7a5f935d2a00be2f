import type { EngineEvent } from '../../shared/domain/engine.ts';
import { type Engine, type EngineCallOptions, engineContract } from '../../shared/ipc/engine-contract.ts';
import { toErrorShape } from '../../shared/ipc/result.ts';
import { type Handlers, type Port, serve } from '../../shared/ipc/rpc.ts';
import type { EngineOptions } from '../engine/index.ts';
import { startHeartbeat } from './heartbeat.ts';
import { outOfMemoryError, speaksOfMemory } from './memory.ts';
import { createdMark, engineProcessOptions } from './process-options.ts';

/** What an engine process does: serves the engine to its parent until the parent goes away. */
export function serveEngine(createEngine: (options: EngineOptions) => Engine | Promise<Engine>): void {
  const { beatMilliseconds, ...options } = engineProcessOptions.parse(JSON.parse(process.argv[2] ?? '{}'));
  startHeartbeat(beatMilliseconds);
  // Ctrl-C in a terminal reaches every process of the group; stopping cleanly is the parent's to decide.
  process.on('SIGINT', () => {});

  let engine: Promise<Engine> | undefined;
  async function create(): Promise<Engine> {
    try {
      const created = await createEngine(options);
      process.stdout.write(`${createdMark}\n`);
      return created;
    } catch (thrown) {
      engine = undefined; // the next call tries again
      throw thrown;
    }
  }
  /**
   * Created at the first call, so that a device that cannot be opened is the error of a call and not of a
   * process.
   */
  async function use<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    try {
      engine ??= create();
      return await work(await engine);
    } catch (thrown) {
      const { code, message } = toErrorShape(thrown);
      if (code === 'internal' && speaksOfMemory(message)) throw outOfMemoryError(message);
      throw thrown;
    }
  }

  const port = parentPort();
  const server = serve(
    engineContract,
    port,
    engineHandlers(use, (event) => server.emit('engine', event)),
  );
  port.onClose(() => process.exit(0));
}

/** Every call of the contract is that of the engine. */
function engineHandlers(
  use: <T>(work: (engine: Engine) => Promise<T>) => Promise<T>,
  onEvent: (event: EngineEvent) => void,
): Handlers<(typeof engineContract)['calls']> {
  const names = Object.keys(engineContract.calls) as (keyof typeof engineContract.calls)[];
  const entries = names.map((name) => [
    name,
    (input: unknown, { signal }: { signal: AbortSignal }) =>
      use<unknown>((engine) => {
        const call = engine[name] as (input: unknown, options: EngineCallOptions) => Promise<unknown>;
        return call(input, { signal, onEvent });
      }),
  ]);
  return Object.fromEntries(entries);
}

/** The pipe to the parent: Electron's in a utility process, Node's in a forked one. */
function parentPort(): Port {
  const electron = (process as { parentPort?: ElectronParentPort }).parentPort;
  if (electron) {
    return {
      postMessage: (message) => electron.postMessage(message),
      onMessage: (listener) => electron.on('message', ({ data }) => listener(data)),
      onClose: () => {}, // Electron ends its utility processes itself
    };
  }
  if (!process.send) throw new Error('the engine process must be started by the engine host');
  return {
    postMessage: (message) => process.send!(message),
    onMessage: (listener) => process.on('message', listener),
    onClose: (listener) => process.on('disconnect', listener),
  };
}

interface ElectronParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
}
