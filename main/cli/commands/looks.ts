import { readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { groupOf, type Look, lookInput, readLookFile, saysLook, writeLookFile } from '../../../shared/domain/look.ts';
import { AppError, parseInput } from '../../../shared/ipc/result.ts';
import type { Registration } from '../context.ts';
import { parseNumber } from '../options.ts';
import { formatTable, shorten } from '../tables.ts';

interface LooksOptions {
  from?: string;
  to?: string;
  save?: string;
  strength?: number;
  keepDetail?: number;
  amount?: number;
  colour?: number;
  remove?: string;
  import?: string[];
  export?: string;
  output?: string;
}

export const registerLooks: Registration = (program, run) => {
  program
    .command('looks')
    .argument('[words]', 'only looks whose group, name or text contains these')
    .description('Lists looks, saves your own, and moves them between libraries.')
    .option('--from <text>', 'with --save: what a clip shows; {seen} stands for its own description')
    .option('--to <text>', 'with --save: what it should show')
    .option('--save <name>', 'saves a look under this name, or changes your look of that name')
    .option('--strength <s>', 'with --save: its strength, 0 to 1 (default: 0.5)', parseNumber(0, 1))
    .option(
      '--keep-detail <d>',
      "with --save: 1: areas that look alike change alike; 0.5: follows the model into small areas; towards 0: blends in the model's own frames (default: 1)",
      parseNumber(0, 1),
    )
    .option('--amount <a>', 'with --save: how much of the change is made, 0 to 1.5 (default: 1)', parseNumber(0, 1.5))
    .option(
      '--colour <c>',
      'with --save: how much colour it has, 0 for black and white to 2 (default: 1)',
      parseNumber(0, 2),
    )
    .option('--remove <name>', 'deletes a look of your own')
    .option('--import <file...>', 'looks out of files')
    .option('--export <name>', 'writes a look to a file, -o FILE')
    .option('-o, --output <file>', 'with --export: the file')
    .addHelpText(
      'after',
      `
Examples:
  motif looks
  motif looks film
  motif looks --save dusk --from "{seen} by day, the camera is still" --to "{seen} at dusk in the fog, the camera is still"
  motif looks --export dusk -o dusk.json
  motif looks --import dusk.json --json`,
    )
    .action(
      run(async (context, words: string | undefined, options: LooksOptions, command: Command) => {
        const { save, from, to, strength, keepDetail, amount, colour, remove, export: exported, output } = options;
        if (save !== undefined && (from === undefined || to === undefined))
          command.error('error: --save needs --from and --to.');
        if (save === undefined && (from !== undefined || to !== undefined))
          command.error('error: --from and --to need --save with a name.');
        if (exported !== undefined && output === undefined) command.error('error: --export needs -o with a file.');
        const changes = save !== undefined || remove !== undefined || options.import !== undefined;
        await context.withServices({ access: changes ? 'write' : 'any' }, async (services) => {
          const ownNamed = async (name: string) =>
            (await services.call['looks.list']()).find(
              ({ look, isOwn }) => isOwn && look.name.toLowerCase() === name.toLowerCase(),
            )?.look;
          const told = (look: Look, what: string) =>
            context.output.result('look', { look }, `${what} ${look.id}: ${look.name}`);
          if (save !== undefined)
            told(
              await services.call['looks.save']({
                look: parseInput(lookInput, { name: save, from, to, strength, keepDetail, amount, colour }),
                id: (await ownNamed(save))?.id,
              }),
              'Saved',
            );
          for (const file of options.import ?? []) {
            const look = readLookFile(read(file), basename(file));
            told(await services.call['looks.save']({ look, id: (await ownNamed(look.name))?.id }), 'Imported');
          }
          if (remove !== undefined) {
            const look = await services.call['looks.get']({ reference: remove });
            await services.call['looks.remove']({ id: look.id });
            told(look, 'Removed');
          }
          if (exported !== undefined) {
            const look = await services.call['looks.get']({ reference: exported });
            writeFileSync(resolve(output!), writeLookFile(look));
            context.output.result('file', { file: resolve(output!), look }, resolve(output!));
          }
          if (changes || exported !== undefined) return;
          const all = (await services.call['looks.list']()).filter(({ look }) => saysLook(look, words ?? ''));
          context.output.result(
            'looks',
            { looks: all.map(({ look, isOwn }) => ({ ...look, isOwn })) },
            formatTable(
              ['group', 'look', 'name', 'strength', 'from -> to'],
              all.map(({ look }) => [
                groupOf(look),
                look.id,
                look.name,
                String(look.strength),
                shorten(`${look.from} -> ${look.to}`, 110),
              ]),
            ),
          );
        });
      }),
    );
};

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError('not-found', `${file} cannot be read.`, { hint: 'Check its name.', cause });
  }
}
