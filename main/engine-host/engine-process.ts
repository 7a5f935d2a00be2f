import { createEngine } from '../engine/index.ts';
import { serveEngine } from './serve-engine.ts';

serveEngine(createEngine);
