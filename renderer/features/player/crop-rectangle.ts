import type { CropRectangle } from '../../../shared/domain/clip.ts';

interface Point {
  x: number;
  y: number;
}

/** A smaller one was no drag. */
const leastSide = 16;

/**
 * The rectangle that is drawn from one point of a picture to another, in whole pixels; null while it is too small. With a ratio (width to
 * height) it is the largest of that shape which begins at `from`, goes as far as the pointer in one direction, and stays in the picture.
 */
export function cropBetween(
  from: Point,
  to: Point,
  picture: { width: number; height: number },
  ratio: number | null,
): CropRectangle | null {
  let width = Math.abs(to.x - from.x);
  let height = Math.abs(to.y - from.y);
  const isLeft = to.x < from.x;
  const isUp = to.y < from.y;
  if (ratio !== null) {
    const room = { x: isLeft ? from.x : picture.width - from.x, y: isUp ? from.y : picture.height - from.y };
    const wished = Math.max(width, height * ratio);
    width = Math.min(wished, room.x, room.y * ratio);
    height = width / ratio;
  }
  [width, height] = [Math.round(width), Math.round(height)];
  if (width < leastSide || height < leastSide) return null;
  const left = Math.max(0, isLeft ? from.x - width : from.x);
  const top = Math.max(0, isUp ? from.y - height : from.y);
  return { left, top, width, height };
}
