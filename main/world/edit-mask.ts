import type { PartName } from './brush.ts';
import type { CaptionOptions } from './caption.ts';
import { type Change, type EditedScene, editScene } from './edit.ts';
import { type Rendering, type RenderOptions, render } from './render.ts';
import type { Scene } from './scene.ts';
import { isElement, type StyleKind } from './vocabulary.ts';

export interface RenderedEdit extends EditedScene {
  source: Rendering;
  target: Rendering;
  /** [frameCount, height, width]: 255 where the edit may change the picture, 0 where it must not. */
  mask: Uint8Array;
}

/** How far a style carries a change of one pixel, in pixels of a frame 128 high. */
const styleReach: Record<StyleKind, number> = {
  photo: 1,
  '3D animation': 4,
  watercolour: 7,
  pencil: 5,
  'pixel art': 4,
  comic: 3,
  ink: 5,
  oil: 9,
};

/**
 * Renders a scene before and after a change or several, with the mask of what may differ: the ground truth of
 * an edit.
 */
export function renderEdit(
  scene: Scene,
  change: Change | readonly Change[],
  options: RenderOptions,
  wording: CaptionOptions = {},
): RenderedEdit {
  const edited = editScene(scene, change, wording);
  const source = render(scene, { ...options, masks: true });
  const target = render(edited.scene, { ...options, masks: true });
  const masks = ([change].flat() as Change[]).map((each) => editMask(each, scene, source, target, options));
  const mask = masks.reduce((all, one) => all.map((value, i) => value | one[i]!));
  return { ...edited, source, target, mask };
}

/** Parts that a change redraws wherever they are, before or after. */
const redrawn: Partial<Record<Change['kind'], readonly PartName[]>> = {
  shirt: ['shirt'],
  hat: ['hat'],
  held: ['held', 'arm'],
  subject: ['subject', 'shadow'],
  motion: ['subject', 'shadow'],
};

/**
 * Where one change may show, in [frameCount, height, width] of both renderings, which have masks: 255 there,
 * else 0.
 */
export function editMask(
  change: Change,
  scene: Scene,
  source: Rendering,
  target: Rendering,
  { width, height }: RenderOptions,
): Uint8Array {
  const count = source.frames.length / 3;
  const mask = new Uint8Array(count);
  const parts = redrawn[change.kind];
  // A season is the place's leaves and ground; a tree wears it too.
  if (change.kind === 'background' || (change.kind === 'season' && !isElement(scene.subjects[0]!.kind))) {
    for (let i = 0; i < count; i++) {
      const covered = Math.max(source.masks.subject?.[i] ?? 0, source.masks.second?.[i] ?? 0);
      mask[i] = covered < 254 ? 255 : 0;
    }
  } else if (!parts) return mask.fill(255);
  else {
    for (const { masks } of [source, target]) {
      for (const part of parts) {
        const coverage = masks[part];
        if (coverage) for (let i = 0; i < count; i++) if (coverage[i]! > 0) mask[i] = 255;
      }
    }
    // A hat or an umbrella has a shadow too.
    const [before, after] = [source.masks.shadow, target.masks.shadow];
    if (before && after) for (let i = 0; i < count; i++) if (before[i] !== after[i]) mask[i] = 255;
  }
  const radius = Math.ceil(styleReach[scene.style.kind] * (height / 128)) + 1;
  return dilate(mask, width, height, radius);
}

/** Grows the marked area by `radius` pixels in each direction, frame by frame (separable square). */
function dilate(mask: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  const size = width * height;
  const rows = new Uint8Array(mask.length);
  const out = new Uint8Array(mask.length);
  for (let start = 0; start < mask.length; start += size) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (!mask[start + y * width + x]) continue;
        const from = start + y * width;
        rows.fill(255, from + Math.max(0, x - radius), from + Math.min(width, x + radius + 1));
      }
    }
    for (let y = 0; y < height; y++) {
      const low = Math.max(0, y - radius);
      const high = Math.min(height - 1, y + radius);
      for (let x = 0; x < width; x++) {
        if (!rows[start + y * width + x]) continue;
        for (let k = low; k <= high; k++) out[start + k * width + x] = 255;
      }
    }
  }
  return out;
}
