import { existsSync, mkdirSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import type { Clip, RawFrames } from '../../../shared/domain/clip.ts';
import { type Edit, finishingOf } from '../../../shared/domain/edit.ts';
import { enlargement } from '../../../shared/domain/engine.ts';
import type { ExportPreset, ExportSettings } from '../../../shared/domain/export.ts';
import type { ExportInput, ExportOutput } from '../../../shared/domain/job-input.ts';
import type { Engine } from '../../../shared/ipc/engine-contract.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { chooseFile } from '../../files/file-names.ts';
import type { ClipStore } from '../../library/clips.ts';
import type { ConceptStore } from '../../library/concepts.ts';
import type { EditStore } from '../../library/edits.ts';
import type { ModelRegistry } from '../../library/models.ts';
import type { Library } from '../../library/open.ts';
import { readSettings } from '../../library/settings.ts';
import { exportFrames } from '../../media/export.ts';
import { finishedPictures, type PictureStream } from '../../media/finished-pictures.ts';
import type { MediaTools } from '../../media/locate.ts';
import { requireDirections } from '../fit.ts';
import { placeNoted } from '../place-noted.ts';
import type { RunContext, Runner } from '../runner.ts';

type EditExport = Extract<ExportInput, { what: 'edit' }>;
type LoraExport = Extract<ExportInput, { what: 'lora' }>;

/** An edit or a clip becomes a video file, a concept a LoRA file. */
export function exportRunner(services: {
  library: Library;
  clips: ClipStore;
  concepts: ConceptStore;
  edits: EditStore;
  models: ModelRegistry;
  engine: Pick<Engine, 'exportLora' | 'enlarge'>;
  /** Folder of what comes with the program. */
  resources: string;
  tools(): Promise<MediaTools>;
}): Runner<ExportInput, ExportOutput> {
  const { library, clips, concepts, edits, models, engine, tools, resources } = services;

  function target(output: string | null, name: string): string {
    if (output !== null) return resolve(output);
    return join(readSettings(library).exportFolder ?? join(library.folder, 'exports'), name);
  }

  const subjectOf = ({ conceptId, sourceClipId }: Edit): string | undefined => {
    if (conceptId !== null) return concepts.byId(conceptId).name;
    return sourceClipId === null ? undefined : clips.byId(sourceClipId).name;
  };

  const absolute = (frames: RawFrames): RawFrames => ({ ...frames, file: library.absolutePath(frames.file) });

  /**
   * An edit as it is delivered: its change made to the clip itself, or, where it has none or that is not
   * wanted, the model's pictures.
   */
  async function exportEdit(edit: Edit, input: EditExport, context: RunContext<ExportInput>): Promise<ExportOutput> {
    const clip = edit.sourceClipId === null ? null : clips.byId(edit.sourceClipId);
    const file = target(input.output, edit.id);
    const { length } = input;
    // What came without its file can only go out as the model sees it.
    if (!(input.finish ?? edit.settings.finish) || !edit.base || !clip || clip.source.path === null) {
      if (length === 'source') {
        throw new AppError('invalid-input', "The model's own frames cover only the range it used.", {
          hint: 'Export the edit finished, from a clip with its file, or just the range the model used.',
        });
      }
      const own = absolute(edit.frames);
      if (!input.settings.superResolution) return exportVideo(own, clip, input.settings, file, context);
      const made = await exportVideo(await enlarged(own, context), clip, input.settings, file, context);
      return {
        ...made,
        notes: [...made.notes, `the model's pictures, enlarged ${enlargement} times by super-resolution`],
      };
    }
    const frames = { edited: absolute(edit.frames), base: absolute(edit.base) };
    const request = { clip, ...frames, ...finishingOf(edit.settings), length };
    const pictures = await finishedPictures(await tools(), request, context.signal);
    const made = await exportVideo(pictures, clip, input.settings, file, context);
    if (!input.settings.superResolution) return made;
    return {
      ...made,
      notes: [
        ...made.notes,
        "Super-resolution was left out: a finished edit has the clip's own pixels, not the model's.",
      ],
    };
  }

  async function enlarged(frames: RawFrames, context: RunContext<ExportInput>): Promise<RawFrames> {
    mkdirSync(context.folder, { recursive: true });
    const weights = join(resources, 'models', 'super-resolution');
    return engine.enlarge(
      { weights, frames, output: join(context.folder, 'enlarged.rgb') },
      {
        signal: context.signal,
        onEvent: (event) => {
          if (event.type === 'progress') context.onProgress(event.progress);
        },
      },
    );
  }

  async function exportVideo(
    frames: RawFrames | PictureStream,
    clip: Clip | null,
    settings: ExportSettings,
    file: string,
    { signal, onProgress }: RunContext<ExportInput>,
  ): Promise<ExportOutput> {
    const made = await exportFrames(await tools(), {
      frames,
      settings,
      target: file,
      source: clip
        ? {
            path: clip.source.path,
            fromSeconds: 'fromSeconds' in frames ? frames.fromSeconds : clip.fromSeconds,
            hasAudio: clip.source.hasAudio,
            rate: 'fromSeconds' in frames ? frames.rate : clip.source.rate,
          }
        : undefined,
      signal,
      onPartial: (partial) => library.unfinished.begin(partial),
      onProgress: ({ frame, framesPerSecond, secondsLeft, ratio }) =>
        onProgress({
          phase: 'export',
          done: frame,
          total: ratio ? Math.max(frame, Math.round(frame / ratio)) : frames.frameCount,
          unit: 'frames',
          perSecond: framesPerSecond || null,
          etaSeconds: secondsLeft ?? null,
        }),
    });
    const notes = [...('notes' in frames ? frames.notes : []), ...made.warnings];
    return { file: made.file, sizeBytes: made.sizeBytes, notes };
  }

  async function exportLora(input: LoraExport, { signal }: RunContext<ExportInput>): Promise<ExportOutput> {
    const concept = concepts.byId(input.conceptId, input.conceptVersion ?? undefined);
    const model = await models.get(concept.model);
    const asked = target(input.output, `${concept.id}-${input.dialect}.safetensors`);
    const file = await chooseFile(extname(asked) === '' ? `${asked}.safetensors` : asked, input.overwrite);
    const report = await placeNoted(library, file, (partial) =>
      engine.exportLora(
        {
          model: model.directory,
          conceptFile: library.absolutePath(concept.file),
          sliders: input.sliders,
          dialect: input.dialect,
          output: partial,
        },
        { signal },
      ),
    );
    return {
      file,
      sizeBytes: statSync(file).size,
      notes: [`${report.dialect} LoRA of rank ${report.rank} for ${report.layers} layers`],
    };
  }

  return {
    kind: 'export',
    lane: 'media',
    resumes: false,
    prepare(input) {
      switch (input.what) {
        case 'edit': {
          const edit = edits.get(input.editId);
          return {
            input: { ...input, editId: edit.id, output: insideFolder(input.output, edit.id, input.settings.preset) },
            title: `Export ${[subjectOf(edit), edit.name].filter(Boolean).join(' ')}, ${formOf(input.settings)}`,
            targetName: 'export',
          };
        }
        case 'clip': {
          const clip = clips.get(input.clipId);
          return {
            input: { ...input, clipId: clip.id, output: insideFolder(input.output, clip.id, input.settings.preset) },
            title: `Export ${clip.name}, ${formOf(input.settings)}`,
            targetName: 'export',
          };
        }
        case 'lora': {
          const concept = concepts.get(input.conceptId, input.conceptVersion ?? undefined);
          requireDirections(concept, input.sliders);
          const output = insideFolder(input.output, `${concept.id}-${input.dialect}`);
          return {
            input: { ...input, conceptId: concept.id, conceptVersion: concept.version, output },
            title: `Export ${concept.name} as a LoRA`,
            targetName: 'export',
          };
        }
        default:
          return input satisfies never;
      }
    },
    async run(context) {
      const { input } = context;
      switch (input.what) {
        case 'edit':
          return { output: await exportEdit(edits.byId(input.editId), input, context) };
        case 'clip': {
          const clip = clips.byId(input.clipId);
          return {
            output: await exportVideo(
              absolute(clip.frames),
              clip,
              input.settings,
              target(input.output, clip.id),
              context,
            ),
          };
        }
        case 'lora':
          return { output: await exportLora(input, context) };
        default:
          return input satisfies never;
      }
    },
  };
}

/**
 * What was asked for by the name of a folder goes into it under its usual name. Pictures (PNG) are a folder
 * themselves.
 */
function insideFolder(output: string | null, name: string, preset?: ExportPreset): string | null {
  if (output === null || preset === 'png') return output;
  const isFolder = /[/\\]$/.test(output) || (existsSync(output) && statSync(output).isDirectory());
  return isFolder ? join(output, name) : output;
}

/** What tells two exports of one result apart, as in `h264` or `gif, 512 x 288`. */
function formOf({ preset, width, height }: ExportSettings): string {
  return width || height ? `${preset}, ${width ?? 'any'} x ${height ?? 'any'}` : preset;
}
