/** From 0 at `from` to 1 at `to` and beyond, without a bend at either. */
export function smoothStep(value: number, from = 0, to = 1): number {
  const share = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return share * share * (3 - 2 * share);
}
