import { createRandom } from './random.ts';
import type { Scene } from './scene.ts';

/** Where the camera is at one moment: the picture is enlarged by `zoom` around its middle and moved by (x, y) frame heights. */
export interface View {
  zoom: number;
  x: number;
  y: number;
  roll: number;
}

/** How much more than the frame the scenery has to cover on each axis. */
export const overscan = 1.45;

function ease(t: number): number {
  const clamped = Math.min(1, Math.max(0, t));
  return clamped * (0.6 + 0.4 * clamped * (3 - 2 * clamped));
}

/** A zoom goes towards the faces, above the middle of the frame. */
function zoomed(zoom: number): View {
  return { zoom, x: 0, y: 0.3 * (1 - 1 / zoom), roll: 0 };
}

/** The view of a scene's camera `seconds` after the start; a move takes about two seconds. */
export function viewAt(scene: Scene, seconds: number, aspect: number): View {
  const { kind, amount } = scene.camera;
  const progress = ease(seconds / 2.1);
  const reach = (0.12 + 0.06 * amount) * Math.min(1.3, aspect);
  switch (kind) {
    case 'still':
      return { zoom: 1, x: 0, y: 0, roll: 0 };
    case 'zoom in':
      return zoomed(1 + (0.35 + 0.25 * amount) * progress);
    case 'zoom out':
      return zoomed(1 + (0.35 + 0.25 * amount) * (1 - progress));
    // The camera turning left moves everything to the right.
    case 'pan left':
      return { zoom: 1, x: reach * (2 * progress - 1), y: 0, roll: 0 };
    case 'pan right':
      return { zoom: 1, x: reach * (1 - 2 * progress), y: 0, roll: 0 };
    case 'shake': {
      const random = createRandom(scene.seed, 'shake');
      const strength = 0.012 + 0.012 * amount;
      const wobble = (speed: number) => {
        const offset = random.next() * 7;
        const pace = speed * random.range(0.8, 1.25);
        return Math.sin(pace * seconds + offset) + 0.6 * Math.sin(1.73 * pace * seconds + offset * 2);
      };
      return { zoom: 1.06, x: strength * wobble(13), y: strength * wobble(15), roll: strength * 0.9 * wobble(11) };
    }
    default:
      return kind satisfies never;
  }
}
