/**
 * Means over square windows of maps [height, width, channels], row-major, channel by channel. Pictures are reflected at their edges,
 * the edge's own pixel included, so that every window has as many pixels.
 */

/** Mean over windows of (2 `radius` + 1)^2: one pass of running sums a direction, whatever the radius. -> [height, width, channels] */
export function windowMeans(
  map: Float32Array,
  { width, height, channels }: { width: number; height: number; channels: number },
  radius: number,
): Float32Array {
  const across = slideAlong(map, height, width * channels, width, channels, radius);
  // Down the columns, all values of a row are neighbours of the next row's.
  return slideAlong(across, 1, width * channels * height, height, width * channels, radius);
}

/**
 * Running means along one direction: `lines` lines, `lineStride` apart, of `length` places with `step` values each.
 * Sums are kept in 64 bits: what leaves a window takes exactly away what it brought.
 */
function slideAlong(
  from: Float32Array,
  lines: number,
  lineStride: number,
  length: number,
  step: number,
  radius: number,
): Float32Array {
  const to = new Float32Array(from.length);
  const sums = new Float64Array(step);
  const size = 2 * radius + 1;
  for (let line = 0; line < lines; line++) {
    const start = line * lineStride;
    sums.fill(0);
    for (let at = -radius; at <= radius; at++) {
      const place = start + reflected(at, length) * step;
      for (let value = 0; value < step; value++) sums[value]! += from[place + value]!;
    }
    for (let at = 0; at < length; at++) {
      const place = start + at * step;
      const leaves = start + reflected(at - radius, length) * step;
      const enters = start + reflected(at + radius + 1, length) * step;
      for (let value = 0; value < step; value++) {
        to[place + value] = sums[value]! / size;
        sums[value]! += from[enters + value]! - from[leaves + value]!;
      }
    }
  }
  return to;
}

/** 2 1 0 | 0 1 2 3 | 3 2 1, over and over where a window is larger than the picture. */
function reflected(at: number, length: number): number {
  const period = 2 * length;
  const within = ((at % period) + period) % period;
  return within < length ? within : period - 1 - within;
}
