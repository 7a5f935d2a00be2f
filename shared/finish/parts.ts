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
  const size = width * height;
  const labels = maps.map(() => new Int32Array(size));
  const open: number[] = [];
  let count = 0;
  for (let frame = 0; frame < maps.length; frame++) {
    for (let pixel = 0; pixel < size; pixel++) {
      if (labels[frame]![pixel] !== 0 || maps[frame]![pixel]! <= limit) continue;
      count++;
      labels[frame]![pixel] = count;
      open.push(frame * size + pixel);
      while (open.length > 0) {
        const place = open.pop()!;
        const [at, within] = [Math.floor(place / size), place % size];
        const column = within % width;
        const visit = (otherFrame: number, other: number) => {
          const found = labels[otherFrame]!;
          if (found[other] !== 0 || maps[otherFrame]![other]! <= limit) return;
          found[other] = count;
          open.push(otherFrame * size + other);
        };
        if (column > 0) visit(at, within - 1);
        if (column < width - 1) visit(at, within + 1);
        if (within >= width) visit(at, within - width);
        if (within < size - width) visit(at, within + width);
        if (at > 0) visit(at - 1, within);
        if (at < maps.length - 1) visit(at + 1, within);
      }
    }
  }
  return { labels, count };
}
