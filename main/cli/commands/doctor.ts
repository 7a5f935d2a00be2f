import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type DeviceReport, installLibraryRequest, type LibraryName } from '../../../shared/domain/engine.ts';
import { planRunning } from '../../../shared/domain/model.ts';
import { toErrorShape } from '../../../shared/ipc/result.ts';
import { fetchWheel, findWheel } from '../../jobs/runners/pypi.ts';
import { locateMediaTools, type MediaTools } from '../../media/locate.ts';
import type { Services } from '../../services/services.ts';
import type { CommandContext, Registration } from '../context.ts';
import { formatBytes, formatNumber, formatRunning } from '../progress-text.ts';

interface Finding {
  name: string;
  /**
   * `missing` is worth knowing, `unused` is there or may be, but was not needed, `broken` means that
   * something will not work.
   */
  state: 'good' | 'missing' | 'unused' | 'broken';
  text: string;
}

export const registerDoctor: Registration = (program, run) => {
  program
    .command('doctor')
    .description('Shows what was found on this machine, what was chosen and why, and how fast it computes.')
    .option(
      '--install <what...>',
      "openvino FILE: copies OpenVINO, which computes faster on many processors, out of its official archive, a Python wheel or a folder; cuda FILE: the same with ONNX Runtime's CUDA provider, for graphics processors of NVIDIA; cuda pypi: fetches that first",
    )
    .addHelpText(
      'after',
      `
Examples:
  motif doctor
  motif doctor --device webgpu
  motif doctor --json
  pip download --no-deps openvino && motif doctor --install openvino openvino-*.whl
  pip download --no-deps onnxruntime-gpu==${onnxRuntimeVersion()} && motif doctor --install cuda onnxruntime_gpu-*.whl`,
    )
    .action(
      run(async (context, { install }: { install?: string[] }, command: Command) => {
        if (install) await installLibrary(context, install, command);
        const findings: Finding[] = [
          {
            name: 'program',
            state: 'good',
            text: `Motif ${program.version()}, Node ${process.versions.node}, ${process.platform} ${process.arch}`,
          },
        ];
        const [device, media] = await Promise.all([
          context.withServices({ access: 'read' }, async (services) => {
            const device = await checkDevice(services);
            findings.push(...(await checkLibrary(services, device.report)), ...device.findings);
            return device.report;
          }),
          checkMedia(findings),
        ]);
        const marks = { good: 'ok      ', missing: 'missing ', unused: 'unused  ', broken: 'BROKEN  ' };
        const broken = findings.filter(({ state }) => state === 'broken').length;
        const text = findings.map(({ name, state, text }) => `${marks[state]}${name.padEnd(9)}${text}`).join('\n');
        context.output.result('doctor', { findings, device, media }, text);
        if (broken > 0) context.fail();
      }),
    );
};

/** The CUDA provider has to be of the same version. */
const onnxRuntimeVersion = () =>
  (createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string }).version;

const libraries: Record<LibraryName, { name: string; howToGet(): string }> = {
  openvino: {
    name: 'OpenVINO',
    howToGet: () =>
      "OpenVINO's runtime comes as a Python wheel (pip download --no-deps openvino) or as its official archive, for example: motif doctor --install openvino openvino-*.whl",
  },
  cuda: {
    name: 'ONNX Runtime with CUDA',
    howToGet: () =>
      `ONNX Runtime's CUDA provider comes as a Python wheel (pip download --no-deps onnxruntime-gpu==${onnxRuntimeVersion()}), for example: motif doctor --install cuda onnxruntime_gpu-*.whl; motif doctor --install cuda pypi fetches it. What it is linked with comes with a CUDA toolkit of version 13 and cuDNN 9, or by pip install nvidia-cuda-runtime nvidia-curand nvidia-cuda-nvrtc nvidia-cudnn-cu13`,
  },
};

async function installLibrary(context: CommandContext, given: string[], command: Command): Promise<void> {
  const [word, source, ...rest] = given;
  const { data: library } = installLibraryRequest.shape.name.safeParse(word);
  if (!library || rest.length > 0)
    command.error('error: --install takes two values: openvino or cuda, and a file or folder');
  const { name, howToGet } = libraries[library];
  if (source === undefined) command.error(`error: --install ${library} needs a file or folder. ${howToGet()}`);
  const { version, folder } = await context.withServices({ access: 'read' }, async (services) => {
    if (library !== 'cuda' || source !== 'pypi')
      return services.engine.installLibrary({ name: library, source: resolve(source) });
    const fetched = await fetchCuda(context, join(services.library.status().folder, 'cache', 'cuda-wheel'));
    try {
      return await services.engine.installLibrary({ name: library, source: fetched });
    } finally {
      await rm(fetched);
    }
  });
  context.output.result(
    'installed',
    { name: library, version, folder },
    `${name} ${version} is installed in ${folder}`,
  );
}

/** The wheel with the CUDA provider comes into a folder, where one that was broken off waits to be gone on with. */
async function fetchCuda({ output, signal }: CommandContext, folder: string): Promise<string> {
  const version = onnxRuntimeVersion();
  const wheel = await findWheel('onnxruntime-gpu', version, signal);
  output.note(
    `onnxruntime-gpu ${version}: licence ${wheel.license}, ${formatBytes(wheel.file.size)}, from ${wheel.from}`,
  );
  const path = await fetchWheel(wheel, folder, signal, (progress) =>
    output.progress(`Download ${wheel.file.rfilename}`, progress),
  );
  output.endProgress();
  return path;
}

/** Models are described by the engine, which only starts where something computes. */
async function checkLibrary(services: Services, device: DeviceReport | null): Promise<Finding[]> {
  const { folder, access, holder } = services.library.status();
  const held = holder ? `, written by ${holder.program} (process ${holder.pid} since ${holder.since})` : '';
  const models = device ? await services.call['models.list']() : [];
  const { totalMemoryBytes } = await services.call['program.about']();
  const memoryBytes = device?.memoryBytes ?? totalMemoryBytes;
  return [
    { name: 'library', state: 'good', text: `${folder}${access === 'read' && held ? held : ''}` },
    ...models.map(
      ({ directory, info, error }): Finding =>
        info
          ? {
              name: 'model',
              state: 'good',
              text: `${info.name}, ${formatNumber(info.parameters / 1e6)} million parameters, ${formatBytes(info.sizeBytes)} on disk, ${formatRunning(planRunning(info, memoryBytes))} in memory, ${info.license}`,
            }
          : { name: 'model', state: 'broken', text: `${directory}: ${error}` },
    ),
  ];
}

async function checkDevice(services: Services): Promise<{ report: DeviceReport | null; findings: Finding[] }> {
  try {
    const report = await services.call['device.report']({ measure: true });
    const rate =
      report.matMulGflops === null ? '' : `, ${formatNumber(report.matMulGflops)} GFLOP/s in matrix products`;
    const memory = report.memoryBytes === null ? '' : `, ${formatBytes(report.memoryBytes)} of its own memory to use`;
    const chosen = report.candidates.find(({ name }) => name === report.chosen);
    const findings: Finding[] = [
      { name: 'computes', state: 'good', text: `${report.chosen}: ${report.description}${rate}${memory}` },
      ...(chosen ? [{ name: 'why', state: 'good' as const, text: `${chosen.name}: ${chosen.reason}` }] : []),
      ...report.candidates
        .filter(({ name }) => name !== report.chosen)
        .map(
          ({ name, available, reason }): Finding => ({
            name: 'computes',
            state: available ? 'unused' : 'missing',
            text: `${name}: ${reason}`,
          }),
        ),
    ];
    return { report, findings };
  } catch (thrown) {
    const { message, hint } = toErrorShape(thrown);
    return {
      report: null,
      findings: [
        { name: 'computes', state: 'broken', text: hint ? `${message.replace(/(\w)$/, '$1.')} ${hint}` : message },
      ],
    };
  }
}

async function checkMedia(findings: Finding[]): Promise<object | null> {
  let tools: MediaTools;
  try {
    tools = await locateMediaTools();
  } catch (thrown) {
    const { message, hint } = toErrorShape(thrown);
    findings.push({ name: 'ffmpeg', state: 'broken', text: hint ? `${message} ${hint}` : message });
    return null;
  }
  const { ffmpeg, ffprobe, passedOver } = tools;
  findings.push(
    { name: 'ffmpeg', state: 'good', text: `${ffmpeg.capabilities.version} (${ffmpeg.origin}): ${ffmpeg.path}` },
    { name: 'ffprobe', state: 'good', text: `${ffprobe.version} (${ffprobe.origin}): ${ffprobe.path}` },
    ...ffmpeg.missing.map(
      ({ kind, names, purpose, essential }): Finding => ({
        name: 'ffmpeg',
        state: essential ? 'broken' : 'missing',
        text: `${kind} ${names.join(' or ')}, for ${purpose}`,
      }),
    ),
    ...passedOver.map(
      ({ path, origin, reason }): Finding => ({
        name: 'ffmpeg',
        state: 'missing',
        text: `${path} (${origin}): ${reason}`,
      }),
    ),
  );
  return {
    ffmpeg: { path: ffmpeg.path, origin: ffmpeg.origin, version: ffmpeg.capabilities.version, missing: ffmpeg.missing },
    ffprobe: { path: ffprobe.path, origin: ffprobe.origin, version: ffprobe.version },
    passedOver,
  };
}
