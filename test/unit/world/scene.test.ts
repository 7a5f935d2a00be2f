import { describe, expect, it } from 'vitest';
import { sampleScene, sceneSchema } from '../../../main/world/scene.ts';
import { belongsTo, isHeldOut, splitOf } from '../../../main/world/split.ts';
import { backgroundsOf, lightsOf, motionsOf, subjectKinds } from '../../../main/world/vocabulary.ts';

const seeds = Array.from({ length: 2000 }, (_, seed) => seed);

describe('sampleScene', () => {
  it('gives the same valid scene for the same seed', () => {
    for (const seed of seeds.slice(0, 200)) {
      expect(sceneSchema.parse(sampleScene(seed))).toEqual(sampleScene(seed));
    }
  });

  it('changes nothing else when one attribute is fixed', () => {
    const free = sampleScene(77, { subject: 'woman', second: 'none' });
    const fixed = sampleScene(77, { subject: 'woman', second: 'none', style: 'comic', light: 'fog' });
    expect({ ...fixed, style: free.style, light: free.light }).toEqual(free);
  });

  it('puts every subject only where it can be, with a motion that it knows', () => {
    for (const seed of seeds) {
      const scene = sampleScene(seed);
      for (const subject of scene.subjects) {
        expect(motionsOf[subject.kind]).toContain(subject.motion.kind);
        expect(backgroundsOf[subject.kind]).toContain(scene.background.kind);
      }
      expect(lightsOf(scene.background.kind)).toContain(scene.light.kind);
    }
  });

  it('draws every subject, and pairs of subjects', () => {
    const scenes = seeds.map((seed) => sampleScene(seed));
    expect(new Set(scenes.map((scene) => scene.subjects[0]!.kind))).toEqual(new Set(subjectKinds));
    const pairs = scenes.filter((scene) => scene.subjects.length === 2).length;
    expect(pairs).toBeGreaterThan(seeds.length * 0.06);
    expect(pairs).toBeLessThan(seeds.length * 0.25);
  });

  it('draws neighbouring seeds independently of each other', () => {
    const styles = seeds.map((seed) => sampleScene(seed).style.kind);
    const repeated = styles.filter((style, i) => style === styles[i + 1]).length / styles.length;
    // The chance of two equal styles in a row: half photographs, the rest even.
    expect(repeated).toBeGreaterThan(0.24);
    expect(repeated).toBeLessThan(0.38);
  });
});

describe('the split', () => {
  it('goes by the last digit of the seed', () => {
    expect([0, 10, 1, 31, 2, 9].map(splitOf)).toEqual(['test', 'test', 'validation', 'validation', 'train', 'train']);
  });

  it('keeps combinations that are held out away from training and validation', () => {
    const scenes = seeds.map((seed) => sampleScene(seed));
    const heldOut = scenes.filter(isHeldOut);
    expect(heldOut.length).toBeGreaterThan(20);
    expect(heldOut.length).toBeLessThan(scenes.length * 0.12);
    for (const scene of heldOut) {
      expect(belongsTo(scene, 'train')).toBe(false);
      expect(belongsTo(scene, 'validation')).toBe(false);
    }
  });
});
