import { describe, expect, it } from 'vitest';
import { render } from '../../../main/world/render.ts';
import { type SceneOptions, sampleScene } from '../../../main/world/scene.ts';
import {
  backgroundKinds,
  backgroundsOf,
  cameraKinds,
  lightKinds,
  lightsOf,
  motionsOf,
  styleKinds,
  subjectKinds,
} from '../../../main/world/vocabulary.ts';

const small = { width: 48, height: 48, frameCount: 3, frameRate: 3 };

function draw(options: SceneOptions, seed = 6, size = small) {
  return render(sampleScene(seed, { second: 'none', ...options }), size).frames;
}

/** Mean absolute difference of two pictures or clips. */
function difference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}

function spread(values: Uint8Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** A background where a subject can be. */
function home(kind: (typeof subjectKinds)[number]) {
  return backgroundsOf[kind].includes('beach') ? 'beach' : backgroundsOf[kind][0]!;
}

describe('render', () => {
  it('draws smoke whose first puff has not begun yet', () => {
    const scene = sampleScene(233); // its first puff is born just after the first frame
    expect(scene.subjects[0]!.kind).toBe('smoke');
    expect(spread(render(scene, small).frames)).toBeGreaterThan(5);
  });

  it('gives the same pixels for the same scene, whatever was drawn in between', () => {
    const first = draw({}, 31);
    draw({}, 32);
    expect(draw({}, 31)).toEqual(first);
  });

  it('draws the first moment alike, however many frames follow', () => {
    const camera = { camera: 'zoom in', motion: 'run', background: 'park', style: 'comic' } as const;
    const size = small.width * small.height * 3;
    const all = draw(camera, 6, { ...small, frameCount: 4, frameRate: 2 });
    const last = draw(camera, 6, { ...small, frameCount: 2, frameRate: 2 / 3 });
    // The fourth frame at 2 per second is the second at 2/3 per second.
    expect(last.slice(size)).toEqual(all.slice(size * 3));
  });

  it.each([
    [176, 96],
    [96, 176],
    [33, 65],
  ])('fills any size (%i x %i)', (width, height) => {
    const { frames, masks } = render(sampleScene(4), { width, height, frameCount: 2, masks: true });
    expect(frames.length).toBe(2 * width * height * 3);
    expect(masks.subject?.length).toBe(2 * width * height);
  });

  it.each(subjectKinds.map((kind) => [kind]))('shows a %s, with a mask, moving', (kind) => {
    for (const motion of motionsOf[kind]) {
      const scene = sampleScene(12, { subject: kind, motion, second: 'none', background: home(kind), camera: 'still' });
      const { frames, masks } = render(scene, { ...small, masks: true });
      const covered = masks.subject!.filter((value) => value > 128).length / masks.subject!.length;
      expect(covered, motion).toBeGreaterThan(0.01);
      const size = frames.length / 3;
      expect(difference(frames.slice(0, size), frames.slice(size, 2 * size)), motion).toBeGreaterThan(0.2);
    }
  });

  it('draws backgrounds that are full pictures and differ from each other', () => {
    const pictures = backgroundKinds.map((background) =>
      draw({ background, light: background === 'city at night' ? 'night' : 'day', subject: 'girl' }),
    );
    for (const picture of pictures) expect(spread(picture)).toBeGreaterThan(10);
    for (const [i, a] of pictures.entries()) {
      for (const b of pictures.slice(i + 1)) expect(difference(a, b)).toBeGreaterThan(5);
    }
  });

  it('draws lights and styles that differ from each other', () => {
    const options = { subject: 'woman', background: 'street', motion: 'wave', camera: 'still' } as const;
    const lights = lightKinds.map((light) => draw({ ...options, light, style: 'photo' }));
    const styles = styleKinds.map((style) => draw({ ...options, light: 'day', style }));
    for (const group of [lights, styles]) {
      for (const [i, a] of group.entries()) {
        for (const b of group.slice(i + 1)) expect(difference(a, b)).toBeGreaterThan(4);
      }
    }
  });

  it('moves the camera in every way but one', () => {
    for (const camera of cameraKinds) {
      const scene = sampleScene(5, {
        subject: 'boy',
        motion: 'nod',
        second: 'none',
        background: 'street',
        style: 'comic',
      });
      scene.camera.kind = camera;
      const { frames } = render(scene, small);
      const size = frames.length / 3;
      // The upper corner shows only the background.
      const corner = (frame: number) => frames.slice(frame * size, frame * size + small.width * 12);
      const moved = difference(corner(0), corner(2));
      if (camera === 'still') expect(moved).toBe(0);
      else expect(moved, camera).toBeGreaterThan(1);
    }
  });

  it('masks both subjects of a pair apart', () => {
    const scene = sampleScene(9, { subject: 'man', second: 'dog', motion: 'wave' });
    const { masks } = render(scene, { ...small, masks: true });
    expect(Math.max(...masks.subject!)).toBe(255);
    expect(Math.max(...masks.second!)).toBe(255);
    expect(lightsOf('city at night')).not.toContain('day');
  });
});
