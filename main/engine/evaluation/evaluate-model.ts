import type { EvaluateModelRequest, EvaluateModelResult } from '../../../shared/domain/evaluation.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { evaluateAutoencoder } from './autoencoder.ts';
import { openEvaluationFolder } from './folder.ts';
import { openEvaluationJudge } from './judging.ts';
import { checkTestSeeds } from './scenes.ts';
import { standingOf } from './stamp.ts';
import { evaluateTextToVideo } from './text-to-video.ts';

/**
 * Measures a model: its autoencoder on test scenes and real clips, and text to video against the prompts'
 * truth. Parts that an earlier run of the same settings finished in the same folder are taken over. Throws
 * `not-found` without a judge, `invalid-input` for seeds that are no test seeds, and `conflict` for a folder
 * of other settings.
 */
export async function evaluateModel(
  model: OpenModel,
  request: EvaluateModelRequest,
  options: EngineCallOptions = {},
): Promise<EvaluateModelResult> {
  const startedAt = performance.now();
  checkTestSeeds(request.seeds);
  const { steps, guidance, seed } = request.sampling;
  const own = model.pipeline.extras.sampling;
  const sampling = { steps: steps ?? own.steps, guidance: guidance ?? own.guidance, seed };
  const judge = await openEvaluationJudge(request.judge);
  try {
    await openEvaluationFolder(request.outputFolder, {
      kind: 'model',
      ...(await standingOf(model, request.judge)),
      size: request.size,
      sampling,
    });
    const autoencoder = await evaluateAutoencoder(model.pipeline, judge, request, options);
    const textToVideo = await evaluateTextToVideo(model, judge, request, sampling, options);
    return {
      autoencoder: autoencoder.summaries,
      textToVideo: textToVideo.summary,
      looks: textToVideo.looks,
      sampling,
      sheet: [...autoencoder.sheet, ...textToVideo.sheet],
      seconds: (performance.now() - startedAt) / 1000,
      takenOver: autoencoder.takenOver + textToVideo.takenOver,
    };
  } finally {
    judge.dispose();
  }
}
