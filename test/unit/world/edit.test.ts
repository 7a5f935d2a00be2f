import { describe, expect, it } from 'vitest';
import { attributes } from '../../../main/world/caption.ts';
import { changeKinds, compareWords, editScene, possibleValues, sampleChange } from '../../../main/world/edit.ts';
import { renderEdit } from '../../../main/world/edit-mask.ts';
import { sampleScene } from '../../../main/world/scene.ts';
import { stylesOf } from '../../../main/world/vocabulary.ts';

const size = { width: 48, height: 48, frameCount: 2, frameRate: 1 };

/** What the first edition can change; seasons and films are in looks.test.ts. */
const firstKinds = changeKinds.filter((kind) => kind !== 'season' && kind !== 'film');

/** The label that each kind of change shows in. */
const label = {
  shirt: 'shirtColour',
  hat: 'hat',
  held: 'heldObject',
  background: 'background',
  light: 'light',
  style: 'style',
  camera: 'camera',
  subject: 'subject',
  motion: 'motion',
} as const;

describe('editScene', () => {
  it.each(firstKinds.map((kind) => [kind]))('changes the %s and no other attribute', (kind) => {
    for (const seed of [3, 14, 25]) {
      const scene = sampleScene(seed, { subject: 'woman', motion: 'wave', second: 'none' });
      const before = attributes(scene);
      const change = sampleChange(scene, kind)!;
      const { scene: edited } = editScene(scene, change);
      const after = attributes(edited);
      expect(after[label[kind]]).toBe(change.to);
      expect(attributes(scene)).toEqual(before);
      if (kind !== 'subject') expect({ ...after, [label[kind]]: before[label[kind]] }).toEqual(before);
      else expect(after).toMatchObject({ motion: before.motion, background: before.background, style: before.style });
    }
  });

  it('says which words changed', () => {
    const scene = sampleScene(3, { subject: 'man', second: 'none', background: 'park', light: 'day' });
    const { changed, after } = editScene(scene, sampleChange(scene, 'shirt')!);
    expect(changed.static.removed).toEqual([scene.subjects[0]!.clothes.shirt]);
    expect(changed.static.added).toHaveLength(1);
    expect(changed.dynamic).toEqual({ removed: [], added: [] });
    expect(after.static).toContain(changed.static.added[0]);
  });

  it('takes the token away from another subject and from another motion', () => {
    const scene = sampleScene(3, { subject: 'man', motion: 'dance', second: 'none' });
    const tokens = { identityToken: '[v]', motionToken: '[u]' };
    const other = editScene(scene, { kind: 'subject', to: 'robot' }, tokens);
    expect([other.before.static, other.after.static].map((text) => text.includes('[v]'))).toEqual([true, false]);
    expect(other.after.dynamic).toContain('[u]');
    const moved = editScene(scene, { kind: 'motion', to: 'jump' }, tokens);
    expect(moved.after.dynamic).not.toContain('[u]');
  });

  it('refuses what does not fit, and says what would', () => {
    const tree = sampleScene(2, { subject: 'tree' });
    expect(possibleValues(tree, 'shirt')).toEqual([]);
    expect(sampleChange(tree, 'shirt')).toBeNull();
    expect(() => editScene(tree, { kind: 'shirt', to: 'red' })).toThrow(/possible: nothing/);
    const car = sampleScene(2, { subject: 'car', motion: 'drive' });
    expect(() => editScene(car, { kind: 'motion', to: 'swim' })).toThrow(/possible: bounce, turn/);
  });
});

describe('renderEdit', () => {
  it.each(firstKinds.map((kind) => [kind]))('changes pixels inside the mask of a new %s and none outside', (kind) => {
    for (const [i, style] of stylesOf().entries()) {
      const scene = sampleScene(40 + i, {
        subject: i % 2 ? 'man' : 'girl',
        motion: 'dance',
        second: i === 3 ? 'dog' : 'none',
        style,
      });
      const { source, target, mask } = renderEdit(scene, sampleChange(scene, kind)!, size);
      let inside = 0;
      let outside = 0;
      for (let k = 0; k < mask.length; k++) {
        const apart = Math.max(
          ...[0, 1, 2].map((c) => Math.abs(source.frames[k * 3 + c]! - target.frames[k * 3 + c]!)),
        );
        if (mask[k]) inside = Math.max(inside, apart);
        else outside = Math.max(outside, apart);
      }
      expect(inside, style).toBeGreaterThan(15);
      expect(outside, style).toBeLessThanOrEqual(2);
    }
  });

  it('leaves most of the picture alone when only a shirt or a hat changes', () => {
    const scene = sampleScene(52, { subject: 'boy', motion: 'sway', second: 'none', style: 'photo' });
    for (const kind of ['shirt', 'hat', 'held'] as const) {
      const { mask } = renderEdit(scene, sampleChange(scene, kind)!, size);
      expect(mask.filter(Boolean).length / mask.length).toBeLessThan(0.35);
    }
  });
});

describe('compareWords', () => {
  it('finds what was taken out and what was put in', () => {
    expect(compareWords('a man in a red shirt', 'a man in a blue shirt and a hat')).toEqual({
      removed: ['red'],
      added: ['blue', 'and', 'a', 'hat'],
    });
  });
});
