/** The engine's whole public face: the calls of its contract. No Electron, no SQLite, no ffmpeg. */
import type { DeviceName } from '../../shared/domain/engine.ts';
import { recipe } from '../../shared/domain/recipe.ts';
import type { GenerateTwinRequest, ReenactRequest } from '../../shared/domain/twin.ts';
import type { Engine, EngineCallOptions } from '../../shared/ipc/engine-contract.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { Serialiser } from '../../shared/structures/serialiser.ts';
import { installCuda } from './backends/lazy/executors/cuda/install.ts';
import { installOpenVino } from './backends/lazy/executors/openvino/install.ts';
import { lazyBackend } from './backends/lazy/use.ts';
import { measureMatMulRate } from './backends/matmul-rate.ts';
import { selectBackend } from './backends/select.ts';
import { evaluateConcept } from './evaluation/evaluate-concept.ts';
import { evaluateFinish } from './evaluation/evaluate-finish.ts';
import { evaluateModel } from './evaluation/evaluate-model.ts';
import { evaluateTable } from './evaluation/evaluate-table.ts';
import { evaluateTwin } from './evaluation/evaluate-twin.ts';
import { measureClips } from './evaluation/measure-clips.ts';
import { renderTwinClips } from './evaluation/render-twin-clips.ts';
import { openTwinAutoencoder } from './models/autoencoders.ts';
import { gatherModels, openVideoModel } from './models/registry.ts';
import { enlargeFrames } from './models/super-resolution/enlarge.ts';
import type { TwinAutoencoder } from './models/twin-autoencoder.ts';
import { checkConcept } from './sampling/check-concept.ts';
import { createConceptSampler } from './sampling/concept-sampler.ts';
import { generateClip } from './sampling/generate-clip.ts';
import { generateTwinClip } from './sampling/generate-twin.ts';
import { KeptLatents } from './sampling/kept-latents.ts';
import type { OpenModel } from './sampling/open-model.ts';
import { decodeTwinFile, describeTwin, encodeTwinFile, reenact } from './sampling/twin-calls.ts';
import { isWarmed, warmUpConcepts, warmUpLooks } from './sampling/warm-up.ts';
import { exportLora, importLora } from './training/exchange-lora.ts';
import { processMemory } from './training/free-memory.ts';
import { learnConcept } from './training/learn.ts';
import { mixConcepts } from './training/mix-concepts.ts';
import { compareSampleSteps } from './training/sample-step.ts';
import { trainTwin } from './training/twin/train-twin.ts';

export interface EngineOptions {
  device?: DeviceName;
  threads?: number;
  /** What the process may take altogether; all that is free unless given. Jobs are planned for it, or for the device's own memory. */
  memoryLimitBytes?: number | null | undefined;
  /** Compiled programs and the results of self-tests are kept here; it may be deleted at any time. */
  cacheFolder?: string;
  /** Where the application's own copy of OpenVINO would be. */
  openVinoFolder?: string;
  /** And that of ONNX Runtime with its CUDA provider. */
  cudaFolder?: string;
}

/**
 * Chooses what computes and makes an engine on it. Throws AppError when the device asked for does not work.
 * Calls wait for each other; one model is open at a time, and stays open until another is asked for.
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const report = await selectBackend({ ...options, selfTest: compareSampleSteps });
  let open: OpenModel | undefined;
  const keptLatents = new KeptLatents();
  let openTwin: { twin: TwinAutoencoder; fingerprint: string } | undefined;
  const calls = new Serialiser();

  const deviceMemoryBytes = () => {
    try {
      return lazyBackend()?.executor.deviceMemoryBytes?.() ?? null;
    } catch {
      return null; // jobs are then planned for the machine's
    }
  };
  /** What is computed must fit into the device's memory where it has its own, else into the process. */
  const memoryBytes = () => deviceMemoryBytes() ?? processMemory(options.memoryLimitBytes ?? undefined);
  const deviceReport = () => ({ ...report, memoryBytes: deviceMemoryBytes() });

  async function close(): Promise<void> {
    const closing = open;
    open = undefined;
    closing?.sampler.dispose();
    await closing?.pipeline.dispose();
  }

  async function closeTwin(): Promise<void> {
    const closing = openTwin;
    openTwin = undefined;
    keptLatents.dispose();
    await closing?.twin.dispose();
  }

  /** It is small, and stays open beside a model; one that was trained on since is read again. */
  async function twinAt(folder: string): Promise<TwinAutoencoder> {
    const twin = await openTwinAutoencoder(folder);
    const fingerprint = await twin.fingerprint();
    if (openTwin?.fingerprint === fingerprint) return openTwin.twin;
    await closeTwin();
    openTwin = { twin, fingerprint };
    return twin;
  }

  async function modelAt(directory: string): Promise<OpenModel> {
    if (open?.pipeline.directory === directory) return open;
    const pipeline = await openVideoModel(directory);
    const fingerprint = await pipeline.fingerprint();
    await close();
    open = { pipeline, sampler: createConceptSampler(pipeline), name: pipeline.name, fingerprint, memoryBytes };
    return open;
  }

  /**
   * Runs `work` when all calls before it have ended, however they ended. An abort is the error `cancelled`.
   */
  function inTurn<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const cancellable = async () => {
      try {
        return await work();
      } catch (error) {
        if (error instanceof AppError || !signal?.aborted) throw error;
        throw new AppError('cancelled', 'Cancelled.', { cause: error });
      }
    };
    return calls.run(cancellable, signal);
  }

  /** A call that needs its request's model open. */
  function onModel<Request extends { model: string }, Value>(
    work: (model: OpenModel, request: Request, options: EngineCallOptions) => Promise<Value>,
  ) {
    return (request: Request, options: EngineCallOptions = {}): Promise<Value> =>
      inTurn(options.signal, async () => work(await modelAt(request.model), request, options));
  }

  /** A call that needs its request's autoencoder of two latents open. */
  function onTwin<Request extends { twin: string }, Value>(
    work: (twin: TwinAutoencoder, request: Request, options: EngineCallOptions) => Promise<Value>,
  ) {
    return (request: Request, options: EngineCallOptions = {}): Promise<Value> =>
      inTurn(options.signal, async () => work(await twinAt(request.twin), request, options));
  }

  return {
    device: async ({ measure = false }) =>
      measure
        ? inTurn(undefined, async () => ({ ...deviceReport(), matMulGflops: await measureMatMulRate() }))
        : deviceReport(),
    async installLibrary({ name, source }) {
      const { install, folder } = {
        openvino: { install: installOpenVino, folder: options.openVinoFolder },
        cuda: { install: installCuda, folder: options.cudaFolder },
      }[name];
      if (!folder) throw new AppError('invalid-input', 'This engine has no folder to install a library in.');
      return install(source, folder);
    },
    // Reads files alone, so it need not wait for a learning to end.
    describeModel: async ({ model }) => (await openVideoModel(model)).describe(),
    gatherModels,
    // In turns of their own: what is asked for meanwhile comes in between.
    async warmUp({ model }, { signal } = {}) {
      const sizes = await inTurn(signal, async () => {
        const { pipeline } = await modelAt(model);
        return isWarmed(pipeline) ? pipeline.extras.sizes.map(({ width, height }) => [width, height] as const) : [];
      });
      // The widest first: most clips are.
      const [widest, ...others] = sizes.toSorted((a, b) => b[0] / b[1] - a[0] / a[1]);
      if (!widest) return false;
      const look = (size: readonly [number, number]) =>
        inTurn(signal, async () => warmUpLooks(await modelAt(model), size, signal));
      // What one size holds is given back before the next, and the widest is readied again from what was
      // compiled.
      const rest = () => inTurn(signal, async () => lazyBackend()?.computation.rest() ?? false);
      await look(widest);
      for (const size of others) {
        await rest();
        await look(size);
      }
      await rest();
      await inTurn(signal, async () => warmUpConcepts(await modelAt(model), recipe.parse({}), signal));
      if (await rest()) await look(widest);
      return true;
    },
    learn: onModel(learnConcept),
    generate: onModel(generateClip),
    exportLora: onModel(exportLora),
    importLora: onModel(importLora),
    mix: onModel(mixConcepts),
    enlarge: (request, options = {}) => inTurn(options.signal, () => enlargeFrames(request, options)),
    // As describing a model does, it reads files alone.
    describeTwin: async ({ twin }) => describeTwin(await openTwinAutoencoder(twin)),
    encodeTwin: onTwin(encodeTwinFile),
    decodeTwin: onTwin(decodeTwinFile),
    reenact: onTwin((twin, request: ReenactRequest, callOptions) => reenact(twin, request, callOptions, keptLatents)),
    generateTwin: onModel(async (model, request: GenerateTwinRequest, callOptions) =>
      generateTwinClip(model, await twinAt(request.twin), request, callOptions),
    ),
    trainTwin: (request, options = {}) => inTurn(options.signal, () => trainTwin(request, options)),
    renderTwinClips: (request, options = {}) => inTurn(options.signal, () => renderTwinClips(request, options)),
    // As describing a model does, it reads files alone.
    checkConcept,
    evaluateModel: onModel(evaluateModel),
    evaluateConcept: onModel(evaluateConcept),
    evaluateFinish: onModel(evaluateFinish),
    measureClips: (request, options = {}) => inTurn(options.signal, () => measureClips(request, options)),
    evaluateTable: onModel(evaluateTable),
    evaluateTwin: onModel(evaluateTwin),
    dispose: () =>
      inTurn(undefined, async () => {
        await close();
        await closeTwin();
      }),
  };
}
