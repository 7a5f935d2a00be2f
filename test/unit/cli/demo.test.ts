import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generalEdits, planVideos } from '../../../main/cli/demo/plan.ts';
import { bundledSample } from '../../../main/cli/demo/sample.ts';

const caption = { static: 'a [v] dog on a lawn', dynamic: 'is running in [u] motion' };

test('the bundled sample is there, and its edits change words of its own caption', () => {
  const { file, caption, edits } = bundledSample();
  expect(existsSync(file)).toBe(true);
  expect(edits.map(({ name }) => name)).toEqual(['edit-global', 'edit-local']);
  for (const { prompt } of edits) {
    expect(prompt).toContain('[v]');
    expect(prompt).toContain(caption.dynamic);
    expect(prompt).not.toContain(caption.static);
  }
});

test('reconstruction, edits and five positions of each slider are planned, each under its own name', () => {
  const videos = planVideos(caption, generalEdits(caption), { seed: 3, steps: 10 });
  expect(videos).toHaveLength(1 + 2 + 5 + 5);
  expect(new Set(videos.map(({ name }) => name)).size).toBe(videos.length);
  expect(videos[0]!.settings).toMatchObject({ prompt: `${caption.static} ${caption.dynamic}`, seed: 3, steps: 10 });
  expect(videos.at(-1)).toMatchObject({ name: 'motion-1.50', settings: { sliders: { motion: 1.5 } } });
});

test('a clip of which only the caption is known is changed in light and medium', () => {
  const prompts = generalEdits(caption).map(({ prompt }) => prompt);
  expect(prompts[0]).toBe('a [v] dog on a lawn, at night is running in [u] motion');
  expect(prompts).toHaveLength(2);
});
