/** Frames of a source, in display order, -> which of them a fixed rate shows. */
export interface FrameSampler {
  /** A frame begins at `seconds`: how often the frame before it is to be written (0 for the first). */
  next(seconds: number): number;
  /** The last frame ends at `seconds`: how often it is to be written. */
  end(seconds: number): number;
}

export interface SamplerSettings {
  /** Time of the first sample. */
  startSeconds: number;
  /** Samples per second. */
  rate: number;
  /** Shortest distance of two source frames. */
  sourceGap: number;
  /** Samples wanted at most. */
  maximum: number;
}

/**
 * Sample k is the frame on screen at start + k / rate. Times are looked up a quarter of a source frame late: containers
 * round them (Matroska to a millisecond), and a sample that falls on a boundary must not jump to and fro.
 */
export function createFrameSampler({ startSeconds, rate, sourceGap, maximum }: SamplerSettings): FrameSampler {
  const tolerance = Math.min(sourceGap, 1 / rate) / 4;
  let taken = 0;
  let started = false;
  const takeUntil = (seconds: number, late: number) => {
    const before = taken;
    while (taken < maximum && startSeconds + taken / rate + late < seconds - 1e-6) taken++;
    return taken - before;
  };
  return {
    next(seconds) {
      if (started) return takeUntil(seconds, tolerance);
      started = true; // samples before the first frame show it: nothing else is there
      return 0;
    },
    end: (seconds) => (started ? takeUntil(seconds, 0) : 0),
  };
}

/** How many samples a range of `seconds` holds. */
export function samplesIn(seconds: number, rate: number): number {
  return Math.max(0, Math.ceil((seconds - 1e-6) * rate));
}

/** The largest stride * k + 1 (k >= 0) that is not above `available`; 0 when there is no frame. */
export function usableFrameCount(available: number, stride: number): number {
  return available < 1 ? 0 : 1 + stride * Math.floor((available - 1) / stride);
}
