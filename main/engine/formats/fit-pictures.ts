import type { Pictures } from './raw-frames.ts';

/**
 * Pictures of another size: cut to its shape around the middle, then scaled. Larger pictures are averaged over the area of each new pixel,
 * smaller ones interpolated linearly, so that nothing flickers that did not.
 */
export function fitPictures(pictures: Pictures, width: number, height: number): Pictures {
  if (pictures.width === width && pictures.height === height) return pictures;
  const scale = Math.min(pictures.width / width, pictures.height / height);
  const columns = weightsOf(pictures.width, width, scale);
  const rows = weightsOf(pictures.height, height, scale);
  const data = new Uint8Array(pictures.count * height * width * 3);
  const across = new Float32Array(pictures.height * width * 3);
  for (let frame = 0; frame < pictures.count; frame++) {
    const from = frame * pictures.height * pictures.width * 3;
    for (let row = 0; row < pictures.height; row++)
      for (const [column, taps] of columns.entries())
        for (let channel = 0; channel < 3; channel++) {
          let sum = 0;
          for (const [place, weight] of taps)
            sum += weight * pictures.data[from + (row * pictures.width + place) * 3 + channel]!;
          across[(row * width + column) * 3 + channel] = sum;
        }
    const to = frame * height * width * 3;
    for (const [row, taps] of rows.entries())
      for (let i = 0; i < width * 3; i++) {
        let sum = 0;
        for (const [place, weight] of taps) sum += weight * across[place * width * 3 + i]!;
        data[to + row * width * 3 + i] = Math.round(sum);
      }
  }
  return { data, count: pictures.count, width, height };
}

/** For each new pixel along an axis, which old ones it is made of and how much each counts: a triangle as wide as the coarser grid. */
function weightsOf(from: number, to: number, scale: number): [place: number, weight: number][][] {
  const start = (from - to * scale) / 2;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, index) => {
    const centre = start + (index + 0.5) * scale - 0.5;
    const taps = new Map<number, number>();
    for (let place = Math.ceil(centre - reach); place <= Math.floor(centre + reach); place++) {
      const weight = 1 - Math.abs(place - centre) / reach;
      if (weight <= 0) continue;
      const inside = Math.max(0, Math.min(from - 1, place));
      taps.set(inside, (taps.get(inside) ?? 0) + weight);
    }
    const sum = [...taps.values()].reduce((all, weight) => all + weight, 0);
    return [...taps].map(([place, weight]) => [place, weight / sum]);
  });
}

/** The first frames of a clip, without copying. */
export function firstFrames({ data, width, height, count }: Pictures, frames: number): Pictures {
  const kept = Math.min(count, frames);
  return { data: data.subarray(0, kept * width * height * 3), count: kept, width, height };
}

/** A clip of at least so many frames: its last one is held. */
export function holdEnd({ data, width, height, count }: Pictures, frames: number): Pictures {
  if (count >= frames) return { data, width, height, count };
  const size = width * height * 3;
  const held = new Uint8Array(frames * size);
  held.set(data);
  for (let frame = count; frame < frames; frame++) held.set(data.subarray((count - 1) * size), frame * size);
  return { data: held, width, height, count: frames };
}
