/**
 * The engine's whole public face. No Electron, no SQLite, no ffmpeg: frames come and go as raw files.
 * One call at a time; every call takes an AbortSignal and leaves the engine usable whether it ends, fails or is cancelled.
 */
import type {
  CheckConceptRequest,
  ConceptFacts,
  DeviceName,
  DeviceReport,
  EngineEvent,
  ExportLoraRequest,
  GenerateRequest,
  GenerateResult,
  ImportedLora,
  ImportLoraRequest,
  LearnRequest,
  LearnResult,
  LoraReport,
  MixRequest,
  OpenVinoInstalled,
} from '../../shared/domain/engine.ts';
import type {
  EvaluateConceptRequest,
  EvaluateConceptResult,
  EvaluateModelRequest,
  EvaluateModelResult,
} from '../../shared/domain/evaluation.ts';
import type { EvaluateFinishRequest, EvaluateFinishResult } from '../../shared/domain/evaluation-finish.ts';
import type { ModelInfo } from '../../shared/domain/model.ts';
import { recipe } from '../../shared/domain/recipe.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { installOpenVino } from './backends/lazy/executors/openvino/install.ts';
import { lazyBackend } from './backends/lazy/use.ts';
import { measureMatMulRate } from './backends/matmul-rate.ts';
import { selectBackend } from './backends/select.ts';
import { evaluateConcept } from './evaluation/evaluate-concept.ts';
import { evaluateFinish } from './evaluation/evaluate-finish.ts';
import { evaluateModel } from './evaluation/evaluate-model.ts';
import { describePipeline, modelName } from './models/wan/describe.ts';
import { transformerFingerprint } from './models/wan/fingerprint.ts';
import { openWanPipeline, type WanPipeline } from './models/wan/pipeline.ts';
import { checkConcept } from './sampling/check-concept.ts';
import { type ConceptSampler, createConceptSampler } from './sampling/concept-sampler.ts';
import { generateClip } from './sampling/generate-clip.ts';
import { isWarmed, warmUpConcepts, warmUpLooks } from './sampling/warm-up.ts';
import { exportLora, importLora } from './training/exchange-lora.ts';
import { learnConcept } from './training/learn.ts';
import { mixConcepts } from './training/mix-concepts.ts';
import { compareSampleSteps } from './training/sample-step.ts';

export interface CallOptions {
  signal?: AbortSignal;
  onEvent?(event: EngineEvent): void;
}

export interface Engine {
  /** What computes, and why; measures the matrix-product rate when asked. */
  device(options?: { measure?: boolean }): Promise<DeviceReport>;
  /** Copies OpenVINO from an archive, a wheel or a folder to `openVinoFolder`, after it was seen to load. */
  installOpenVino(source: string): Promise<OpenVinoInstalled>;
  describeModel(directory: string): Promise<ModelInfo>;
  /** Loads a model and compiles what looks, and edits by a concept of the default recipe, need; answers whether it did (not for large ones). */
  warmUp(directory: string, options?: CallOptions): Promise<boolean>;
  /** Learns a concept; resumes exactly when `workDirectory` holds an unfinished run of the same request. */
  learn(request: LearnRequest, options?: CallOptions): Promise<LearnResult>;
  generate(request: GenerateRequest, options?: CallOptions): Promise<GenerateResult>;
  exportLora(request: ExportLoraRequest, options?: CallOptions): Promise<LoraReport>;
  importLora(request: ImportLoraRequest, options?: CallOptions): Promise<ImportedLora>;
  /** Puts who or what one concept is together with how another moves, as a concept file of its own. */
  mix(request: MixRequest, options?: CallOptions): Promise<ConceptFacts>;
  /** Reads a concept file whole. Throws `damaged-file` or `invalid-input` for one that could not be used. */
  checkConcept(request: CheckConceptRequest): Promise<ConceptFacts>;
  /** Measures a model's autoencoder and text to video; goes on where an earlier run in the same folder stopped. */
  evaluateModel(request: EvaluateModelRequest, options?: CallOptions): Promise<EvaluateModelResult>;
  /** Measures learned concepts against edits whose truth is known; goes on as `evaluateModel` does. */
  evaluateConcept(request: EvaluateConceptRequest, options?: CallOptions): Promise<EvaluateConceptResult>;
  /** Measures finishing against edits whose truth is known; goes on as `evaluateModel` does. */
  evaluateFinish(request: EvaluateFinishRequest, options?: CallOptions): Promise<EvaluateFinishResult>;
  dispose(): Promise<void>;
}

export interface EngineOptions {
  device?: DeviceName;
  threads?: number;
  /** Compiled programs and the results of self-tests are kept here; it may be deleted at any time. */
  cacheFolder?: string;
  /** Where the application's own copy of OpenVINO would be. */
  openVinoFolder?: string;
}

/** An opened model with what was computed for it so far. */
interface OpenModel {
  pipeline: WanPipeline;
  sampler: ConceptSampler;
  name: string;
  fingerprint: string;
}

/**
 * Chooses what computes and makes an engine on it. Throws AppError when the device asked for does not work.
 * Calls wait for each other; one model is open at a time, and stays open until another is asked for.
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const report = await selectBackend({ ...options, selfTest: compareSampleSteps });
  let open: OpenModel | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function close(): Promise<void> {
    const closing = open;
    open = undefined;
    closing?.sampler.dispose();
    await closing?.pipeline.dispose();
  }

  async function modelAt(directory: string): Promise<OpenModel> {
    if (open?.pipeline.directory === directory) return open;
    const pipeline = await openWanPipeline(directory);
    const fingerprint = await transformerFingerprint(directory);
    await close();
    open = { pipeline, sampler: createConceptSampler(pipeline), name: modelName(directory), fingerprint };
    return open;
  }

  /** Runs `work` when all calls before it have ended, however they ended. An abort is the error `cancelled`. */
  function inTurn<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const turn = last.then(async () => {
      try {
        signal?.throwIfAborted();
        return await work();
      } catch (error) {
        if (error instanceof AppError || !signal?.aborted) throw error;
        throw new AppError('cancelled', 'Cancelled.', { cause: error });
      }
    });
    last = turn.catch(() => undefined);
    return turn;
  }

  return {
    device: async ({ measure = false } = {}) =>
      measure ? inTurn(undefined, async () => ({ ...report, matMulGflops: await measureMatMulRate() })) : report,
    async installOpenVino(source) {
      if (!options.openVinoFolder)
        throw new AppError('invalid-input', 'This engine has no folder to install OpenVINO in.');
      return installOpenVino(source, options.openVinoFolder);
    },
    // Reads files alone, so it need not wait for a learning to end.
    describeModel: async (directory) => describePipeline(await openWanPipeline(directory)),
    // In turns of their own: what is asked for meanwhile comes in between.
    async warmUp(directory, { signal } = {}) {
      const sizes = await inTurn(signal, async () => {
        const { pipeline } = await modelAt(directory);
        return isWarmed(pipeline) ? pipeline.extras.sizes.map(({ width, height }) => [width, height] as const) : [];
      });
      // The widest first: most clips are.
      const [widest, ...others] = sizes.toSorted((a, b) => b[0] / b[1] - a[0] / a[1]);
      if (!widest) return false;
      const look = (size: readonly [number, number]) =>
        inTurn(signal, async () => warmUpLooks(await modelAt(directory), size, signal));
      // What one size holds is given back before the next, and the widest is readied again from what was compiled.
      const rest = () => inTurn(signal, async () => lazyBackend()?.rest() ?? false);
      await look(widest);
      for (const size of others) {
        await rest();
        await look(size);
      }
      await rest();
      await inTurn(signal, async () => warmUpConcepts(await modelAt(directory), recipe.parse({}), signal));
      if (await rest()) await look(widest);
      return true;
    },
    learn: (request, options = {}) =>
      inTurn(options.signal, async () => learnConcept(await modelAt(request.model), request, options)),
    generate: (request, options = {}) =>
      inTurn(options.signal, async () => generateClip(await modelAt(request.model), request, options)),
    exportLora: (request, options = {}) =>
      inTurn(options.signal, async () => exportLora(await modelAt(request.model), request)),
    importLora: (request, options = {}) =>
      inTurn(options.signal, async () => importLora(await modelAt(request.model), request)),
    mix: (request, options = {}) =>
      inTurn(options.signal, async () => mixConcepts(await modelAt(request.model), request)),
    // As describing a model does, it reads files alone.
    checkConcept,
    evaluateModel: (request, options = {}) =>
      inTurn(options.signal, async () => evaluateModel(await modelAt(request.model), request, options)),
    evaluateConcept: (request, options = {}) =>
      inTurn(options.signal, async () => evaluateConcept(await modelAt(request.model), request, options)),
    evaluateFinish: (request, options = {}) =>
      inTurn(options.signal, async () => evaluateFinish(await modelAt(request.model), request, options)),
    dispose: () => inTurn(undefined, close),
  };
}
