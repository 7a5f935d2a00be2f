import { createCanvas } from '@napi-rs/canvas';
import { columnsOf, type FrameSheet, placeOf, sheetQuality } from '../../../shared/domain/frame-sheet.ts';
import type { Rational } from '../../../shared/domain/time.ts';
import { writeWhole } from '../../files/place.ts';
import { type Pictures, pictureAt } from '../formats/raw-frames.ts';
import { drawPicture } from './strip.ts';

/** Writes all frames of a clip as one WebP file; `named` is how the sheet speaks of it. */
export async function writeFrameSheet(
  file: string,
  pictures: Pictures,
  rate: Rational,
  named = file,
): Promise<FrameSheet> {
  const { count, width, height } = pictures;
  const columns = columnsOf(count);
  const sheet: FrameSheet = { file: named, width, height, frameCount: count, columns, rate };
  const canvas = createCanvas(columns * width, Math.ceil(count / columns) * height);
  const context = canvas.getContext('2d');
  for (let frame = 0; frame < count; frame++) {
    const { left, top } = placeOf(sheet, frame);
    drawPicture(context, pictureAt(pictures, frame), left, top);
  }
  await writeWhole(file, await canvas.encode('webp', sheetQuality));
  return sheet;
}
