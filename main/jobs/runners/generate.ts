import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GenerateInput, GenerateOutput } from '../../../shared/domain/job-input.ts';
import type { Engine } from '../../../shared/ipc/engine-contract.ts';
import type { ClipStore } from '../../library/clips.ts';
import type { ConceptStore } from '../../library/concepts.ts';
import { type EditStore, recipeKey } from '../../library/edits.ts';
import type { ModelRegistry } from '../../library/models.ts';
import type { Library } from '../../library/open.ts';
import type { MediaTools } from '../../media/locate.ts';
import { engineEdit, resolveEdit } from '../edit-request.ts';
import { keptPreview } from '../kept-preview.ts';
import type { Runner } from '../runner.ts';

/** A clip or a concept and a prompt become an edit: the same settings twice are the same edit. */
export function generateRunner(services: {
  library: Library;
  clips: ClipStore;
  concepts: ConceptStore;
  edits: EditStore;
  models: ModelRegistry;
  engine: Pick<Engine, 'generate'>;
  tools(): Promise<MediaTools>;
}): Runner<GenerateInput, GenerateOutput> {
  const { library, clips, concepts, edits, engine } = services;
  return {
    kind: 'generate',
    lane: 'engine',
    resumes: false,
    prepare(input) {
      const { settings: _, ...made } = resolveEdit(services, input);
      const parentId = input.parentId === null ? null : edits.get(input.parentId).id;
      const subject =
        made.conceptId === null ? clips.byId(made.sourceClipId!).name : concepts.byId(made.conceptId).name;
      return {
        input: { ...input, ...made, parentId },
        title: `Edit ${subject}: ${input.name ?? input.settings.prompt}`,
        targetName: `${subject.slice(0, 18)} edit`,
      };
    },
    async run({ input, target, folder, signal, onProgress, onEvent }) {
      const made = resolveEdit(services, input);
      const twin = input.reuse ? edits.withRecipe(recipeKey(made)) : null;
      if (twin) return { output: { editId: twin.id, reused: true } };

      const request = await engineEdit(services, made, signal);
      const result = join(folder, 'edit');
      mkdirSync(result, { recursive: true });
      const output = join(result, 'frames.rgb');
      const baseOutput = join(result, 'base.rgb');
      const kept = input.reuse ? keptPreview(library, made) : null;
      if (kept) {
        copyFileSync(library.absolutePath(kept.frames.file), output);
        if (kept.base) copyFileSync(library.absolutePath(kept.base.file), baseOutput);
      }
      const { frames, base, seconds } =
        kept ??
        (await engine.generate(
          { ...request, output, baseOutput },
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
            name:
              input.name ??
              (made.conceptId === null ? input.settings.prompt.trim().slice(0, 80) : edits.nextName(made.conceptId)),
            parentId: input.parentId,
            frames: { ...frames, file: `${place}/frames.rgb` },
            base: base && { ...base, file: `${place}/base.rgb` },
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
