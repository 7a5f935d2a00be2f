import { z } from 'zod';
import { rational } from './time.ts';

/**
 * All frames of a clip in one picture, row by row, so that clips can be shown in step, frame by frame, by
 * whoever shows pictures.
 */
export const frameSheet = z.object({
  file: z.string(),
  /** Of one frame. */
  width: z.int().positive(),
  height: z.int().positive(),
  frameCount: z.int().positive(),
  columns: z.int().positive(),
  rate: rational,
});
export type FrameSheet = z.infer<typeof frameSheet>;

/** WebP at this quality: all clips that are compared are coded alike. */
export const sheetQuality = 92;

/** As near to a square as can be. */
export const columnsOf = (frameCount: number) => Math.ceil(Math.sqrt(frameCount));

/** Where a frame is on its sheet. */
export function placeOf({ width, height, columns }: Omit<FrameSheet, 'file'>, frame: number) {
  return { left: (frame % columns) * width, top: Math.floor(frame / columns) * height };
}
