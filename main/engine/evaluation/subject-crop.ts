import type { RenderOptions } from '../../world/render.ts';
import type { Pictures } from '../formats/raw-frames.ts';

/** A square of a frame in pixels; it may reach beyond the frame. */
export interface Box {
  left: number;
  top: number;
  side: number;
}

/** Side of the pictures that crops are scaled to: the judge's. */
const cropSide = 128;
/** How much larger than the subject a crop is. */
const padding = 1.1;

/**
 * Squares around a subject, one a frame: all as large as the largest frame of it needs, plus a tenth, so that
 * what moves in the crops is the subject and not their size. A frame without the subject has the square of
 * the one before. `coverage`: [frames, height, width]; without any, whole frames.
 */
export function subjectBoxes(
  coverage: Uint8Array | undefined,
  { width, height, frameCount = 17 }: RenderOptions,
): Box[] {
  const whole = { left: 0, right: width, top: 0, bottom: height };
  const found = Array.from({ length: frameCount }, (_, frame) => boundsOf(coverage, frame, width, height));
  let last = found.find((bounds) => bounds !== null) ?? whole;
  const bounds = found.map((each) => {
    last = each ?? last;
    return last;
  });
  const sides = bounds.map(({ left, right, top, bottom }) => Math.max(right - left, bottom - top));
  const side = Math.min(Math.max(width, height), Math.ceil(padding * Math.max(...sides)));
  return bounds.map(({ left, right, top, bottom }) => ({
    left: Math.round((left + right - side) / 2),
    top: Math.round((top + bottom - side) / 2),
    side,
  }));
}

function boundsOf(coverage: Uint8Array | undefined, frame: number, width: number, height: number) {
  if (!coverage) return null;
  let [left, right, top, bottom] = [width, 0, height, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (coverage[(frame * height + y) * width + x]! < 128) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
  }
  return right > left ? { left, right, top, bottom } : null;
}

/** The squares of a clip, scaled bilinearly to 128 x 128; beyond its edge the edge goes on. */
export function cropTo({ data, count, width, height }: Pictures, boxes: readonly Box[]): Pictures {
  const out = new Uint8Array(count * cropSide * cropSide * 3);
  let target = 0;
  for (let frame = 0; frame < count; frame++) {
    const { left, top, side } = boxes[Math.min(frame, boxes.length - 1)]!;
    const scale = side / cropSide;
    const start = frame * height * width * 3;
    for (let y = 0; y < cropSide; y++) {
      const [y0, y1, down] = between(top + (y + 0.5) * scale - 0.5, height);
      for (let x = 0; x < cropSide; x++) {
        const [x0, x1, across] = between(left + (x + 0.5) * scale - 0.5, width);
        for (let channel = 0; channel < 3; channel++) {
          const at = (row: number, column: number) => data[start + (row * width + column) * 3 + channel]!;
          const upper = at(y0, x0) + across * (at(y0, x1) - at(y0, x0));
          const lower = at(y1, x0) + across * (at(y1, x1) - at(y1, x0));
          out[target++] = Math.round(upper + down * (lower - upper));
        }
      }
    }
  }
  return { data: out, count, width: cropSide, height: cropSide };
}

/** The two pixels that a place lies between, inside of 0 to size - 1, and how far it is from the first. */
function between(place: number, size: number): [first: number, second: number, share: number] {
  const inside = Math.min(size - 1, Math.max(0, place));
  const first = Math.floor(inside);
  return [first, Math.min(size - 1, first + 1), inside - first];
}
