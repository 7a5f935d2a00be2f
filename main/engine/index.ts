/**
 * The engine's whole public face. No Electron, no SQLite, no ffmpeg: frames come and go as raw files.
 * One call at a time; every call takes an AbortSignal and leaves the engine usable whether it ends, fails or is cancelled.
 */
import type {
  DeviceName,
  DeviceReport,
  EngineEvent,
  ExportLoraRequest,
  GenerateRequest,
  GenerateResult,
  ImportLoraRequest,
  LearnRequest,
  LearnResult,
  LoraReport,
} from '../../shared/domain/engine.ts';
import type { ModelInfo } from '../../shared/domain/model.ts';

export interface CallOptions {
  signal?: AbortSignal;
  onEvent?(event: EngineEvent): void;
}

export interface Engine {
  /** What computes, and why; measures the matrix-product rate when asked. */
  device(options?: { measure?: boolean }): Promise<DeviceReport>;
  describeModel(directory: string): Promise<ModelInfo>;
  /** Learns a concept; resumes exactly when `workDirectory` holds an unfinished run of the same request. */
  learn(request: LearnRequest, options?: CallOptions): Promise<LearnResult>;
  generate(request: GenerateRequest, options?: CallOptions): Promise<GenerateResult>;
  exportLora(request: ExportLoraRequest, options?: CallOptions): Promise<LoraReport>;
  importLora(request: ImportLoraRequest, options?: CallOptions): Promise<LoraReport>;
  dispose(): Promise<void>;
}

export interface EngineOptions {
  device?: DeviceName;
  threads?: number;
}
