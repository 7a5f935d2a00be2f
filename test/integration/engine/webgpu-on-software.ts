import { selectBackend } from '../../../main/engine/backends/select.ts';
import { compareSampleSteps } from '../../../main/engine/training/sample-step.ts';

/**
 * Prints how WebGPU is chosen here, as JSON: a process of its own, since a driver is found by the environment that the process begins
 * with.
 */
const [cacheFolder] = process.argv.slice(2);
try {
  console.log(JSON.stringify(await selectBackend({ device: 'webgpu', cacheFolder, selfTest: compareSampleSteps })));
} catch (error) {
  console.log(JSON.stringify({ failed: error instanceof Error ? error.message : String(error) }));
}
process.exit(0);
