import { parentPort, workerData } from 'node:worker_threads';
import { findChange, type SmallClip } from '../../shared/finish/change.ts';
import { createFinisher, type FinishSettings } from '../../shared/finish/finish-frame.ts';

/** What the thread is started with. */
export interface FinishJob extends FinishSettings {
  base: SmallClip;
  edited: SmallClip;
  width: number;
  height: number;
  /** Pictures of 16 bits. */
  isDeep: boolean;
}

/** One picture to finish in place: the bytes of RGB [height, width, 3], and its time in the model's frames. */
export interface PictureToFinish {
  rgb: Uint8Array<ArrayBuffer>;
  time: number;
}

/** A thread that finishes pictures in the order that they come in; each goes back as the same memory. */
const { base, edited, width, height, isDeep, ...settings } = workerData as FinishJob;
const change = findChange(base, edited, settings);
const { finish } = createFinisher(change, settings);
parentPort!.on('message', ({ rgb, time }: PictureToFinish) => {
  const values = isDeep ? new Uint16Array(rgb.buffer) : rgb;
  finish({ rgb: values, width, height }, time, values);
  parentPort!.postMessage(rgb, [rgb.buffer]);
});
