/**
 * What a picture looks like, for parts that learn to leave that out: the mean and the standard deviation less 1 of every channel of its latents
 * over height and width [2 * channels]. Latents come normalised to about mean 0 and variance 1, so that zeros, which stand for a blank
 * appearance, are a picture without any. latents [channels, frames, height, width], of which the first frame counts.
 */
export function appearanceOf({ values, shape }: { values: Float32Array; shape: readonly number[] }): Float32Array {
  const [channels, frames, height, width] = shape as [number, number, number, number];
  const plane = height * width;
  const appearance = new Float32Array(2 * channels);
  for (let channel = 0; channel < channels; channel++) {
    const first = values.subarray(channel * frames * plane, channel * frames * plane + plane);
    const mean = first.reduce((sum, value) => sum + value, 0) / plane;
    const variance = first.reduce((sum, value) => sum + (value - mean) ** 2, 0) / plane;
    appearance[channel] = mean;
    appearance[channels + channel] = Math.sqrt(variance) - 1;
  }
  return appearance;
}

/** How many values the appearance of a picture has. */
export const appearanceSize = (latentChannels: number) => 2 * latentChannels;

/** The mean of several appearances. */
export function meanAppearance(all: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(all[0]!.length);
  for (const each of all) for (const [index, value] of each.entries()) mean[index]! += value / all.length;
  return mean;
}
