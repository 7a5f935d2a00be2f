import type { Services } from './service-interface.ts';

/** What nobody caught is a fault of the program: it is written down, and ends neither the editor nor what it computes. */
export function outliveFaults({ program }: Services): void {
  const note = (thrown: unknown) =>
    program.log('error', `not caught: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
}
