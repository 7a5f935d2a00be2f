import { utilityProcess } from 'electron';
import {
  type ChildExit,
  type EngineChild,
  engineEnvironment,
  engineProcessFile,
  readOutput,
} from '../engine-host/child.ts';
import type { EngineProcessOptions } from '../engine-host/process-options.ts';

/**
 * Starts the engine in a utility process: a packaged Electron does not run as Node, so there is no forking
 * it.
 */
export function startUtilityEngine(options: EngineProcessOptions): EngineChild {
  const child = utilityProcess.fork(engineProcessFile(), [JSON.stringify(options)], {
    serviceName: 'Motif engine',
    env: engineEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { errorLines, onBeat, isCreated } = readOutput(child.stdout!, child.stderr!);
  let pid: number | undefined;
  let isGone = false;
  child.once('spawn', () => {
    pid = child.pid;
  });
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('exit', (code) => {
      isGone = true;
      resolve({ code, signal: null });
    });
  });
  return {
    get pid() {
      return pid;
    },
    exited,
    port: {
      postMessage(message) {
        if (isGone) throw new Error('the engine process is gone');
        child.postMessage(message);
      },
      onMessage: (listener) => {
        child.on('message', listener);
      },
      onClose: (listener) => void exited.then(listener),
    },
    onBeat,
    isCreated,
    errorTail: () => errorLines.join('\n'),
    kill: () => void child.kill(),
  };
}
