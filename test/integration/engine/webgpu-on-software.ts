import { selectBackend } from '../../../main/engine/backends/select.ts';
import { weightForms } from '../../../main/engine/backends/weights.ts';
import { compareSampleSteps } from '../../../main/engine/training/sample-step.ts';

/**
 * Prints how WebGPU is chosen here, and how it can hold weights, as JSON: a process of its own, since a driver is found by the environment
 * that the process begins with.
 */
const [cacheFolder] = process.argv.slice(2);
try {
  const report = await selectBackend({ device: 'webgpu', cacheFolder, selfTest: compareSampleSteps });
  console.log(JSON.stringify({ ...report, weightForms: weightForms() }));
} catch (error) {
  console.log(JSON.stringify({ failed: error instanceof Error ? error.message : String(error) }));
}
process.exit(0);
