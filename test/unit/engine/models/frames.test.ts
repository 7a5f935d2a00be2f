import { beforeAll, expect, test } from 'vitest';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { framesToVideo, videoToFrames } from '../../../../main/engine/models/frames.ts';

beforeAll(async () => {
  await selectBackend({ device: 'cpu' });
});

test('every byte survives becoming video and back', async () => {
  const data = Uint8Array.from({ length: 2 * 8 * 16 * 3 }, (_, index) => index % 256);
  const frames = { data, count: 2, width: 16, height: 8 };
  const video = framesToVideo(frames);
  expect(video.shape).toEqual([1, 3, 2, 8, 16]);
  expect(await videoToFrames(video)).toEqual(frames);
});

test('channels, rows and columns keep their places', async () => {
  const red = Uint8Array.from([255, 0, 0, 0, 255, 0]); // a red and a green pixel side by side
  const video = framesToVideo({ data: red, count: 1, width: 2, height: 1 });
  expect(await video.array()).toEqual([[[[[1, -1]]], [[[-1, 1]]], [[[-1, -1]]]]]);
});

test('values beyond the range are clipped, and a wrong number of bytes is refused', async () => {
  const { data } = await videoToFrames(tf.tensor([-3, 0, 9], [1, 3, 1, 1, 1]));
  expect([...data]).toEqual([0, 128, 255]);
  expect(() => framesToVideo({ data: new Uint8Array(5), count: 1, width: 1, height: 1 })).toThrow('3 bytes, found 5');
});
