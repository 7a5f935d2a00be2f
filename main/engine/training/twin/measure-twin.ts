import type { TrainTwinRequest, TrainTwinResult } from '../../../../shared/domain/twin.ts';
import type { EngineCallOptions } from '../../../../shared/ipc/engine-contract.ts';
import * as tf from '../../backends/tf.ts';
import { readRawFrames } from '../../formats/raw-frames.ts';
import { meanSquaredError } from '../../metrics/mse.ts';
import { psnrOfMse } from '../../metrics/psnr.ts';
import { openTwinAutoencoder } from '../../models/autoencoders.ts';

/** What came out, on clips that were not trained on: means of PSNR over clips. */
export async function measureTwin(
  { output, validation }: TrainTwinRequest,
  { signal, onEvent }: Required<Pick<EngineCallOptions, 'onEvent'>> & Pick<EngineCallOptions, 'signal'>,
): Promise<TrainTwinResult['measured']> {
  if (validation.length === 0) return null;
  const twin = await openTwinAutoencoder(output);
  const views = { psnr: [1, 1], psnrStructure: [1, 0], psnrDynamics: [0, 1] } as const;
  const sums = { psnr: 0, psnrStructure: 0, psnrDynamics: 0 };
  try {
    for (const [index, frames] of validation.entries()) {
      const pictures = await readRawFrames(frames);
      const latents = await twin.encodeTwin(pictures, { signal });
      try {
        for (const [name, [structure, dynamics]] of Object.entries(views) as [keyof typeof sums, [number, number]][]) {
          if (name !== 'psnr' && !twin.disentangled) continue;
          const made = await twin.decodeTwin(latents, { structure, dynamics }, { signal });
          sums[name] += psnrOfMse(meanSquaredError(made.data, pictures.data)) / validation.length;
        }
      } finally {
        tf.dispose([latents.structure, latents.dynamics ?? []]);
      }
      const counted = { phase: 'measuring', done: index + 1, total: validation.length, unit: 'clips' };
      onEvent({ type: 'progress', progress: { ...counted, perSecond: null, etaSeconds: null } });
    }
  } finally {
    await twin.dispose();
  }
  const { psnr, psnrStructure, psnrDynamics } = sums;
  const apart = twin.disentangled;
  return {
    clips: validation.length,
    psnr,
    psnrStructure: apart ? psnrStructure : null,
    psnrDynamics: apart ? psnrDynamics : null,
  };
}
