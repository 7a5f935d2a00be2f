import type { EngineEvent } from '../../../../shared/domain/engine.ts';
import type { TrainTwinRequest } from '../../../../shared/domain/twin.ts';
import { AppError } from '../../../../shared/ipc/result.ts';
import * as tf from '../../backends/tf.ts';
import type { Perceptual } from '../../models/judge/perceptual.ts';
import type { TwinConfig } from '../../models/vidtwin/twin-config.ts';
import { Random } from '../../nn/random.ts';
import { Rate } from '../rate.ts';
import { type ClipsBySize, drawTwinBatch } from './twin-batches.ts';
import { type TwinLossRow, type TwinState, writeTwinState } from './twin-state.ts';
import { judgedSteps, phaseOf, ratesOf, twinLearningRate, twinStep } from './twin-step.ts';

interface StepContext {
  config: TwinConfig;
  perceptual: Perceptual;
  recompute: boolean;
  clips: ClipsBySize;
  file: string;
  signal: AbortSignal | undefined;
  onEvent(event: EngineEvent): void;
}

/** Trains from where `state` stands to the last step. When aborted, saves a checkpoint and throws `cancelled`. */
export async function runTwinSteps(request: TrainTwinRequest, state: TwinState, context: StepContext): Promise<void> {
  const { training } = request;
  const { config, perceptual, recompute, signal, onEvent } = context;
  const { perceptual: seen, adversarial, divergence } = training;
  const objective = { config, perceptual, recompute, weights: { perceptual: seen, adversarial, divergence } };
  const steps = new Map<string, ReturnType<typeof twinStep>>();
  const rate = new Rate();
  try {
    while (state.step < training.steps) {
      if (signal?.aborted) return await stop(context.file, state, onEvent);
      const step = state.step + 1;
      const phase = phaseOf(training, step);
      const key = JSON.stringify(phase);
      const run = steps.get(key) ?? twinStep(objective, training, phase);
      steps.set(key, run);
      const learningRate = twinLearningRate(training, request.from !== null, step);
      const row = await runStep(run, request, state, { ...context, step, learningRate }).catch((error) => {
        if (signal?.aborted) return undefined; // the state is still that of the step before
        throw error;
      });
      if (!row) return await stop(context.file, state, onEvent);
      state.step = step;
      state.losses.push(row);
      if (!Number.isFinite(row.loss))
        throw new AppError('invalid-input', `Training diverged at step ${step}: the loss is ${row.loss}.`, {
          hint: 'Use a smaller --learning-rate.',
        });
      rate.tick(performance.now());
      onEvent({ type: 'loss', point: { stage: 'twin', step, loss: row.loss, learningRate } });
      onEvent({
        type: 'progress',
        progress: {
          phase: 'training',
          done: step,
          total: training.steps,
          unit: 'steps',
          ...rate.pace(training.steps - step),
          loss: row.loss,
          learningRate,
        },
      });
      if (step % training.checkpointEvery === 0 || step === training.steps) await save(context.file, state, onEvent);
    }
  } finally {
    for (const step of steps.values()) step.dispose();
  }
}

async function save(file: string, state: TwinState, onEvent: (event: EngineEvent) => void): Promise<void> {
  await writeTwinState(file, state);
  onEvent({ type: 'checkpoint', stage: 'twin', step: state.step });
}

async function stop(file: string, state: TwinState, onEvent: (event: EngineEvent) => void): Promise<never> {
  await save(file, state, onEvent);
  throw new AppError('cancelled', 'Training was stopped; it can go on from where it stands.');
}

/** Runs one step and puts its results into the state. */
async function runStep(
  run: ReturnType<typeof twinStep>,
  { training }: TrainTwinRequest,
  state: TwinState,
  { config, clips, step, learningRate, signal }: StepContext & { step: number; learningRate: number },
): Promise<TwinLossRow> {
  const random = new Random(`${training.seed}/twin/${step}`);
  const batch = await drawTwinBatch(config, clips, training, (step - 1) / training.steps, random);
  const rates = ratesOf(learningRate, step, judgedSteps(training, step));
  const { weights, moments, judge, judgeMoments } = state;
  try {
    const made = await run.run({ weights, moments, judge, judgeMoments, batch, ...rates }, signal);
    const judges = Object.keys(made.judge).length > 0;
    tf.dispose([weights, moments, ...(judges ? [judge, judgeMoments] : [])] as unknown as tf.TensorContainer);
    state.weights = made.weights;
    state.moments = made.moments;
    if (judges) {
      state.judge = made.judge;
      state.judgeMoments = made.judgeMoments;
    }
    const values: Record<string, number> = {};
    for (const [name, tensor] of Object.entries(made.terms)) values[name] = (await tensor.data())[0]!;
    tf.dispose(made.terms as unknown as tf.TensorContainer);
    return { step, learningRate, ...values } as TwinLossRow;
  } finally {
    tf.dispose([batch, rates] as unknown as tf.TensorContainer);
  }
}
