/**
 * Mean squared error between two equal-sized uint8 pictures or clips, over values 0 to 1 (Set-and-Sequence, evaluation: "MSE between
 * corresponding frames"). With a mask (one byte a pixel, three channels a pixel) only pixels whose mask byte is non-zero count;
 * NaN when none does.
 */
export function meanSquaredError(a: Uint8Array, b: Uint8Array, mask?: Uint8Array): number {
  if (a.length !== b.length)
    throw new RangeError(`expected clips of equal size, found ${a.length} and ${b.length} bytes`);
  if (mask && mask.length * 3 !== a.length) {
    throw new RangeError(`expected a mask of ${a.length / 3} pixels, found ${mask.length}`);
  }
  let sum = 0;
  let count = 0;
  for (let i = 0; i < a.length; i++) {
    if (mask && mask[(i / 3) | 0] === 0) continue;
    const difference = (a[i]! - b[i]!) / 255;
    sum += difference * difference;
    count++;
  }
  return sum / count;
}
