import { toNumber } from '../../../shared/domain/time.ts';
import type { Registration } from '../context.ts';
import { formatBytes, formatNumber } from '../progress-text.ts';
import { formatTable } from '../tables.ts';

export const registerModels: Registration = (program, run) => {
  const models = program
    .command('models')
    .description(
      'Lists the models that can learn and generate; adds and removes folders in the diffusers layout of Wan.',
    )
    .addHelpText(
      'after',
      `
Examples:
  motif models
  motif models add ~/models/Wan2.1-T2V-1.3B-Diffusers
  motif learn dance.mp4 --model Wan2.1-T2V-1.3B-Diffusers --static "..." --dynamic "..."`,
    );

  models
    .command('list', { isDefault: true })
    .description('Lists the models, the embedded one first.')
    .addHelpText('after', '\nExample:\n  motif models list --json')
    .action(
      run((context) =>
        context.withServices({ access: 'read' }, async (services) => {
          const found = await services.call['models.list']();
          const table = formatTable(
            ['name', 'parameters', 'on disk', 'sizes', 'frames', 'licence', 'folder'],
            found.map(({ directory, info, error }) =>
              info
                ? [
                    info.name,
                    `${formatNumber(info.parameters / 1e6)} M`,
                    formatBytes(info.sizeBytes),
                    info.sizes.map(([width, height]) => `${width}x${height}`).join(' '),
                    `${info.frameCount} at ${formatNumber(toNumber(info.rate))}/s`,
                    info.license,
                    directory,
                  ]
                : ['(unreadable)', '', '', '', '', '', `${directory}: ${error}`],
            ),
          );
          context.output.result('models', { models: found }, table);
        }),
      ),
    );

  models
    .command('add')
    .description('Adds a folder with a Wan checkpoint. Nothing is copied.')
    .argument('<folder>')
    .addHelpText('after', '\nExample:\n  motif models add ~/models/Wan2.1-T2V-1.3B-Diffusers')
    .action(
      run((context, folder: string) =>
        context.withServices({ access: 'write' }, async (services) => {
          const info = await services.call['models.add']({ directory: folder });
          context.output.result('model', { model: info }, `${info.name}  ${info.directory}`);
        }),
      ),
    );

  models
    .command('remove')
    .description('Removes a folder from the list. Its files stay.')
    .argument('<model>', 'name or folder')
    .addHelpText('after', '\nExample:\n  motif models remove Wan2.1-T2V-1.3B-Diffusers')
    .action(
      run((context, reference: string) =>
        context.withServices({ access: 'write' }, async (services) => {
          await services.call['models.remove']({ model: reference });
          context.output.result('removed', { model: reference }, `Forgot ${reference}; its files are untouched.`);
        }),
      ),
    );
};
