/** How a stored picture is turned for display: first transposed (x and y swapped), then mirrored. */
export interface Orientation {
  transpose: boolean;
  mirrorHorizontally: boolean;
  mirrorVertically: boolean;
}

export const upright: Orientation = { transpose: false, mirrorHorizontally: false, mirrorVertically: false };

/**
 * A display matrix as ffprobe prints it (three rows of a b u, c d v, x y w; a stored point goes to a x + c y, b x + d y)
 * -> the nearest of the eight orientations. Undefined when the text holds no matrix.
 */
export function orientationFromMatrix(text: string): Orientation | undefined {
  const rows = [...text.matchAll(/^[0-9a-fA-F]+:\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)/gm)].map((row) =>
    row.slice(1).map(Number),
  );
  const [a = 0, b = 0] = rows[0] ?? [];
  const [c = 0, d = 0] = rows[1] ?? [];
  if (rows.length < 2 || (a === 0 && b === 0) || (c === 0 && d === 0)) return undefined;
  if (Math.abs(a) >= Math.abs(b)) return { transpose: false, mirrorHorizontally: a < 0, mirrorVertically: d < 0 };
  return { transpose: true, mirrorHorizontally: c < 0, mirrorVertically: b < 0 };
}

/** Degrees counter-clockwise, as ffprobe gives them -> orientation. For files whose matrix is not printed. */
export function orientationFromRotation(degrees: number): Orientation {
  const quarter = (((Math.round(degrees / 90) % 4) + 4) % 4) as 0 | 1 | 2 | 3;
  return [
    upright,
    { transpose: true, mirrorHorizontally: false, mirrorVertically: true },
    { transpose: false, mirrorHorizontally: true, mirrorVertically: true },
    { transpose: true, mirrorHorizontally: true, mirrorVertically: false },
  ][quarter]!;
}

/** Filters that turn the picture. `transpose=0` of ffmpeg is the plain swap of x and y. */
export function orientationFilters({ transpose, mirrorHorizontally, mirrorVertically }: Orientation): string[] {
  return [transpose && 'transpose=0', mirrorHorizontally && 'hflip', mirrorVertically && 'vflip'].filter(
    (filter) => filter !== false,
  );
}
