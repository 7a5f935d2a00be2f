import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RawFrames } from '../../shared/domain/clip.ts';
import type { Recipe } from '../../shared/domain/recipe.ts';
import type { Engine } from '../../shared/ipc/engine-contract.ts';

/** The most memory that this process had at once so far; `start` begins anew. Linux alone. */
export const peak = {
  start: () => writeFileSync('/proc/self/clear_refs', '5'),
  bytes: () => 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]),
};

/** A clip to learn, whose contents do not matter. */
export function patternedClip(folder: string, size: Omit<RawFrames, 'file'>): RawFrames {
  const file = join(folder, 'clip.rgb');
  const values = new Uint8Array(3 * size.frameCount * size.width * size.height);
  writeFileSync(
    file,
    values.map((_, index) => (index * 7) % 251),
  );
  return { file, ...size };
}

/** Learns a clip up to the recipe's last step: measuring the concept would sample it with all of the steps. `onPhase`: before the first. */
export async function learnSteps(
  engine: Engine,
  { model, frames, recipe, folder }: { model: string; frames: RawFrames; recipe: Recipe; folder: string },
  onStep: (stage: string, step: number, loss: number) => void,
  onPhase: (phase: string, done: number) => void = () => {},
): Promise<void> {
  const enough = new AbortController();
  const request = {
    model,
    clips: [{ frames, caption: { static: 'a [v] dog on the beach', dynamic: 'runs in [u] motion' } }],
    recipe,
    workDirectory: join(folder, 'work'),
    conceptFile: join(folder, 'concept.safetensors'),
  };
  await engine
    .learn(request, {
      signal: enough.signal,
      onEvent(event) {
        if (event.type === 'remark') console.log(event.text);
        if (event.type === 'progress' && event.progress.loss === undefined)
          onPhase(event.progress.phase, event.progress.done);
        if (event.type !== 'loss') return;
        const { stage, step, loss } = event.point;
        onStep(stage, step, loss);
        if (stage === 'motion' && step === recipe.stepsMotion) enough.abort();
      },
    })
    .catch((thrown) => {
      if (!enough.signal.aborted) throw thrown;
    });
}
