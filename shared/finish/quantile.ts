/** The value below which a share of all values of some maps lies. */
export function quantileOf(maps: readonly Float32Array[], share: number): number {
  const all = new Float32Array(maps.reduce((length, map) => length + map.length, 0));
  let at = 0;
  for (const map of maps) {
    all.set(map, at);
    at += map.length;
  }
  all.sort();
  return all[Math.floor(share * (all.length - 1))]!;
}
