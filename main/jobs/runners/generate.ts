import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GenerateInput, GenerateOutput } from '../../../shared/domain/job-input.ts';
import type { Engine } from '../../engine-host/host.ts';
import type { ClipStore } from '../../library/clips.ts';
import type { ConceptStore } from '../../library/concepts.ts';
import { type EditStore, recipeKey } from '../../library/edits.ts';
import type { Library } from '../../library/open.ts';
import { requireDirections, requireFit } from '../fit.ts';
import type { ModelRegistry } from '../models.ts';
import { keptPreview } from '../preview.ts';
import type { Runner } from '../runner.ts';

/** A concept and a prompt become an edit: the same settings twice are the same edit. */
export function generateRunner(services: {
  library: Library;
  clips: ClipStore;
  concepts: ConceptStore;
  edits: EditStore;
  models: ModelRegistry;
  engine: Pick<Engine, 'generate'>;
}): Runner<GenerateInput, GenerateOutput> {
  const { library, clips, concepts, edits, models, engine } = services;
  return {
    kind: 'generate',
    lane: 'engine',
    resumes: false,
    prepare(input) {
      const concept = concepts.get(input.conceptId, input.conceptVersion ?? undefined);
      const sourceClipId = input.sourceClipId === null ? concept.clipIds[0]! : clips.get(input.sourceClipId).id;
      const parentId = input.parentId === null ? null : edits.get(input.parentId).id;
      requireDirections(concept, input.settings.sliders);
      return {
        input: { ...input, conceptId: concept.id, conceptVersion: concept.version, sourceClipId, parentId },
        title: `Edit ${concept.name}: ${input.settings.prompt}`,
        targetName: `${concept.name.slice(0, 18)} edit`,
      };
    },
    async run({ input, target, folder, signal, onProgress, onEvent }) {
      const concept = concepts.byId(input.conceptId, input.conceptVersion ?? undefined);
      const made = {
        conceptId: concept.id,
        conceptVersion: concept.version,
        sourceClipId: input.sourceClipId,
        settings: input.settings,
      };
      const twin = input.reuse ? edits.withRecipe(recipeKey(made)) : null;
      if (twin) return { output: { editId: twin.id, reused: true } };

      const source = clips.byId(input.sourceClipId ?? concept.clipIds[0]!);
      const model = await models.get(concept.model);
      requireFit(source, model);
      const result = join(folder, 'edit');
      mkdirSync(result, { recursive: true });
      const output = join(result, 'frames.rgb');
      const kept = input.reuse ? keptPreview(library, made) : null;
      if (kept) copyFileSync(library.absolutePath(kept.frames.file), output);
      const { frames, seconds } =
        kept ??
        (await engine.generate(
          {
            model: model.directory,
            conceptFile: library.absolutePath(concept.file),
            source: { ...source.frames, file: library.absolutePath(source.frames.file) },
            size: null,
            settings: input.settings,
            output,
          },
          {
            signal,
            onEvent(event) {
              onEvent(event);
              if (event.type === 'progress') onProgress(event.progress);
            },
          },
        ));
      const place = `edits/${target}`;
      return {
        output: { editId: target, reused: false },
        move: { from: result, to: place },
        changed: 'edit',
        writeRows: () =>
          edits.insert({
            ...made,
            id: target,
            name: input.name ?? (input.settings.prompt.trim().slice(0, 80) || target),
            parentId: input.parentId,
            frames: { ...frames, file: `${place}/frames.rgb` },
            starred: false,
            tags: [],
            notes: '',
            seconds,
            createdAt: new Date().toISOString(),
          }),
      };
    },
  };
}
