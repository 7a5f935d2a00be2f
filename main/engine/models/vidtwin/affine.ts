/** Affine maps of the plane. */

/** [a, b, c, d, e, f]: (x, y) -> (a x + b y + c, d x + e y + f) */
export type Affine = readonly [number, number, number, number, number, number];

export const identity: Affine = [1, 0, 0, 0, 1, 0];
export const isIdentity = (map: Affine) => map.every((value, index) => value === identity[index]);

export const mapX = (map: Affine, x: number, y: number) => map[0] * x + map[1] * y + map[2];
export const mapY = (map: Affine, x: number, y: number) => map[3] * x + map[4] * y + map[5];

/** Of any numbers of two maps, by their index. */
export const combine = (one: Affine, other: Affine, how: (a: number, b: number) => number): Affine =>
  one.map((value, index) => how(value, other[index]!)) as unknown as Affine;

/** First `second`, then `first`. */
export function compose([a, b, c, d, e, f]: Affine, [g, h, i, j, k, l]: Affine): Affine {
  return [a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f];
}

export function inverseOf([a, b, c, d, e, f]: Affine): Affine {
  const size = a * e - b * d;
  return [e / size, -b / size, (b * f - c * e) / size, -d / size, a / size, (c * d - a * f) / size];
}
