import type { Command } from 'commander';
import type { DeviceName } from '../../shared/domain/engine.ts';
import type { Services, ServicesOptions } from '../services/services.ts';
import type { Output } from './output.ts';

/** The options that every command understands. */
export interface GlobalOptions {
  json?: boolean;
  device?: DeviceName;
  home?: string;
  model?: string;
}

/** What a command works with; made once, in motif.ts. */
export interface CommandContext {
  output: Output;
  global: GlobalOptions;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** The command answered, and yet the exit code must be 1: `doctor` found something broken. */
  fail(): void;
  /** Opens the library, hands it to `work` and closes it, whatever happens. `home` wins over `--home`. */
  withServices<T>(
    options: { access: NonNullable<ServicesOptions['access']>; home?: string },
    work: (services: Services) => Promise<T> | T,
  ): Promise<T>;
}

/** Registers one command; `run` turns an action into one that gets the context and never throws at commander. */
export type Registration = (program: Command, run: ActionWrapper) => void;

export type ActionWrapper = <A extends unknown[]>(
  action: (context: CommandContext, ...given: A) => Promise<void> | void,
) => (...given: A) => Promise<void>;
