import { describe, expect, it } from 'vitest';
import { attributes, caption, captionWords, wordsOf } from '../../../main/world/caption.ts';
import { sampleScene } from '../../../main/world/scene.ts';
import { isPerson } from '../../../main/world/vocabulary.ts';

const scenes = Array.from({ length: 1500 }, (_, seed) => sampleScene(seed));

describe('caption', () => {
  it('uses only words of the canonical list', () => {
    const known = new Set(captionWords());
    const unknown = new Set<string>();
    for (const scene of scenes) {
      for (const variant of [0, 1, 2]) {
        const text = caption(scene, { variant });
        for (const word of wordsOf(`${text.static} ${text.dynamic}`)) if (!known.has(word)) unknown.add(word);
      }
    }
    expect([...unknown]).toEqual([]);
  });

  it('names the shirt, the background and the style of a person in its full wording', () => {
    const scene = sampleScene(8, {
      subject: 'woman',
      second: 'none',
      background: 'beach',
      light: 'day',
      style: 'watercolour',
    });
    const text = caption(scene).static;
    expect(text).toContain(scene.subjects[0]!.clothes.shirt);
    expect(text).toMatch(/beach|sea/);
    expect(text).toContain('watercolour');
  });

  it('says the same thing in several ways', () => {
    const wordings = new Set([0, 1, 2, 3, 4, 5].map((variant) => caption(scenes[12]!, { variant }).static));
    expect(wordings.size).toBeGreaterThan(3);
  });

  it('puts the tokens of a learned concept where they belong', () => {
    const scene = sampleScene(21, { subject: 'man', second: 'none', motion: 'dance' });
    const text = caption(scene, { identityToken: '[v]', motionToken: '[u]' });
    expect(text.static).toContain('[v]');
    expect(text.dynamic).toContain('in [u] motion');
    expect(caption(scene).static).toBe(text.static.replace('[v] ', ''));
  });

  it('never doubles a space, a comma or an article', () => {
    for (const scene of scenes) {
      const text = caption(scene, { variant: scene.seed % 3 });
      for (const part of [text.static, text.dynamic]) expect(part).not.toMatch(/ {2}|,,|^,|, *$|\ba an?\b|\ban a\b/);
    }
  });
});

describe('attributes', () => {
  it('match the scene, with none for what is not there', () => {
    for (const scene of scenes.slice(0, 300)) {
      const subject = scene.subjects[0]!;
      const labels = attributes(scene);
      expect(labels).toMatchObject({
        subject: subject.kind,
        motion: subject.motion.kind,
        background: scene.background.kind,
        light: scene.light.kind,
        style: scene.style.kind,
        camera: scene.camera.kind,
        heldObject: subject.held,
        secondSubject: scene.subjects[1]?.kind ?? 'none',
      });
      expect(labels.shirtColour).toBe(isPerson(subject.kind) ? subject.clothes.shirt : 'none');
    }
  });
});
