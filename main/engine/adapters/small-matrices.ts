/** Decompositions of matrices that are only as wide as a LoRA's rank, in float64, row-major. */

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

/**
 * Eigenvalues, largest first, and eigenvectors (the columns of `vectors`) of a symmetric [n, n] matrix by cyclic Jacobi rotations.
 * Each vector's largest component is positive, so that the answer is unique where the eigenvalues differ.
 */
export function symmetricEigen(matrix: Float64Array, n: number): { values: number[]; vectors: Float64Array } {
  const a = Float64Array.from(matrix);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  const scale = Math.sqrt(a.reduce((total, value) => total + value * value, 0));
  for (let sweep = 0; sweep < 60 && offDiagonal(a, n) > 1e-15 * scale; sweep++) {
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q);
  }
  const order = Array.from({ length: n }, (_, index) => index).sort((i, j) => a[j * n + j]! - a[i * n + i]!);
  const vectors = new Float64Array(n * n);
  for (const [column, from] of order.entries()) {
    let largest = 0;
    for (let i = 0; i < n; i++) if (Math.abs(v[i * n + from]!) > Math.abs(largest)) largest = v[i * n + from]!;
    for (let i = 0; i < n; i++) vectors[i * n + column] = largest < 0 ? -v[i * n + from]! : v[i * n + from]!;
  }
  return { values: order.map((index) => a[index * n + index]!), vectors };
}

function offDiagonal(a: Float64Array, n: number): number {
  let squares = 0;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) squares += 2 * a[i * n + j]! ** 2;
  return Math.sqrt(squares);
}

/** One Jacobi rotation in the plane (p, q) that makes a[p, q] zero, gathered in v. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!;
  if (apq === 0) return;
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[i * n + p]!, a[i * n + q]!];
    a[i * n + p] = c * x - s * y;
    a[i * n + q] = s * x + c * y;
  }
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[p * n + i]!, a[q * n + i]!];
    a[p * n + i] = c * x - s * y;
    a[q * n + i] = s * x + c * y;
  }
  for (let i = 0; i < n; i++) {
    const [x, y] = [v[i * n + p]!, v[i * n + q]!];
    v[i * n + p] = c * x - s * y;
    v[i * n + q] = s * x + c * y;
  }
}
