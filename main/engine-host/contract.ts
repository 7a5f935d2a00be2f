import { z } from 'zod';
import {
  checkConceptRequest,
  conceptFacts,
  describeModelRequest,
  deviceName,
  deviceReport,
  engineEvent,
  exportLoraRequest,
  generateRequest,
  generateResult,
  importedLora,
  importLoraRequest,
  learnRequest,
  learnResult,
  loraReport,
  mixRequest,
  modelInfo,
  openVinoInstalled,
} from '../../shared/domain/engine.ts';
import {
  evaluateConceptRequest,
  evaluateConceptResult,
  evaluateModelRequest,
  evaluateModelResult,
} from '../../shared/domain/evaluation.ts';
import { evaluateFinishRequest, evaluateFinishResult } from '../../shared/domain/evaluation-finish.ts';
import type { Contract } from '../../shared/ipc/rpc.ts';

/** What the host asks of the engine process. Events belong to the one call that computes. */
export const engineContract = {
  calls: {
    device: { input: z.object({ measure: z.boolean().optional() }), output: deviceReport },
    installOpenVino: { input: z.object({ source: z.string() }), output: openVinoInstalled },
    describeModel: { input: describeModelRequest, output: modelInfo },
    warmUp: { input: describeModelRequest, output: z.boolean() },
    learn: { input: learnRequest, output: learnResult },
    generate: { input: generateRequest, output: generateResult },
    exportLora: { input: exportLoraRequest, output: loraReport },
    importLora: { input: importLoraRequest, output: importedLora },
    mix: { input: mixRequest, output: conceptFacts },
    checkConcept: { input: checkConceptRequest, output: conceptFacts },
    evaluateModel: { input: evaluateModelRequest, output: evaluateModelResult },
    evaluateConcept: { input: evaluateConceptRequest, output: evaluateConceptResult },
    evaluateFinish: { input: evaluateFinishRequest, output: evaluateFinishResult },
  },
  events: { engine: engineEvent },
} satisfies Contract;

/** The engine process' one argument, as JSON. */
export const engineProcessOptions = z.object({
  device: deviceName.optional(),
  threads: z.int().positive().optional(),
  cacheFolder: z.string().optional(),
  openVinoFolder: z.string().optional(),
  beatMilliseconds: z.int().positive().default(1000),
});
export type EngineProcessOptions = z.infer<typeof engineProcessOptions>;

/**
 * A sign of life, written to the engine's standard output by a thread that computes nothing: the engine's own thread is blocked for as
 * long as a native run lasts, which is no fault. Lines that start otherwise are the output of libraries.
 */
export const beat = z.object({
  /** Processor time of the whole process so far: it grows while a native run computes, and stands still in a deadlock. */
  cpuSeconds: z.number(),
  residentBytes: z.number(),
});
export type Beat = z.infer<typeof beat>;
export const beatMark = '\u001ebeat ';
