import { resolve } from 'node:path';
import type { Command } from 'commander';
import { withoutTokens } from '../../../shared/domain/concept.ts';
import type { MeasureClipsResult, SuppliedMeasures } from '../../../shared/domain/evaluation-table.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import type { ActionWrapper } from '../context.ts';
import { listening } from '../evaluation/common-options.ts';
import { columnWords, printed } from '../evaluation/table/column-words.ts';
import { parsePlace } from '../options.ts';
import { formatTable, shorten } from '../tables.ts';

/** `evaluate edits`: real clips by the papers' own networks, where a user has them. */
export function registerEvaluateEdits(evaluate: Command, run: ActionWrapper): void {
  evaluate
    .command('edits')
    .description(
      'Measures edits of your own clips by your own CLIP, DINO, ArcFace and I3D: as sampled, before finishing, against the clip.',
    )
    .argument('<edit...>', 'ids, the starts of some, or names')
    .requiredOption('--metrics <folder>', 'ONNX files and their descriptions (docs/metrics.md)', parsePlace)
    .addHelpText('after', '\nExample:\n  motif evaluate edits a1b2 c3d4 --metrics my-networks --json')
    .action(
      run(async (context, references: string[], { metrics }: { metrics: string }) => {
        await context.withServices({ access: 'read' }, async (services) => {
          const found = references.map(async (reference) => {
            const { id, name, frames, settings, sourceClipId } = await services.call['edits.get']({ reference });
            if (sourceClipId === null)
              throw new AppError('invalid-input', `"${name}" was made of no clip that it could be measured against.`);
            const clip = await services.call['clips.get']({ reference: sourceClipId });
            const here = <T extends { file: string }>(raw: T) => ({
              ...raw,
              file: services.library.absolutePath(raw.file),
            });
            const words = withoutTokens(settings.prompt);
            return { name: `${id}  ${shorten(name, 40)}`, made: here(frames), source: here(clip.frames), words };
          });
          const clips = await Promise.all(found);
          const result = await services.engine.measureClips({ metrics: resolve(metrics), clips }, listening(context));
          context.output.endProgress();
          context.output.result('measures', result, measuresText(result));
        });
      }),
    );
}

function measuresText({ supplied, clips, frechetVideo }: MeasureClipsResult): string {
  const columns = Object.keys(columnWords).filter((column) => clips.some(({ measures }) => column in measures));
  const measureOf = (measures: SuppliedMeasures, column: string) => measures[column as keyof SuppliedMeasures];
  const table = formatTable(
    ['', ...columns.map((column) => columnWords[column]!.label)],
    clips.map(({ name, measures }) => [name, ...columns.map((column) => printed(column, measureOf(measures, column)))]),
  );
  const by = supplied.map(
    ({ name, files }) => `${name}: ${files.map(({ file, sha256 }) => `${file} (SHA-256 ${sha256})`).join(', ')}`,
  );
  const distance =
    frechetVideo === null
      ? []
      : [`FVD of all ${clips.length} to their clips: ${printed('frechetVideo', frechetVideo)}`];
  return [table, ...distance, `Measured by ${by.join('; ')}.`].join('\n\n');
}
