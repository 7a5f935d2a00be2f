/**
 * How unlike a clip its own mean colour is in the place of every pixel: the mean squared error, that is the variance of each channel.
 * Over values 0 to 1. Whoever knows nothing of a clip but its colour gives it back that well. rgb [frames * height * width * 3] of uint8
 */
export function plainError(rgb: Uint8Array): number {
  const sums = [0, 0, 0];
  const squares = [0, 0, 0];
  for (let at = 0; at < rgb.length; at++) {
    const value = rgb[at]!;
    sums[at % 3]! += value;
    squares[at % 3]! += value * value;
  }
  const count = rgb.length / 3;
  const error = sums.reduce((total, sum, channel) => total + squares[channel]! - (sum * sum) / count, 0);
  return error / rgb.length / 255 ** 2;
}
