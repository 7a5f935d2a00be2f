import * as tf from '../../backends/tf.ts';
import type { StagePlan } from './vae-config.ts';

/**
 * Large pictures are coded in tiles. Everything in the autoencoder but the attention in its middle sees no further than the windows of
 * its convolutions, so a tile that starts with enough of what surrounds it, and gives up at each stage what the rest no longer needs,
 * comes out as in the whole picture: there are no seams to hide.
 */

/** A rectangle of the latents: start and end (exclusive) of its rows and columns. */
export interface Area {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Cuts [height, width] into rows of tiles of at most `limit` values each, the longer side first. */
export function tilesOf(height: number, width: number, limit: number): { tiles: Area[]; columns: number } {
  let [rows, columns] = [1, 1];
  const longest = (size: number, count: number) => Math.ceil(size / count);
  while (longest(height, rows) * longest(width, columns) > limit && (rows < height || columns < width)) {
    if (columns < width && (rows === height || width / columns >= height / rows)) columns++;
    else rows++;
  }
  const cut = (size: number, count: number, index: number) => Math.round((size * index) / count);
  const tiles = Array.from({ length: rows * columns }, (_, index): Area => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    return {
      top: cut(height, rows, row),
      bottom: cut(height, rows, row + 1),
      left: cut(width, columns, column),
      right: cut(width, columns, column + 1),
    };
  });
  return { tiles, columns };
}

/** Tiles in rows of `columns` -> the picture: [batch, channels, frames, height, width] each. */
export function joinTiles(tiles: readonly tf.Tensor[], columns: number): tf.Tensor {
  return tf.tidy(() => {
    const rows: tf.Tensor[] = [];
    for (let first = 0; first < tiles.length; first += columns) rows.push(join(tiles.slice(first, first + columns), 4));
    return join(rows, 3);
  });
}

const join = (parts: tf.Tensor[], axis: number) => (parts.length === 1 ? tf.clone(parts[0]!) : tf.concat(parts, axis));

/** How a tile of one coder is cut out of the picture, and what it gives up on its way. */
export interface TilePlan {
  /** What the tile starts from, in the coordinates of what is cut: latents to be decoded, or (patches of) pixels to be encoded. */
  region: Area;
  /** Gives up what stage `index` and the rest no longer need; after the last stage everything around the tile. */
  trim(x: tf.Tensor, index: number): tf.Tensor;
  /** Tiles with the same key are coded by the same steps. */
  key: string;
}

/** Around the tile, in pixels. */
type Border = Area;

/**
 * Stages of the decoder, from latents to pixels. A residual block has two windows that reach one pixel each, a change of size one
 * more on the finer side, and so has the last convolution.
 */
export function decoderTile(stages: readonly StagePlan[], tile: Area, height: number, width: number): TilePlan {
  const reach: number[] = [0];
  let needed = 1;
  for (const { blocks, resample } of stages.toReversed()) {
    needed = (resample ? Math.ceil((needed + 1) / 2) : needed) + 2 * blocks.length;
    reach.unshift(needed);
  }
  const scales = [1];
  for (const { resample } of stages) scales.push(scales.at(-1)! * (resample ? 2 : 1));
  return tilePlan(reach, scales, reach[0]!, tile, height, width);
}

/** Stages of the encoder up to the last change of size, from pixels to the size of the latents. */
export function encoderTile(stages: readonly StagePlan[], tile: Area, height: number, width: number): TilePlan {
  const reach: number[] = [0];
  const scales = [1];
  for (const { blocks, resample } of stages.toReversed()) {
    // Halving must go on in step with the whole picture, so that a border has an even number of pixels.
    const needed = (resample ? 2 * reach[0]! + 2 : reach[0]!) + 2 * blocks.length;
    reach.unshift(needed + (needed % 2));
    scales.unshift(scales[0]! * (resample ? 2 : 1));
  }
  return tilePlan(reach, scales, reach[0]! + 2, tile, height, width); // the first convolution reaches one pixel
}

/**
 * `reach[i]`: how many pixels around the tile stage i must see, at its entrance, where a latent value has `scales[i]` pixels along each
 * axis; the last entries are those of the result. `start`: how many are cut out with the tile. There are no more than the picture has.
 */
function tilePlan(
  reach: number[],
  scales: number[],
  start: number,
  tile: Area,
  height: number,
  width: number,
): TilePlan {
  const border = (wanted: number, scale: number): Border => ({
    top: Math.min(wanted, tile.top * scale),
    bottom: Math.min(wanted, (height - tile.bottom) * scale),
    left: Math.min(wanted, tile.left * scale),
    right: Math.min(wanted, (width - tile.right) * scale),
  });
  const first = scales[0]!;
  const cut = border(start, first);
  return {
    region: {
      top: tile.top * first - cut.top,
      bottom: tile.bottom * first + cut.bottom,
      left: tile.left * first - cut.left,
      right: tile.right * first + cut.right,
    },
    trim(x, index) {
      const before = index === 0 ? cut : border(reach[index - 1]!, scales[index - 1]!);
      const growth = index === 0 ? 1 : scales[index]! / scales[index - 1]!;
      const after = border(reach[index]!, scales[index]!);
      const [, , , rows, columns] = x.shape as [number, number, number, number, number];
      return cutArea(x, {
        top: before.top * growth - after.top,
        bottom: rows - (before.bottom * growth - after.bottom),
        left: before.left * growth - after.left,
        right: columns - (before.right * growth - after.right),
      });
    },
    key: JSON.stringify([cut, ...reach.map((wanted, index) => border(wanted, scales[index]!))]),
  };
}

/** x [batch, channels, frames, height, width] -> the rows and columns of `area` */
export function cutArea(x: tf.Tensor, { top, bottom, left, right }: Area): tf.Tensor {
  const [batch, channels, frames, height, width] = x.shape as [number, number, number, number, number];
  if (top === 0 && left === 0 && bottom === height && right === width) return x;
  return tf.slice(x, [0, 0, 0, top, left], [batch, channels, frames, bottom - top, right - left]);
}
