import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generalEdits, planVideos } from '../../../main/cli/demo/plan.ts';
import { type DemoLook, formatReport } from '../../../main/cli/demo/report.ts';
import { bundledSample } from '../../../main/cli/demo/sample.ts';
import { editSettings } from '../../../shared/domain/edit.ts';
import { makeClip, makeConcept } from '../../fixtures/library.ts';

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

test('the report says when the first look was finished, and names each with its words', () => {
  const look = (id: string, finishedAfterSeconds: number): DemoLook => ({
    file: `looks/${id}.mp4`,
    label: id,
    settings: editSettings.parse({ shown: 'a photograph by day | here', prompt: `a photograph at ${id}` }),
    seconds: 1.24,
    finishedAfterSeconds,
    reused: false,
  });
  const text = formatReport({
    clip: makeClip('c1'),
    looks: [look('sunset', 12.34), look('night', 15.5)],
    firstLookSeconds: 12.34,
    concept: makeConcept('k1', ['c1']),
    model: { name: 'm', parameters: 9e6 },
    device: {
      chosen: 'cpu',
      description: 'd',
      threads: 2,
      machine: 'm',
      matMulGflops: null,
      memoryBytes: null,
      candidates: [],
    },
    videos: [],
    lora: { file: 'concept.safetensors', sizeBytes: 1 },
    seconds: 100,
    takenOver: [],
  });
  expect(text).toContain('First finished look: 12.3 s after the start; all 2: 15.5 s');
  expect(text).toContain('| looks/sunset.mp4 | a photograph by day / here | a photograph at sunset | 1.2 | 12.3 |');
});
