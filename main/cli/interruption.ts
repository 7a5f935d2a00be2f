import { exitCode } from './exit-code.ts';

/** The part of `process` that Ctrl-C reaches. */
export interface SignalSource {
  on(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * The first Ctrl-C (or SIGTERM) aborts the signal, so that the work saves its state and ends; the second leaves at once.
 * `dispose` takes the listeners away again.
 */
export function watchInterruption(
  source: SignalSource,
  say: (text: string) => void,
): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const listener = () => {
    if (controller.signal.aborted) {
      source.exit(exitCode.interrupted);
      return;
    }
    say('Stopping cleanly; press Ctrl-C again to leave at once.');
    controller.abort();
  };
  source.on('SIGINT', listener);
  source.on('SIGTERM', listener);
  return {
    signal: controller.signal,
    dispose() {
      source.off('SIGINT', listener);
      source.off('SIGTERM', listener);
    },
  };
}
