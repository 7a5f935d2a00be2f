import { totalmem } from 'node:os';
import type { DeviceReport, EngineEvent } from '../../shared/domain/engine.ts';
import {
  type Engine,
  type EngineCallOptions,
  type EngineCalls,
  engineContract,
  waitlessCalls,
} from '../../shared/ipc/engine-contract.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { type Client, callsOf, connect } from '../../shared/ipc/rpc.ts';
import { Serialiser } from '../../shared/structures/serialiser.ts';
import type { EngineOptions } from '../engine/index.ts';
import { type ChildExit, type EngineChild, forkEngine, type StartEngineProcess } from './child.ts';
import { countMemoryKills, outOfMemoryError, speaksOfMemory } from './memory.ts';
import { defaultLimits, type Fault, Watch, type WatchLimits } from './watch.ts';

type EngineState = 'stopped' | 'starting' | 'ready' | 'busy' | 'failed';

export interface EngineHostOptions extends EngineOptions {
  start?: StartEngineProcess;
  limits?: Partial<WatchLimits>;
  beatMilliseconds?: number;
  /**
   * Stops the process after so long without a call, so that an idle program holds no model in memory; null:
   * never.
   */
  idleStopSeconds?: number | null;
  /** How long a cancelled call may take to end before the process is ended instead, seconds. */
  cancelSeconds?: number;
  onState?(state: EngineState, message: string | null): void;
}

interface Running {
  child: EngineChild;
  client: Client<typeof engineContract>;
  /** Why the host itself ended it. */
  fault: Fault | 'cancelled' | 'stopped' | null;
  memoryKillsAtStart: number | null;
  lastResidentBytes: number;
}

/**
 * An engine in a process of its own. The process starts with the first call and again after it died;
 * whatever happens to it, the caller gets `out-of-memory`, `engine-crashed` or `engine-hung` with the
 * reason, and the next call finds a fresh engine.
 */
export class EngineHost {
  readonly engine: Engine = {
    ...callsOf(engineContract.calls, (name, input, options?: EngineCallOptions) => this.#ask(name, input, options)),
    device: (input) => this.#deviceReport(input),
    installLibrary: async (input) => {
      // In a process of its own, with what works everywhere: the device that is asked for may lack this very library.
      const installer = new EngineHost({ ...this.#options, device: 'onnxruntime', onState: undefined });
      try {
        return await installer.#call((client, wire) => client.call.installLibrary(input, wire), {});
      } finally {
        await installer.dispose();
        this.configure({}); // what computes is chosen anew by the next process
      }
    },
    dispose: () => this.dispose(),
  };
  #options: EngineHostOptions;
  #limits: WatchLimits;
  #restartWhenIdle = false;
  #running: Running | null = null;
  /** One computation at a time, in the order of asking. */
  readonly #computations = new Serialiser();
  #onEvent: ((event: EngineEvent) => void) | null = null;
  #calls = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #device: DeviceReport | null = null;

  constructor(options: EngineHostOptions = {}) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
  }

  /** The process' number, for reports; undefined while none runs. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /**
   * Other devices, threads or limits from the next process on; one that is idle is ended for that, one at
   * work afterwards.
   */
  configure(changed: Pick<EngineHostOptions, 'device' | 'threads' | 'limits'>): void {
    this.#options = { ...this.#options, ...changed };
    this.#limits = { ...this.#limits, ...changed.limits };
    this.#device = null;
    if (this.#calls > 0) this.#restartWhenIdle = true;
    else void this.dispose();
  }

  /** Ends the process; calls in flight fail with `disconnected`. A later call starts another. */
  async dispose(): Promise<void> {
    clearTimeout(this.#idleTimer);
    const running = this.#running;
    if (running === null) return;
    running.fault ??= 'stopped';
    this.#running = null;
    running.child.kill();
    await running.child.exited;
  }

  #ask(name: keyof EngineCalls, input: unknown, options: EngineCallOptions = {}): Promise<unknown> {
    const call = () =>
      this.#call((client, wire) => {
        const ask = client.call[name] as (input: unknown, options: object) => Promise<unknown>;
        return ask(input, wire);
      }, options);
    return waitlessCalls.has(name) ? call() : this.#computations.run(call, options.signal);
  }

  async #deviceReport({ measure = false }: { measure?: boolean }): Promise<DeviceReport> {
    if (this.#device !== null && (!measure || this.#device.matMulGflops !== null)) return this.#device;
    // A measurement beside a running computation would measure that; a process that is to be replaced has
    // nothing to say of the next.
    const waits = measure || this.#restartWhenIdle;
    const ask = () => this.#call((client, wire) => client.call.device({ measure }, wire), {});
    this.#device = await (waits ? this.#computations.run(ask) : ask());
    return this.#device;
  }

  async #call<T>(ask: Ask<T>, options: EngineCallOptions): Promise<T> {
    for (let start = 1; ; start++) {
      const running = this.#start();
      try {
        return await this.#callOf(running, ask, options);
      } catch (thrown) {
        // A device's library may end the process when it is opened, before anything was begun.
        const again = running.fault === null && !running.child.isCreated() && start < startsAllowed;
        if (!(thrown instanceof AppError) || thrown.code !== 'engine-crashed' || !again) throw thrown;
      }
    }
  }

  async #callOf<T>(running: Running, ask: Ask<T>, { signal, onEvent }: EngineCallOptions): Promise<T> {
    const watch = new Watch(this.#limits, performance.now(), running.lastResidentBytes === 0);
    const stopWatching = this.#watchOver(running, watch);
    const stopCancelling = this.#enforceCancel(running, signal);
    if (onEvent) this.#onEvent = onEvent;
    const stopListening = running.client.on('engine', () => watch.event(performance.now()));
    this.#calls++;
    clearTimeout(this.#idleTimer);
    this.#options.onState?.('busy', null);
    try {
      return await ask(running.client, { signal });
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'disconnected') throw thrown;
      throw this.#reasonOfDeath(running, await running.child.exited);
    } finally {
      stopListening();
      stopWatching();
      stopCancelling();
      if (onEvent) this.#onEvent = null;
      this.#calls--;
      if (this.#calls === 0 && this.#running === running) this.#rest();
    }
  }

  #start(): Running {
    if (this.#running !== null) return this.#running;
    this.#options.onState?.('starting', null);
    const start = this.#options.start ?? forkEngine;
    const child = start({
      device: this.#options.device,
      threads: this.#options.threads,
      memoryLimitBytes: this.#limits.memoryBytes,
      cacheFolder: this.#options.cacheFolder,
      openVinoFolder: this.#options.openVinoFolder,
      cudaFolder: this.#options.cudaFolder,
      beatMilliseconds: this.#options.beatMilliseconds ?? 1000,
    });
    const running: Running = {
      child,
      client: connect(engineContract, child.port),
      fault: null,
      memoryKillsAtStart: countMemoryKills(),
      lastResidentBytes: 0,
    };
    running.client.on('engine', (event) => this.#onEvent?.(event));
    child.onBeat(({ residentBytes }) => {
      running.lastResidentBytes = residentBytes;
    });
    void child.exited.then((exit) => {
      if (this.#running === running) this.#running = null;
      this.#device = null;
      const wanted = running.fault === 'stopped';
      this.#options.onState?.(
        wanted ? 'stopped' : 'failed',
        wanted ? null : this.#reasonOfDeath(running, exit).message,
      );
    });
    this.#running = running;
    return running;
  }

  #rest(): void {
    this.#options.onState?.('ready', null);
    if (this.#restartWhenIdle) {
      this.#restartWhenIdle = false;
      void this.dispose();
      return;
    }
    const { idleStopSeconds } = this.#options;
    if (idleStopSeconds == null) return;
    this.#idleTimer = setTimeout(() => void this.dispose(), idleStopSeconds * 1000);
    this.#idleTimer.unref();
  }

  #watchOver(running: Running, watch: Watch): () => void {
    const end = (fault: Fault | null) => {
      if (fault === null || running.fault !== null) return;
      running.fault = fault;
      running.child.kill();
    };
    const stopBeats = running.child.onBeat((beat) => end(watch.beat(beat, performance.now())));
    const timer = setInterval(() => end(watch.check(performance.now())), watch.interval);
    return () => {
      stopBeats();
      clearInterval(timer);
    };
  }

  /** A blocked engine cannot hear a cancellation; after a while its process is ended instead. */
  #enforceCancel(running: Running, signal: AbortSignal | undefined): () => void {
    let timer: NodeJS.Timeout | undefined;
    const onAbort = () => {
      timer = setTimeout(
        () => {
          running.fault ??= 'cancelled';
          running.child.kill();
        },
        (this.#options.cancelSeconds ?? 60) * 1000,
      );
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    return () => {
      signal?.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    };
  }

  #reasonOfDeath({ child, fault, memoryKillsAtStart, lastResidentBytes }: Running, exit: ChildExit): AppError {
    const stderr = child.errorTail();
    const details = { exitCode: exit.code, signal: exit.signal, residentBytes: lastResidentBytes, stderr };
    if (fault === 'cancelled') return new AppError('cancelled', 'Cancelled.');
    if (fault === 'stopped') return new AppError('disconnected', 'The engine was stopped.', { details });
    if (fault?.code === 'out-of-memory') return outOfMemoryError(fault.reason, details);
    if (fault !== null) {
      return new AppError('engine-hung', `The engine hung and was stopped: ${fault.reason}`, {
        hint: 'Try again; learning resumes from its last checkpoint. If it happens again, choose another device.',
        details,
      });
    }
    if (speaksOfMemory(stderr)) return outOfMemoryError(lastLine(stderr, speaksOfMemory), details);
    if (exit.signal === 'SIGKILL' && killedForMemory(memoryKillsAtStart, lastResidentBytes)) {
      return outOfMemoryError('the system ended its process.', details);
    }
    const how = exit.signal ? `by ${exit.signal}` : `with exit code ${exit.code ?? 'unknown'}`;
    const lastWords = lastLine(stderr, (line) => line.trim() !== '');
    return new AppError('engine-crashed', `The engine's process ended ${how}${lastWords ? `: ${lastWords}` : '.'}`, {
      hint: 'Try again; learning resumes from its last checkpoint. If it happens again, choose another device.',
      details,
    });
  }
}

/** Two that end while a device is opened are enough for the engine to leave that device alone from then on. */
const startsAllowed = 3;

type Ask<T> = (client: Client<typeof engineContract>, options: { signal?: AbortSignal }) => Promise<T>;

function killedForMemory(killsAtStart: number | null, residentBytes: number): boolean {
  const kills = countMemoryKills();
  if (kills !== null && killsAtStart !== null) return kills > killsAtStart;
  return residentBytes > 0.6 * totalmem();
}

function lastLine(text: string, fits: (line: string) => boolean): string {
  return text.split('\n').findLast(fits)?.trim().slice(0, 300) ?? '';
}
