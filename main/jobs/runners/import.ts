import { basename, extname, join, resolve } from 'node:path';
import type { ImportInput, ImportOutput } from '../../../shared/domain/job-input.ts';
import { textLimits } from '../../../shared/domain/text.ts';
import { type ClipStore, isSameCut } from '../../library/clips.ts';
import type { ModelRegistry } from '../../library/models.ts';
import { importClip } from '../../media/import.ts';
import type { MediaTools } from '../../media/locate.ts';
import { createProgressMeter } from '../progress-meter.ts';
import type { Runner } from '../runner.ts';

/** A video file becomes a clip of the library, at the size and rate of a model. */
export function importRunner(services: {
  clips: ClipStore;
  models: ModelRegistry;
  tools(): Promise<MediaTools>;
}): Runner<ImportInput, ImportOutput> {
  const { clips, models, tools } = services;
  return {
    kind: 'import',
    lane: 'media',
    resumes: false,
    prepare(input) {
      const path = resolve(input.path);
      const name = input.name ?? [...basename(path, extname(path))].slice(0, textLimits.name).join('');
      return { input: { ...input, path, name }, title: `Import ${basename(path)}`, targetName: name };
    },
    async run({ input, target, folder, signal, onProgress }) {
      const model = await models.get(input.model);
      const measure = createProgressMeter('import', 'frames');
      const made = join(folder, 'clip');
      const imported = await importClip(await tools(), {
        file: input.path,
        fromSeconds: input.fromSeconds,
        toSeconds: input.toSeconds,
        crop: input.crop,
        fit: input.fit,
        sizes: model.sizes,
        rate: model.rate,
        temporalStride: model.temporalStride,
        maximumFrames: model.frameCount,
        outFolder: made,
        signal,
        onProgress: ({ framesDone, framesExpected }) => onProgress(measure(framesDone, framesExpected)),
      });
      // One that came with a concept has no file to play or cut again, and only says that it is of this one.
      const twin = clips
        .withContent(imported.source.sha256)
        .find((clip) => clip.source.path !== null && isSameCut(clip, imported));
      const relink = () => clips.relink(imported.source.sha256, input.path) > 0;
      if (twin && input.duplicates === 'reuse') {
        const output = { clipId: twin.id, duplicate: true, relinked: relink() };
        return { output, ...(output.relinked && { changed: 'clip' }) };
      }
      const place = `clips/${target}`;
      return {
        output: { clipId: target, duplicate: twin !== undefined, relinked: relink() },
        move: { from: made, to: place },
        changed: 'clip',
        writeRows: () =>
          clips.insert({
            ...imported,
            id: target,
            name: input.name ?? target,
            frames: { ...imported.frames, file: `${place}/${basename(imported.frames.file)}` },
            tags: [],
            notes: '',
            seen: input.seen,
            createdAt: new Date().toISOString(),
          }),
      };
    },
  };
}
