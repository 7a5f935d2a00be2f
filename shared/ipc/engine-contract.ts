import { z } from 'zod';
import { rawFrames } from '../domain/clip.ts';
import {
  checkConceptRequest,
  conceptFacts,
  describeModelRequest,
  deviceReport,
  type EngineEvent,
  engineEvent,
  enlargeRequest,
  exportLoraRequest,
  gatherRequest,
  gatherResult,
  generateRequest,
  generateResult,
  importedLora,
  importLoraRequest,
  installLibraryRequest,
  learnRequest,
  learnResult,
  libraryInstalled,
  loraReport,
  mixRequest,
  modelInfo,
} from '../domain/engine.ts';
import {
  evaluateConceptRequest,
  evaluateConceptResult,
  evaluateModelRequest,
  evaluateModelResult,
} from '../domain/evaluation.ts';
import { evaluateFinishRequest, evaluateFinishResult } from '../domain/evaluation-finish.ts';
import {
  evaluateTableRequest,
  evaluateTableResult,
  measureClipsRequest,
  measureClipsResult,
} from '../domain/evaluation-table.ts';
import { evaluateTwinRequest, evaluateTwinResult } from '../domain/evaluation-twin.ts';
import {
  decodeTwinRequest,
  describeTwinRequest,
  encodeTwinRequest,
  encodeTwinResult,
  generateTwinRequest,
  reenactRequest,
  renderTwinClipsRequest,
  trainTwinRequest,
  trainTwinResult,
  twinInfo,
} from '../domain/twin.ts';
import type { Contract } from './rpc.ts';

/**
 * What is asked of the engine, in its own process or in this one: frames come and go as raw files. Every
 * call can be cancelled and leaves the engine usable whether it ends, fails or is cancelled. Events belong
 * to the one call that computes.
 */
export const engineContract = {
  calls: {
    /** What computes, and why; measures the matrix-product rate when asked. */
    device: { input: z.object({ measure: z.boolean().optional() }), output: deviceReport },
    /**
     * Copies a library that computes from an archive, a wheel or a folder to its own, once it was seen to fit.
     */
    installLibrary: { input: installLibraryRequest, output: libraryInstalled },
    describeModel: { input: describeModelRequest, output: modelInfo },
    /** Makes models of single files that stay where they are. Throws `not-found` or `invalid-input` where none fit together. */
    gatherModels: { input: gatherRequest, output: gatherResult },
    /**
     * Loads a model and compiles what looks, and edits by a concept of the default recipe, need; answers
     * whether it did (not for large ones).
     */
    warmUp: { input: describeModelRequest, output: z.boolean() },
    /** Learns a concept; resumes exactly when `workDirectory` holds an unfinished run of the same request. */
    learn: { input: learnRequest, output: learnResult },
    generate: { input: generateRequest, output: generateResult },
    exportLora: { input: exportLoraRequest, output: loraReport },
    importLora: { input: importLoraRequest, output: importedLora },
    /** Puts who or what one concept is together with how another moves, as a concept file of its own. */
    mix: { input: mixRequest, output: conceptFacts },
    /** Super-resolution of raw frames. Throws `damaged-file` where its weights are. */
    enlarge: { input: enlargeRequest, output: rawFrames },
    /** Of an autoencoder with two latents. Throws `not-found` where none is. */
    describeTwin: { input: describeTwinRequest, output: twinInfo },
    encodeTwin: { input: encodeTwinRequest, output: encodeTwinResult },
    decodeTwin: { input: decodeTwinRequest, output: rawFrames },
    /** The structure of one clip with the dynamics of another. */
    reenact: { input: reenactRequest, output: rawFrames },
    /** A clip of words in its latents. Throws `not-found` without a generator, `invalid-input` for one of another twin. */
    generateTwin: { input: generateTwinRequest, output: rawFrames },
    /** Trains one; resumes exactly when `workDirectory` holds an unfinished run of the same request. */
    trainTwin: { input: trainTwinRequest, output: trainTwinResult },
    /** Scenes of the world to train one on. */
    renderTwinClips: { input: renderTwinClipsRequest, output: z.array(rawFrames) },
    /**
     * Reads a concept file whole. Throws `damaged-file` or `invalid-input` for one that could not be used.
     */
    checkConcept: { input: checkConceptRequest, output: conceptFacts },
    /**
     * Measures a model's autoencoder and text to video; goes on where an earlier run in the same folder
     * stopped.
     */
    evaluateModel: { input: evaluateModelRequest, output: evaluateModelResult },
    /** Measures learned concepts against edits whose truth is known; goes on as `evaluateModel` does. */
    evaluateConcept: { input: evaluateConceptRequest, output: evaluateConceptResult },
    /** Measures finishing against edits whose truth is known; goes on as `evaluateModel` does. */
    evaluateFinish: { input: evaluateFinishRequest, output: evaluateFinishResult },
    /** Measures the rows of a table of the papers; goes on as `evaluateModel` does. */
    measureClips: { input: measureClipsRequest, output: measureClipsResult },
    evaluateTable: { input: evaluateTableRequest, output: evaluateTableResult },
    /** Measures autoencoders with two latents beside others; goes on as `evaluateModel` does. */
    evaluateTwin: { input: evaluateTwinRequest, output: evaluateTwinResult },
  },
  events: { engine: engineEvent },
} satisfies Contract;

/** These read files alone and wait for nothing; all other calls wait for one another. */
export const waitlessCalls: ReadonlySet<string> = new Set<keyof EngineCalls>([
  'device',
  'installLibrary',
  'describeModel',
  'describeTwin',
  'gatherModels',
  'checkConcept',
]);

export interface EngineCallOptions {
  signal?: AbortSignal;
  onEvent?(event: EngineEvent): void;
}

type CallSchemas = (typeof engineContract)['calls'];

/** Whoever asks has parsed what it asks: nothing is left to defaults here. */
export type EngineCalls = {
  [K in keyof CallSchemas]: (
    input: z.output<CallSchemas[K]['input']>,
    options?: EngineCallOptions,
  ) => Promise<z.output<CallSchemas[K]['output']>>;
};

/** One engine, wherever it computes. */
export interface Engine extends EngineCalls {
  dispose(): Promise<void>;
}
