import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConceptStore } from '../../../main/library/concepts.ts';
import { openLibrary } from '../../../main/library/open.ts';
import type { Services } from '../../../main/services/services.ts';
import type { GenerateRequest } from '../../../shared/domain/engine.ts';
import { engineThatTells } from '../../fixtures/fake-engine.ts';
import { makeConcept, makeTempFolder } from '../../fixtures/library.ts';
import { addClips, openTestServices, runNew } from '../../fixtures/services.ts';

let folder: string;
let services: Services;
const asked: GenerateRequest[] = [];

beforeEach(async () => {
  folder = makeTempFolder('beside');
  addClips(folder, 'river', 'lake');
  const library = openLibrary({ home: join(folder, 'home'), program: 'test' });
  const concepts = new ConceptStore(library);
  concepts.insert(makeConcept('dancer', ['river']));
  concepts.insert(makeConcept('dog', ['lake']));
  concepts.insert(makeConcept('stranger', ['lake'], { model: 'other' }));
  library.close();
  asked.length = 0;
  services = await openTestServices(folder, { engine: engineThatTells(asked) });
});
afterEach(async () => {
  await services.close();
  rmSync(folder, { recursive: true });
});

const request = (others: { conceptId: string; sliders?: object }[], conceptId: string | null = 'dancer') => ({
  kind: 'generate' as const,
  conceptId,
  sourceClipId: 'river',
  settings: { prompt: others.length > 0 ? 'a [v] person and a [v2] dog' : 'a [v] person', others },
});

it('an edit keeps who acts beside its concept, in which version, at which gains', async () => {
  const { output } = await runNew(services, request([{ conceptId: 'dog', sliders: { motion: 0.5 } }]));
  const { settings } = await services.call['edits.get']({ reference: (output as { editId: string }).editId });
  const sliders = { identity: 1, motion: 0.5, directions: {} };
  expect(settings.others).toEqual([{ conceptId: 'dog', conceptVersion: 1, sliders }]);
  const file = services.library.absolutePath('concepts/dog/v1/concept.safetensors');
  expect(asked.map(({ others }) => others)).toEqual([[{ file, sliders }]]);
});

it('the same settings are the same edit, and another gain of another concept is another', async () => {
  const made = async (motion: number) => {
    const { output } = await runNew(services, request([{ conceptId: 'dog', sliders: { motion } }]));
    return output as { editId: string; reused: boolean };
  };
  const first = await made(0.5);
  expect(await made(0.5)).toEqual({ ...first, reused: true });
  expect((await made(0.6)).reused).toBe(false);
  const alone = await runNew(services, request([]));
  expect(alone.output).toMatchObject({ reused: false });
});

it('the gain of the appearance makes another edit too', async () => {
  const made = async (appearance?: number) => {
    const asked = request([]);
    const { output } = await runNew(services, { ...asked, settings: { ...asked.settings, sliders: { appearance } } });
    return output as { editId: string; reused: boolean };
  };
  const first = await made();
  expect(await made(1)).toEqual({ ...first, reused: true });
  expect((await made(0.5)).reused).toBe(false);
});

it('a token that stands for nobody is refused, and says for whom there are some', async () => {
  const refused = (prompt: string, others: Parameters<typeof request>[0], conceptId?: null) => {
    const { kind: _, ...preview } = request(others, conceptId);
    return services.call['edits.preview']({ ...preview, settings: { ...preview.settings, prompt } }).then(
      () => null,
      ({ message, hint }: Error & { hint: string }) => [message, hint],
    );
  };
  expect(await refused('a [v] dog in the snow', [], null)).toEqual([
    '[v] stands for a concept, and this edit changes a clip by words alone.',
    'Edit the concept instead, or say in words what the clip shows.',
  ]);
  expect(await refused('a [v] lady and a [v2] dog', [])).toEqual([
    '[v2] stands for nothing here.',
    'The tokens of what acts are [v] and [u].',
  ]);
  expect(await refused('a [v] lady and a [v2] dog, both in [u3] motion', [{ conceptId: 'dog' }])).toEqual([
    '[u3] stands for nothing here.',
    'The tokens of what acts are [v] and [u], up to [v2] and [u2].',
  ]);
  expect(asked).toEqual([]);
  expect(await refused('a [v] lady and a [v2] dog', [{ conceptId: 'dog' }])).toBeNull();
});

it('concepts that cannot act together are refused before anything is computed', async () => {
  const refused = async (others: Parameters<typeof request>[0], conceptId?: null) => {
    const { kind: _, ...preview } = request(others, conceptId);
    return services.call['edits.preview'](preview).then(
      () => 'made',
      (error: Error) => error.message,
    );
  };
  expect(await refused([{ conceptId: 'stranger' }])).toMatch(/learned on fake and "stranger" on other/);
  expect(await refused([{ conceptId: 'dancer' }])).toMatch(/"dancer" is there twice/);
  expect(await refused([{ conceptId: 'dog' }, { conceptId: 'dog' }])).toMatch(/"dog" is there twice/);
  expect(await refused([{ conceptId: 'nobody' }])).toMatch(/nobody/);
  expect(await refused([{ conceptId: 'dog', sliders: { directions: { 4: 2 } } }])).toMatch(/Direction 4 does not/);
  expect(await refused([{ conceptId: 'dog' }], null)).toMatch(/act beside a concept/);
  expect(await refused(['a', 'b', 'c', 'd'].map((conceptId) => ({ conceptId })))).toMatch(/at most 4 concepts/);
  expect(asked).toEqual([]);
});
