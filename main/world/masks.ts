import { Brush, lookOf, type PartName } from './brush.ts';
import { viewAt } from './camera.ts';
import { castShadow, enter, inDepth, type Stage } from './stage.ts';
import { drawings } from './subjects.ts';

/** Coverage of each part [frameCount, height, width], 0..255. */
export type Masks = Partial<Record<PartName, Uint8Array>>;

/** Parts are drawn in the three channels of two passes, so that their soft edges stay exact. */
const passes = [
  { flat: { subject: '#f00', shirt: '#ff0', held: '#f0f' }, parts: ['subject', 'shirt', 'held'] },
  { flat: { subject: '#000', trousers: '#f00', hat: '#0f0' }, parts: ['trousers', 'hat', 'shadow'] },
  { flat: { subject: '#000', arm: '#f00' }, parts: ['arm'] },
] as const;

/** Adds the masks of one moment: the coverage of every part that the scene shows. */
export function drawMasks(stage: Stage, seconds: number, index: number, frameCount: number, masks: Masks): void {
  const { width, height, scene, frame, light, layer, scratch } = stage;
  const view = viewAt(scene, seconds, frame.aspect);
  const look = lookOf(scene);
  const size = width * height;
  const put = (part: PartName, data: Uint8ClampedArray, channel: number) => {
    const mask = masks[part] ?? new Uint8Array(frameCount * size);
    masks[part] = mask;
    for (let i = 0; i < size; i++) {
      const value = data[i * 4 + channel]!;
      if (value > mask[index * size + i]!) mask[index * size + i] = value;
    }
  };
  for (const pass of passes) {
    for (const subject of inDepth(stage)) {
      const drawing = drawings[subject.kind];
      const second = subject === scene.subjects[1];
      const on = layer.getContext('2d');
      on.setTransform(1, 0, 0, 1, 0, 0);
      on.clearRect(0, 0, width, height);
      enter(on, stage, subject, drawing, seconds, view);
      drawing.draw(new Brush(on, light, look, pass.flat), subject, seconds, frame);
      const map = scratch.getContext('2d');
      map.setTransform(1, 0, 0, 1, 0, 0);
      map.globalCompositeOperation = 'source-over';
      map.fillStyle = '#000';
      map.fillRect(0, 0, width, height);
      if ((pass.parts as readonly PartName[]).includes('shadow') && drawing.space === 'standing')
        castShadow(stage, map, subject, drawing, seconds, view, [0, 0, 255], 1);
      map.setTransform(1, 0, 0, 1, 0, 0);
      map.drawImage(layer, 0, 0);
      const { data } = map.getImageData(0, 0, width, height);
      (pass.parts as readonly PartName[]).forEach((part, channel) => {
        if (second && part === 'subject') put('second', data, channel);
        else if (!second || part === 'shadow') put(part, data, channel);
      });
    }
  }
}
