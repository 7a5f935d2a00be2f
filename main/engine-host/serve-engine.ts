import type { EngineEvent } from '../../shared/domain/engine.ts';
import { toErrorShape } from '../../shared/ipc/result.ts';
import { type Port, serve } from '../../shared/ipc/rpc.ts';
import type { CallOptions, Engine, EngineOptions } from '../engine/index.ts';
import { engineContract, engineProcessOptions } from './contract.ts';
import { startHeartbeat } from './heartbeat.ts';
import { outOfMemoryError, speaksOfMemory } from './memory.ts';

/** What an engine process does: serves the engine to its parent until the parent goes away. */
export function serveEngine(createEngine: (options: EngineOptions) => Engine | Promise<Engine>): void {
  const { beatMilliseconds, ...options } = engineProcessOptions.parse(JSON.parse(process.argv[2] ?? '{}'));
  startHeartbeat(beatMilliseconds);
  // Ctrl-C in a terminal reaches every process of the group; stopping cleanly is the parent's to decide.
  process.on('SIGINT', () => {});

  let engine: Promise<Engine> | undefined;
  async function create(): Promise<Engine> {
    try {
      return await createEngine(options);
    } catch (thrown) {
      engine = undefined; // the next call tries again
      throw thrown;
    }
  }
  /** Created at the first call, so that a device that cannot be opened is the error of a call and not of a process. */
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
  const server = serve(engineContract, port, {
    device: (input) => use((e) => e.device(input)),
    installOpenVino: ({ source }) => use((e) => e.installOpenVino(source)),
    describeModel: ({ model }) => use((e) => e.describeModel(model)),
    warmUp: ({ model }, { signal }) => use((e) => e.warmUp(model, { signal })),
    learn: (request, { signal }) => use((e) => e.learn(request, telling(signal))),
    generate: (request, { signal }) => use((e) => e.generate(request, telling(signal))),
    exportLora: (request, { signal }) => use((e) => e.exportLora(request, telling(signal))),
    importLora: (request, { signal }) => use((e) => e.importLora(request, telling(signal))),
    mix: (request, { signal }) => use((e) => e.mix(request, telling(signal))),
    checkConcept: (request) => use((e) => e.checkConcept(request)),
    evaluateModel: (request, { signal }) => use((e) => e.evaluateModel(request, telling(signal))),
    evaluateConcept: (request, { signal }) => use((e) => e.evaluateConcept(request, telling(signal))),
    evaluateFinish: (request, { signal }) => use((e) => e.evaluateFinish(request, telling(signal))),
  });
  function telling(signal: AbortSignal): CallOptions {
    return { signal, onEvent: (event: EngineEvent) => server.emit('engine', event) };
  }
  port.onClose(() => process.exit(0));
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
