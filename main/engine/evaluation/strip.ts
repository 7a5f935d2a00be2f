import { createCanvas, ImageData, type SKRSContext2D } from '@napi-rs/canvas';
import { writeWhole } from '../../files/place.ts';
import { type Pictures, pictureAt } from '../formats/raw-frames.ts';

const columns = 6;
const gap = 2;
const quality = 80;

/** Writes a few frames of a clip side by side as one WebP file, evenly spread from the first to the last. */
export async function writeStrip(file: string, pictures: Pictures): Promise<void> {
  const { count, width, height } = pictures;
  const shown = Math.min(columns, count);
  const canvas = createCanvas(shown * (width + gap) - gap, height);
  const context = canvas.getContext('2d');
  for (let column = 0; column < shown; column++) {
    const frame = shown === 1 ? 0 : Math.round((column * (count - 1)) / (shown - 1));
    drawPicture(context, pictureAt(pictures, frame), column * (width + gap), 0);
  }
  await writeWhole(file, await canvas.encode('webp', quality));
}

/** Draws the first frame of a clip. */
export function drawPicture(
  context: SKRSContext2D,
  { data, width, height }: Pictures,
  left: number,
  top: number,
): void {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++)
    for (let channel = 0; channel < 3; channel++) rgba[pixel * 4 + channel] = data[pixel * 3 + channel]!;
  context.putImageData(new ImageData(rgba, width, height), left, top);
}
