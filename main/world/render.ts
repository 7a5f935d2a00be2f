import { applyFilm } from './film.ts';
import { drawMasks, type Masks } from './masks.ts';
import type { Scene } from './scene.ts';
import { drawFrame, prepare } from './stage.ts';
import { applyStyle } from './style.ts';

export interface RenderOptions {
  width: number;
  height: number;
  /** 17 by default. */
  frameCount?: number;
  /** Frames per second, 8 by default. */
  frameRate?: number;
  /** Masks cost about as much as the frames; none by default. */
  masks?: boolean;
}

export interface Rendering {
  /** [frameCount, height, width, 3], 0..255. */
  frames: Uint8Array;
  /** Empty unless asked for. */
  masks: Masks;
}

/** Draws a scene. The same scene and options give the same pixels. */
export function render(scene: Scene, options: RenderOptions): Rendering {
  const { width, height, frameCount = 17, frameRate = 8 } = options;
  const stage = prepare(scene, width, height);
  const frames = new Uint8Array(frameCount * height * width * 3);
  const masks: Masks = {};
  for (let index = 0; index < frameCount; index++) {
    const seconds = index / frameRate;
    drawFrame(stage, seconds);
    const { data } = stage.ctx.getImageData(0, 0, width, height);
    const size = height * width * 3;
    const frame = frames.subarray(index * size, (index + 1) * size);
    applyStyle(scene, data, frame, width, height, index);
    applyFilm(scene, frame, width, height, index);
    if (options.masks) drawMasks(stage, seconds, index, frameCount, masks);
  }
  return { frames, masks };
}

/** The masks of a rendering alone, in about half its time. */
export function renderMasks(scene: Scene, { width, height, frameCount = 17, frameRate = 8 }: RenderOptions): Masks {
  const stage = prepare(scene, width, height);
  const masks: Masks = {};
  for (let index = 0; index < frameCount; index++) drawMasks(stage, index / frameRate, index, frameCount, masks);
  return masks;
}
