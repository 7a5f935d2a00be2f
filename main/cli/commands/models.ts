import { resolve } from 'node:path';
import { planRunning } from '../../../shared/domain/model.ts';
import { toNumber } from '../../../shared/domain/time.ts';
import type { Registration } from '../context.ts';
import { formatBytes, formatNumber, formatRunning } from '../progress-text.ts';
import { runDownload } from '../run-job.ts';
import { formatTable } from '../tables.ts';

export const registerModels: Registration = (program, run) => {
  const models = program
    .command('models')
    .description(
      'Lists the models that can learn and generate; adds and removes checkpoints of Wan, as folders or single files.',
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
          const [found, { totalMemoryBytes }, device] = await Promise.all([
            services.call['models.list'](),
            services.call['program.about'](),
            services.call['device.report'](),
          ]);
          const memoryBytes = device.memoryBytes ?? totalMemoryBytes;
          const table = formatTable(
            ['name', 'parameters', 'on disk', 'in memory', 'sizes', 'frames', 'licence', 'folder'],
            found.map(({ directory, info, error }) =>
              info
                ? [
                    info.name,
                    `${formatNumber(info.parameters / 1e6)} M`,
                    formatBytes(info.sizeBytes),
                    formatRunning(planRunning(info, memoryBytes)),
                    info.sizes.map(([width, height]) => `${width}x${height}`).join(' '),
                    `${info.frameCount} at ${formatNumber(toNumber(info.rate))}/s`,
                    info.license,
                    directory,
                  ]
                : ['(unreadable)', '', '', '', '', '', '', `${directory}: ${error}`],
            ),
          );
          context.output.result('models', { models: found }, table);
        }),
      ),
    );

  models
    .command('add')
    .description(
      'Adds Wan checkpoints: a folder in the diffusers layout, a transformer file, or a folder of such files such as the models folder of ComfyUI. Nothing is copied.',
    )
    .argument('<path>', 'file or folder')
    .option('--vae <file>', "the autoencoder's file, instead of the one found")
    .option('--text-encoder <file>', "the text encoder's file")
    .option('--tokenizer <folder>', 'the folder of its tokenizer.json')
    .addHelpText(
      'after',
      `
The other parts of a single file are looked for in the ComfyUI models folder it lies in (vae, text_encoders, clip), or
else beside it. Motif reads safetensors, PyTorch's .pth (nothing in it is executed) and GGUF.

Examples:
  motif models add ~/models/Wan2.1-T2V-1.3B-Diffusers
  motif models add ~/ComfyUI/models
  motif models add ~/ComfyUI/models/diffusion_models/wan2.1_t2v_1.3B_fp16.safetensors`,
    )
    .action(
      run((context, path: string, options: { vae?: string; textEncoder?: string; tokenizer?: string }) =>
        context.withServices({ access: 'write' }, async (services) => {
          const absolute = (file: string | undefined) => (file === undefined ? undefined : resolve(file));
          const added = await services.call['models.add']({
            directory: resolve(path),
            vae: absolute(options.vae),
            textEncoder: absolute(options.textEncoder),
            tokenizer: absolute(options.tokenizer),
          });
          const lines = [
            ...added.models.flatMap(({ name, directory, learnsBelow }) => [
              `${name}  ${directory}`,
              ...(learnsBelow === null
                ? []
                : [`  It has two transformers: concepts are learned for noise below ${learnsBelow}, and act there.`]),
            ]),
            ...added.refused.map(({ file, reason }) => `Left out: ${file}: ${reason}`),
          ];
          context.output.result('models-added', added, lines.join('\n'));
        }),
      ),
    );

  models
    .command('download')
    .description(
      'Fetches a model from the Hugging Face Hub by its name, or from a mirror; resumes where it was interrupted.',
    )
    .argument('<name>', 'such as Wan-AI/Wan2.1-T2V-1.3B-Diffusers')
    .option('--revision <name>', 'a branch, a tag or a commit')
    .option(
      '--mirror <address>',
      "another server that works like the Hub; kept as a setting ('none' goes back to the Hub)",
    )
    .option('--look', 'only shows its licence and size')
    .addHelpText(
      'after',
      `
Examples:
  motif models download Wan-AI/Wan2.1-T2V-1.3B-Diffusers --look
  motif models download Wan-AI/Wan2.1-T2V-1.3B-Diffusers --mirror https://mirror.example.org`,
    )
    .action(
      run((context, repository: string, options: { revision?: string; mirror?: string; look?: boolean }) =>
        context.withServices({ access: 'write' }, async (services) => {
          if (options.mirror !== undefined)
            await services.call['settings.set']({ modelMirror: options.mirror === 'none' ? null : options.mirror });
          const request = { repository, ...(options.revision ? { revision: options.revision } : {}) };
          const remote = await services.call['models.remote'](request);
          const said = `${repository}: licence ${remote.license}, ${formatBytes(remote.sizeBytes)} in ${remote.files} files, from ${remote.from}`;
          if (options.look) return context.output.result('remote-model', { repository, ...remote }, said);
          context.output.note(said);
          const { directory } = await runDownload(context, services, request);
          context.output.result(
            'model-downloaded',
            { repository, ...remote, directory },
            `Fetched ${repository} into the library (${directory}).`,
          );
        }),
      ),
    );

  models
    .command('remove')
    .description('Forgets a model. Its weights stay.')
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
