import type { Brush, BrushStroke } from '../domain/brush.ts';
import { smoothStep } from './smooth-step.ts';

/** From this share of a stroke's radius on its effect fades towards its edge. */
const solid = 0.5;

interface MaskSize {
  width: number;
  height: number;
  frameCount: number;
}

/** Masks as they are with the strokes of a brush over them, the same in every frame; without strokes the masks as they are. */
export function brushedMasks(
  masks: Float32Array[] | null,
  brush: Brush,
  { width, height, frameCount }: MaskSize,
): Float32Array[] | null {
  if (brush.length === 0) return masks;
  // All strokes together are one blend: kept x mask + laid.
  const kept = new Float32Array(width * height).fill(1);
  const laid = new Float32Array(width * height);
  for (const stroke of brush) {
    coverStroke(stroke, width, height).forEach((cover, pixel) => {
      kept[pixel]! *= 1 - cover;
      laid[pixel] = laid[pixel]! * (1 - cover) + (stroke.acts ? cover : 0);
    });
  }
  if (!masks) {
    const painted = kept.map((share, pixel) => share + laid[pixel]!);
    return Array.from({ length: frameCount }, () => painted);
  }
  return masks.map((mask) => mask.map((free, pixel) => kept[pixel]! * free + laid[pixel]!));
}

/** How far a stroke covers each pixel, [height, width], 0 to 1. */
function coverStroke({ points, size }: BrushStroke, width: number, height: number): Float32Array {
  const cover = new Float32Array(width * height);
  const radius = Math.max(0.75, (size * Math.min(width, height)) / 2);
  points.forEach(([x, y], index) => {
    const [fromX, fromY] = points[Math.max(0, index - 1)]!;
    const line = { fromX: fromX * width, fromY: fromY * height, toX: x * width, toY: y * height };
    const left = Math.max(0, Math.floor(Math.min(line.fromX, line.toX) - radius));
    const right = Math.min(width, Math.ceil(Math.max(line.fromX, line.toX) + radius));
    const top = Math.max(0, Math.floor(Math.min(line.fromY, line.toY) - radius));
    const bottom = Math.min(height, Math.ceil(Math.max(line.fromY, line.toY) + radius));
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) {
        const away = distanceToLine(column + 0.5, row + 0.5, line) / radius;
        const share = smoothStep(1 - away, 0, 1 - solid);
        const at = row * width + column;
        cover[at] = Math.max(cover[at]!, share);
      }
    }
  });
  return cover;
}

interface Line {
  fromX: number;
  fromY: number;
  toX: number;
  toY: number;
}

function distanceToLine(x: number, y: number, { fromX, fromY, toX, toY }: Line): number {
  const [alongX, alongY] = [toX - fromX, toY - fromY];
  const length = alongX ** 2 + alongY ** 2;
  const place = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - fromX) * alongX + (y - fromY) * alongY) / length));
  return Math.hypot(x - fromX - place * alongX, y - fromY - place * alongY);
}
