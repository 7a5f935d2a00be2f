import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { type StudyInput, studyInput, studyWay } from '../../../shared/domain/study.ts';
import { AppError, parseInput } from '../../../shared/ipc/result.ts';
import { startStudyServer } from '../../server/study-server.ts';
import type { Registration } from '../context.ts';
import { parseInteger, parsePlace } from '../options.ts';
import { studyText } from '../study-text.ts';
import { formatMoment, formatTable } from '../tables.ts';

interface CreateOptions extends Partial<Pick<StudyInput, 'name' | 'items' | 'seed' | 'way'>> {
  methods?: string[];
}

const studyFileHelp = `
FOLDER is the --output of \`motif evaluate table2\` (finished or not), or holds a study.json:
  { "format": "motif-study", "version": 1, "first": "ours",
    "methods": { "ours": "Ours, rank 64", "lora": "LoRA" },
    "scenes": [{ "name": "dancer", "source": "dancer.mp4", "words": "a lady dances in a park",
      "edits": [{ "name": "top", "words": "a lady in a red top dances in a park",
        "clips": { "ours": "dancer-ours.mp4", "lora": "dancer-lora.mp4" } }] }] }
Instead of a file a clip may be { "file": "...", "measures": { "identity", "motion", "words", "overall" } }, higher is
better: what --stand-in goes by.`;

/** `study create | list | results | serve | remove`: which of several methods people prefer, without knowing them. */
export const registerStudy: Registration = (program, run) => {
  const study = program
    .command('study')
    .description('Asks people which of two edits is better, without telling them the methods.');

  study
    .command('create')
    .argument('<folder>', 'of a table, or of edits with a study.json')
    .description('Makes a study of clips by several methods.')
    .option('--name <name>', 'what it is called; raters see it (default: that of the folder)')
    .option('--items <n>', 'pairs that everybody compares (default: 40, about ten minutes)', parseInteger(1, 500))
    .option('--seed <n>', 'chooses pairs, sides and orders (default: 1)', parseInteger(0))
    .option(
      '--methods <list>',
      'only these, by name (default: those of table 3 of Set-and-Sequence, or all)',
      parseNames,
    )
    .option('--way <way>', `of a table: clips made by ${studyWay.options.join(', ')} (default: editor)`, parseWay)
    .addHelpText(
      'after',
      `${studyFileHelp}

Examples:
  motif study create out/evaluate-tables --name "July" --items 40
  motif study create edits --methods ours,lora --seed 2`,
    )
    .action(
      run(async (context, folder: string, options: CreateOptions) => {
        await context.withServices({ access: 'write' }, async (services) => {
          const made = await services.call['studies.create'](parseInput(studyInput, { folder, ...options }), context);
          const { settings, ...told } = made;
          context.output.result(
            'study',
            { study: made },
            [
              `${told.id}: ${told.items} items, ${settings.methods.map(({ label }) => label).join(', ')}`,
              ...settings.notes,
              `motif study serve "${told.name}"`,
            ].join('\n'),
          );
        });
      }),
    );

  study
    .command('list')
    .description('Lists studies, the newest first.')
    .action(
      run(async (context) => {
        await context.withServices({ access: 'read' }, async (services) => {
          const studies = await services.call['studies.list']();
          const rows = studies.map(({ name, items, raters, finished, createdAt, settings }) => [
            name,
            String(items),
            `${raters} (${finished} finished)`,
            formatMoment(createdAt),
            settings.methods.map((method) => method.name).join(', '),
          ]);
          context.output.result(
            'studies',
            { studies },
            formatTable(['name', 'items', 'raters', 'made', 'methods'], rows),
          );
        });
      }),
    );

  study
    .command('results')
    .argument('<name>', 'name or id of a study')
    .description('Says what people prefer, by question, with intervals, and who was left out.')
    .option('--stand-in', 'let measures of the clips answer in place of people: the judge, not people')
    .addHelpText('after', '\nExamples:\n  motif study results July\n  motif study results July --stand-in --json')
    .action(
      run(async (context, reference: string, { standIn = false }: { standIn?: boolean }) => {
        await context.withServices({ access: 'read' }, async (services) => {
          const results = await services.call['studies.results']({ reference, standIn });
          context.output.result('study-results', { results }, studyText(results));
        });
      }),
    );

  study
    .command('remove')
    .argument('<name>', 'name or id of a study')
    .description('Deletes a study and its clips for good.')
    .option('--with-answers', 'also where people have answered')
    .addHelpText(
      'after',
      '\nExamples:\n  motif study remove July\n  motif study results July --json > july.json; motif study remove July --with-answers',
    )
    .action(
      run(async (context, reference: string, { withAnswers = false }: { withAnswers?: boolean }) => {
        await context.withServices({ access: 'write' }, async (services) => {
          const removed = await services.call['studies.remove']({ reference, withAnswers });
          context.output.result('study-removed', { study: removed }, `Deleted "${removed.name}".`);
        });
      }),
    );

  study
    .command('serve')
    .argument('<name>', 'name or id of a study')
    .description('Serves the page of a study, and nothing else, to raters in browsers until Ctrl-C.')
    .option('--host <address>', 'where to listen; 0.0.0.0 for the whole network', parsePlace, '127.0.0.1')
    .option('--port <n>', 'default: one that is free', parseInteger(0, 65_535), 0)
    .addHelpText('after', '\nExamples:\n  motif study serve July\n  motif study serve July --host 0.0.0.0 --port 8080')
    .action(
      run(async (context, reference: string, { host, port }: { host: string; port: number }) => {
        // Answers are only added, so that the editor may be open meanwhile.
        await context.withServices({ access: 'read' }, async (services) => {
          const found = await services.call['studies.get']({ reference });
          const rendererFolder = join(dirname(services.resources), 'dist', 'renderer');
          if (!existsSync(join(rendererFolder, 'study.html')))
            throw new AppError('not-found', 'The page of studies is not built.', { hint: 'npm run build' });
          const server = await startStudyServer(services, found, { rendererFolder, host, port });
          const links = namesOf(host).map((name) => `http://${name}:${server.port}${server.path}`);
          context.output.result('serving', { links, study: found.id }, links.join('\n'));
          context.output.note(
            'Everybody with the link can answer. Ctrl-C ends it; answers are kept as they are given.',
          );
          await new Promise<void>((done) => context.signal.addEventListener('abort', () => done(), { once: true }));
          await server.close();
        });
      }),
    );
};

/** By which names this machine is reached where it listens. */
function namesOf(host: string): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host.includes(':') ? `[${host}]` : host];
  const outside = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal);
  return [...outside.map(({ address }) => address), '127.0.0.1'];
}

function parseNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.length > 1 && names.every((name) => name !== '')) return names;
  throw new InvalidArgumentError('Expected names of two methods or more, such as set-and-sequence,lora-8.');
}

function parseWay(text: string): StudyInput['way'] {
  const way = studyWay.safeParse(text);
  if (way.success) return way.data;
  throw new InvalidArgumentError(`Expected ${studyWay.options.join(', ')}.`);
}
