/** Wilson's interval of 95 % for a proportion (Wilson 1927); null for none. */
export function wilsonInterval(successes: number, count: number): { low: number; high: number } | null {
  if (count === 0) return null;
  const z = 1.959964;
  const share = successes / count;
  const width = z * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count));
  const middle = share + (z * z) / (2 * count);
  const scale = 1 + (z * z) / count;
  return { low: Math.max(0, (middle - width) / scale), high: Math.min(1, (middle + width) / scale) };
}
