/**
 * The one door to TensorFlow.js. Everything in the engine imports its functional API from here.
 * The package's Node build registers no gradients, so its ES modules are used (build.mjs and vitest.config.ts bundle them).
 */
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import './gradients.ts';

export * from '@tensorflow/tfjs-core/dist/index.js';
