/** What Wan's authors recommend for a model, which no file of weights holds. */
export interface Preset {
  /** Shift of the noise levels. */
  flowShift: number;
  /** From which part of the noise on the transformer for high noise predicts; only of models with two. */
  boundaryRatio?: number;
  expandTimesteps: boolean;
  /** Whether it makes clips of a given picture alone. */
  takesPicture: boolean;
  /** `motif.json`, where Wan 2.1's defaults do not fit. */
  extras?: object;
}

const landscapeAndPortrait = (width: number, height: number) => [
  { width, height },
  { width: height, height: width },
];

/**
 * By the configuration: Wan 2.1, Wan 2.2's pair of transformers, and Wan 2.2's small model of 48 latent channels. What has channels for a
 * mask of four frames and a second clip beside its own makes clips of pictures.
 */
export function presetOf(config: Record<string, unknown>, isPair: boolean): Preset {
  const takesPicture = config.in_channels === 2 * Number(config.out_channels) + 4;
  if (config.out_channels === 48) {
    const sampling = { steps: 50, guidance: 5 };
    const sizes = landscapeAndPortrait(1280, 704);
    return {
      flowShift: 5,
      expandTimesteps: true,
      takesPicture: false,
      extras: { frameRate: 24, frames: 121, sizes, sampling },
    };
  }
  if (isPair) {
    const sizes = [...landscapeAndPortrait(832, 480), ...landscapeAndPortrait(1280, 720)];
    const model = takesPicture ? { flowShift: 5, boundaryRatio: 0.9 } : { flowShift: 12, boundaryRatio: 0.875 };
    const sampling = { steps: 40, guidance: takesPicture ? 3.5 : 4 };
    return { ...model, expandTimesteps: false, takesPicture, extras: { sizes, sampling } };
  }
  return { flowShift: 3, expandTimesteps: false, takesPicture };
}
