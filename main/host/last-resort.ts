import type { Services } from '../services/services.ts';

/**
 * What nobody caught is a fault of the program: it is written down, and ends neither the editor nor what it
 * computes.
 */
export function outliveFaults({ log }: Services): void {
  const note = (thrown: unknown) =>
    log.write('error', `not caught: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
}
