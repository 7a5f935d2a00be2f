/**
 * A [m, n] = Q R by Gram-Schmidt, run twice per column, which keeps Q orthonormal to machine precision (Giraud et al., 2005).
 * A column that depends on those before it becomes a zero column of Q with a zero row of R; A = Q R holds all the same.
 */
export function orthonormalise(a: Float64Array, m: number, n: number): { q: Float64Array; r: Float64Array } {
  const q = Float64Array.from(a);
  const r = new Float64Array(n * n);
  for (let column = 0; column < n; column++) {
    const before = norm(q, m, n, column);
    for (let pass = 0; pass < 2; pass++) {
      for (let earlier = 0; earlier < column; earlier++) {
        let overlap = 0;
        for (let i = 0; i < m; i++) overlap += q[i * n + earlier]! * q[i * n + column]!;
        r[earlier * n + column]! += overlap;
        for (let i = 0; i < m; i++) q[i * n + column]! -= overlap * q[i * n + earlier]!;
      }
    }
    const length = norm(q, m, n, column);
    const dependent = length <= 1e-12 * before || length === 0;
    r[column * n + column] = dependent ? 0 : length;
    for (let i = 0; i < m; i++) q[i * n + column] = dependent ? 0 : q[i * n + column]! / length;
  }
  return { q, r };
}

function norm(a: Float64Array, m: number, n: number, column: number): number {
  let squares = 0;
  for (let i = 0; i < m; i++) squares += a[i * n + column]! ** 2;
  return Math.sqrt(squares);
}
