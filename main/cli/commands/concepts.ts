import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Concept, learnedSteps } from '../../../shared/domain/concept.ts';
import type { Services } from '../../services/services.ts';
import type { CommandContext, Registration } from '../context.ts';
import { parsePlace } from '../options.ts';
import { formatBytes, formatNumber } from '../progress-text.ts';
import { formatMoment, formatTable, shorten } from '../tables.ts';
import { clipIdOf } from './import.ts';

interface ConceptsOptions {
  save?: string;
  add?: string;
  clip?: string;
  static?: string;
  dynamic?: string;
  name?: string;
}

export const registerConcepts: Registration = (program, run) => {
  program
    .command('concepts')
    .description(
      'Lists the concepts in the library, or shows one with its edits; saves and adds .motif files, and adds LoRA files.',
    )
    .argument('[concept]', 'an id, the start of one, or a name')
    .option(
      '--save <file>',
      'write the concept, with the frames that it was learned from, as a .motif file',
      parsePlace,
    )
    .option('--add <file>', 'add the concept of a .motif file, or a LoRA file (.safetensors) of another program')
    .option(
      '--clip <clip>',
      'for a LoRA file: a video file or a clip that shows what it makes, for edits to start from',
    )
    .option('--static <caption>', 'for a LoRA file: what it shows, worded as in its training captions')
    .option('--dynamic <caption>', 'for a LoRA file: what happens')
    .option('--name <name>', 'for a LoRA file: a name for the concept (default: that of the file)')
    .addHelpText(
      'after',
      `
Examples:
  motif concepts
  motif concepts dance
  motif concepts dance --save dance.motif
  motif concepts --add dance.motif
  motif concepts --add waltz.safetensors --clip waltz.mp4 --static "a couple in a hall" --dynamic "is dancing a waltz"
  motif concepts --json
LoRA files are read in the dialects of ComfyUI, diffusers, PEFT and kohya (motif export --lora writes them); they must be for the model
that is used, see --model. PEFT's adapter_config.json is read beside its adapter_model.safetensors.`,
    )
    .action(
      run((context, reference: string | undefined, options: ConceptsOptions, command: Command) => {
        checkUse(reference, options, command);
        const { add, save } = options;
        return context.withServices({ access: add === undefined ? 'read' : 'write' }, async (services) => {
          if (add !== undefined && isLora(add)) await addLora(context, services, resolve(add), options);
          else if (add !== undefined) await addPackage(context, services, resolve(add));
          else if (save !== undefined) {
            const { file, sizeBytes } = await services.call['concepts.exportFile']({
              reference: reference!,
              target: resolve(save),
            });
            context.output.result('file', { file, sizeBytes }, `${file}, ${formatBytes(sizeBytes)}`);
          } else if (reference !== undefined) await showOne(context, services, reference);
          else await showAll(context, services);
        });
      }),
    );
};

const isLora = (file: string) => /\.safetensors$/i.test(file);

function checkUse(reference: string | undefined, options: ConceptsOptions, command: Command): void {
  const { save, add, clip, static: looks, dynamic, name } = options;
  if (save !== undefined && reference === undefined) command.error('error: --save needs a concept.');
  if (add !== undefined && reference !== undefined) command.error('error: --add takes a file, not a concept.');
  if (add !== undefined && isLora(add)) {
    if (clip === undefined || looks === undefined)
      command.error('error: a LoRA file needs --clip and --static: a clip and a caption of what it makes.');
  } else if ([clip, looks, dynamic, name].some((option) => option !== undefined))
    command.error('error: --clip, --static, --dynamic and --name belong to --add with a .safetensors file.');
}

async function addPackage({ output }: CommandContext, services: Services, file: string): Promise<void> {
  const { concept, duplicate } = await services.call['concepts.importFile']({ file });
  if (duplicate) output.note('This concept is in the library already; nothing was added.');
  output.result('concept', { concept, duplicate }, titleOf(concept));
}

async function addLora(
  context: CommandContext,
  services: Services,
  file: string,
  { clip, static: looks, dynamic = '', name }: ConceptsOptions,
): Promise<void> {
  const clipId = await clipIdOf(context, services, clip!, {});
  const caption = { static: looks!, dynamic };
  const { model } = context.global;
  const concept = await services.call['concepts.importLora'](
    { file, clipId, caption, name, model },
    { signal: context.signal },
  );
  context.output.note(concept.notes);
  context.output.result('concept', { concept, duplicate: false }, titleOf(concept));
}

const titleOf = ({ id, name }: Concept) => `${id}  ${name}`;

async function showOne({ output }: CommandContext, services: Services, reference: string): Promise<void> {
  const concept = await services.call['concepts.get']({ reference });
  const edits = await services.call['edits.list']({ conceptId: concept.id });
  const steps = learnedSteps(concept);
  const lines = [
    `${titleOf(concept)}, version ${concept.version}`,
    `model     ${concept.model}`,
    `recipe    ${concept.recipe.method}, rank ${concept.rank}, ${steps.identity} + ${steps.motion} steps, seed ${concept.recipe.seed}`,
    ...concept.captions.map((caption) => `caption   ${caption.static} | ${caption.dynamic}`),
    `basis     ${concept.directionStrengths.map((strength, index) => `${index}: ${formatNumber(strength)}`).join('  ')}`,
    ...edits.map((edit) => `edit      ${edit.id}  ${shorten(edit.settings.prompt, 80)}`),
  ];
  output.result('concept', { concept, edits }, lines.join('\n'));
}

async function showAll({ output }: CommandContext, services: Services): Promise<void> {
  const concepts = await services.call['concepts.list']();
  const table = formatTable(
    ['id', 'name', 'version', 'recipe', 'rank', 'PSNR', 'learned'],
    concepts.map((concept) => [
      concept.id,
      shorten(concept.name, 40),
      String(concept.version),
      concept.recipe.method,
      String(concept.rank),
      concept.metrics.reconstructionPsnr === undefined ? '' : `${formatNumber(concept.metrics.reconstructionPsnr)} dB`,
      formatMoment(concept.createdAt),
    ]),
  );
  output.result('concepts', { concepts }, concepts.length > 0 ? table : 'No concepts yet; see motif learn --help.');
}
