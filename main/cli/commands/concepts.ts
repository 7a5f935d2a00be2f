import { resolve } from 'node:path';
import type { Command } from 'commander';
import { learnedSteps } from '../../../shared/domain/concept.ts';
import type { Registration } from '../context.ts';
import { parsePlace } from '../options.ts';
import { formatBytes, formatNumber } from '../progress-text.ts';
import { formatMoment, formatTable, shorten } from '../tables.ts';

export const registerConcepts: Registration = (program, run) => {
  program
    .command('concepts')
    .description(
      'Lists the concepts of the library, or shows one with its edits; concepts come and go as .motif files.',
    )
    .argument('[concept]', 'an id, its beginning or a name')
    .option(
      '--save <file>',
      'write the concept, with the frames that it was learned from, as a .motif file',
      parsePlace,
    )
    .option('--add <file>', 'add the concept of a .motif file to the library')
    .addHelpText(
      'after',
      '\nExamples:\n  motif concepts\n  motif concepts dance\n  motif concepts dance --save dance.motif\n  motif concepts --add dance.motif\n  motif concepts --json',
    )
    .action(
      run(
        (context, reference: string | undefined, { save, add }: { save?: string; add?: string }, command: Command) => {
          if (save !== undefined && reference === undefined)
            command.error('error: --save needs to know which concept.');
          if (add !== undefined && reference !== undefined) command.error('error: --add takes a file and no concept.');
          return context.withServices({ access: add === undefined ? 'read' : 'write' }, (services) => {
            if (add !== undefined) {
              const concept = services.concepts.importFile(resolve(add));
              context.output.result('concept', { concept }, `${concept.id}  ${concept.name}`);
              return;
            }
            if (save !== undefined) {
              const { file, sizeBytes } = services.concepts.exportFile(reference!, resolve(save));
              context.output.result('file', { file, sizeBytes }, `${file}, ${formatBytes(sizeBytes)}`);
              return;
            }
            if (reference !== undefined) {
              const concept = services.concepts.get(reference);
              const edits = services.edits.list({ conceptId: concept.id });
              const steps = learnedSteps(concept);
              const lines = [
                `${concept.id}  ${concept.name}, version ${concept.version}`,
                `model     ${concept.model}`,
                `recipe    ${concept.recipe.method}, rank ${concept.rank}, ${steps.identity} + ${steps.motion} steps, seed ${concept.recipe.seed}`,
                ...concept.captions.map((caption) => `caption   ${caption.static} | ${caption.dynamic}`),
                `basis     ${concept.directionStrengths.map((strength, index) => `${index}: ${formatNumber(strength)}`).join('  ')}`,
                ...edits.map((edit) => `edit      ${edit.id}  ${shorten(edit.settings.prompt, 80)}`),
              ];
              context.output.result('concept', { concept, edits }, lines.join('\n'));
              return;
            }
            const concepts = services.concepts.list();
            const table = formatTable(
              ['id', 'name', 'version', 'recipe', 'rank', 'PSNR', 'learned'],
              concepts.map((concept) => [
                concept.id,
                shorten(concept.name, 40),
                String(concept.version),
                concept.recipe.method,
                String(concept.rank),
                concept.metrics.reconstructionPsnr === undefined
                  ? ''
                  : `${formatNumber(concept.metrics.reconstructionPsnr)} dB`,
                formatMoment(concept.createdAt),
              ]),
            );
            context.output.result(
              'concepts',
              { concepts },
              concepts.length > 0 ? table : 'No concepts yet; see motif learn --help.',
            );
          });
        },
      ),
    );
};
