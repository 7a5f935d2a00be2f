/** At most so many values are sorted, evenly spread over all. */
const mostSorted = 100_000;

/** The value below which a share of all values of some maps lies. */
export function quantileOf(maps: readonly Float32Array[], share: number): number {
  const count = maps.reduce((sum, map) => sum + map.length, 0);
  const step = Math.max(1, Math.ceil(count / mostSorted));
  const values: number[] = [];
  let next = 0;
  let begun = 0;
  for (const map of maps) {
    for (; next < begun + map.length; next += step) values.push(map[next - begun]!);
    begun += map.length;
  }
  const sorted = Float32Array.from(values).sort();
  return sorted[Math.floor(share * (sorted.length - 1))]!;
}
