/** Between which frames a time lies that counts in frames, and how far towards the second; before the first and after the last, at those. */
export function placeInTime(time: number, frameCount: number): { first: number; second: number; share: number } {
  const clamped = Math.min(frameCount - 1, Math.max(0, time));
  const first = Math.floor(clamped);
  return { first, second: Math.min(frameCount - 1, first + 1), share: clamped - first };
}

/** Each map averaged with those before and after it. */
export function neighbourMeans(maps: readonly Float32Array[]): Float32Array[] {
  return maps.map((_, index) => meanOf(maps.slice(Math.max(0, index - 1), index + 2)));
}

function meanOf(maps: readonly Float32Array[]): Float32Array {
  if (maps.length === 1) return maps[0]!;
  const mean = new Float32Array(maps[0]!.length);
  const share = 1 / maps.length;
  for (const map of maps) for (let at = 0; at < mean.length; at++) mean[at]! += share * map[at]!;
  return mean;
}
