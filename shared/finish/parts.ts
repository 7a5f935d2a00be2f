/** A clip's places as one row: frame by frame, each [height, width]. */
interface Places {
  width: number;
  height: number;
  frameCount: number;
}

/**
 * Parts of a clip that hang together, beside, above and from one frame to the next, where maps are above a limit: labels from 1 on, 0
 * elsewhere, for each frame [height, width].
 */
export function connectedParts(
  maps: readonly Float32Array[],
  width: number,
  height: number,
  limit: number,
): { labels: Int32Array[]; count: number } {
  const [size, places] = [width * height, { width, height, frameCount: maps.length }];
  const labels = maps.map(() => new Int32Array(size));
  let count = 0;
  for (let frame = 0; frame < maps.length; frame++) {
    for (let pixel = 0; pixel < size; pixel++) {
      if (labels[frame]![pixel] !== 0 || maps[frame]![pixel]! <= limit) continue;
      labels[frame]![pixel] = ++count;
      spread(labels, [frame * size + pixel], places, (at, within) => maps[at]![within]! > limit);
    }
  }
  return { labels, count };
}

/** The same labels, with each place that has none given the one of the part that is nearest to it, in steps beside, above and in time. */
export function nearestParts(labels: readonly Int32Array[], width: number, height: number): Int32Array[] {
  const filled = labels.map((map) => Int32Array.from(map));
  const labelled: number[] = [];
  for (const [frame, map] of labels.entries())
    for (let pixel = 0; pixel < map.length; pixel++) if (map[pixel] !== 0) labelled.push(frame * map.length + pixel);
  spread(filled, labelled, { width, height, frameCount: labels.length }, () => true);
  return filled;
}

/** Gives labels to the places around those in `open`, nearest first, where they have none and may. */
function spread(
  labels: readonly Int32Array[],
  open: number[],
  { width, height, frameCount }: Places,
  mayHave: (frame: number, pixel: number) => boolean,
): void {
  const size = width * height;
  for (let next = 0; next < open.length; next++) {
    const [frame, pixel] = [Math.floor(open[next]! / size), open[next]! % size];
    const label = labels[frame]![pixel]!;
    const column = pixel % width;
    const visit = (otherFrame: number, other: number) => {
      const found = labels[otherFrame]!;
      if (found[other] !== 0 || !mayHave(otherFrame, other)) return;
      found[other] = label;
      open.push(otherFrame * size + other);
    };
    if (column > 0) visit(frame, pixel - 1);
    if (column < width - 1) visit(frame, pixel + 1);
    if (pixel >= width) visit(frame, pixel - width);
    if (pixel < size - width) visit(frame, pixel + width);
    if (frame > 0) visit(frame - 1, pixel);
    if (frame < frameCount - 1) visit(frame + 1, pixel);
  }
}
