/** One piece of work to be timed; what it needs is loaded before. */
export interface TaskWork {
  work(): Promise<void>;
  note?: string;
  /** Floating-point operations of one run, where a rate is of interest. */
  flops?: number;
}
