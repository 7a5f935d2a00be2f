import { parentPort, workerData } from 'node:worker_threads';
import { findChange, type SmallClip } from '../../shared/finish/change.ts';
import { createFinisher, type FinishSettings } from '../../shared/finish/finish-frame.ts';

/** What the thread is started with. */
export interface FinishJob extends FinishSettings {
  base: SmallClip;
  edited: SmallClip;
  width: number;
  height: number;
}

/** One picture to finish in place: uint8 RGB [height, width, 3], and its time in the model's frames. */
export interface PictureToFinish {
  rgb: Uint8Array<ArrayBuffer>;
  time: number;
}

/** A thread that finishes pictures in the order that they come in; each goes back as the same memory. */
const { base, edited, width, height, ...settings } = workerData as FinishJob;
const change = findChange(base, edited, settings);
const { finish } = createFinisher(change, settings);
parentPort!.on('message', ({ rgb, time }: PictureToFinish) => {
  finish({ rgb, width, height }, time, rgb);
  parentPort!.postMessage(rgb, [rgb.buffer]);
});
