import * as tf from '../backends/tf.ts';
import type { Pictures } from '../formats/raw-frames.ts';

/** Every byte as the model sees it. */
const levels = Float32Array.from({ length: 256 }, (_, byte) => byte / 127.5 - 1);

/**
 * Bytes 0..255 -> video [1, 3, count + grey, height, width] in -1..1, whose last frames are 0. Throws when the bytes are not that many.
 */
export function framesToVideo({ data, count, width, height }: Pictures, greyFrames = 0): tf.Tensor {
  const pixels = count * height * width;
  if (data.length !== 3 * pixels)
    throw new Error(`${count} frames of ${width} x ${height} have ${3 * pixels} bytes, found ${data.length}`);
  const plane = (count + greyFrames) * height * width;
  const values = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++)
    for (let from = channel, to = channel * plane; from < data.length; from += 3) values[to++] = levels[data[from]!]!;
  return tf.tensor(values, [1, 3, count + greyFrames, height, width]);
}

/** Video [1, 3, count, height, width] in -1..1 -> bytes, rounded to the nearest. */
export async function videoToFrames(video: tf.Tensor): Promise<Pictures> {
  const [batch, channels, count, height, width] = video.shape as [number, number, number, number, number];
  if (batch !== 1 || channels !== 3) throw new Error(`expected one clip of three channels, found [${video.shape}]`);
  const values = await video.data();
  const pixels = count * height * width;
  const data = new Uint8ClampedArray(3 * pixels); // which rounds and clips
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let channel = 0; channel < 3; channel++)
      data[3 * pixel + channel] = (values[channel * pixels + pixel]! + 1) * 127.5;
  return { data: new Uint8Array(data.buffer), count, width, height };
}
