import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { type Concept, type ConceptMetrics, givesClipBack, learnedSteps } from '../../../shared/domain/concept.ts';
import type { LearnInput, LearnOutput } from '../../../shared/domain/job-input.ts';
import { needsIdentityToken, plannedSteps, type Recipe, recipe } from '../../../shared/domain/recipe.ts';
import { planLearningTime, type TimedLearning, timedOn } from '../../../shared/domain/time-plan.ts';
import type { Engine } from '../../../shared/ipc/engine-contract.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import type { ClipStore } from '../../library/clips.ts';
import type { ConceptStore } from '../../library/concepts.ts';
import type { ModelRegistry } from '../../library/models.ts';
import type { Library } from '../../library/open.ts';
import { plainError } from '../../media/plain-picture.ts';
import { mergeLosses, readEvents } from '../event-log.ts';
import { requireFit } from '../fit.ts';
import { workAgain } from '../folders.ts';
import { LearningClock } from '../learning-clock.ts';
import type { Runner } from '../runner.ts';

/** The name of the loss curves beside a concept's file. */
export const lossesFile = 'losses.json';

/**
 * One or more clips become a concept, or the next version of one. Checkpoints stay in the job's folder until
 * it is done. What does not give its clip back is learned once more, and the better one is kept.
 */
export function learnRunner(services: {
  library: Library;
  clips: ClipStore;
  concepts: ConceptStore;
  models: ModelRegistry;
  engine: Pick<Engine, 'device' | 'learn'>;
}): Runner<LearnInput, LearnOutput> {
  const { library, clips, concepts, models, engine } = services;
  return {
    kind: 'learn',
    lane: 'engine',
    resumes: true,
    prepare(input) {
      const chosen = input.clips.map(({ clipId, caption }) => ({ clip: clips.get(clipId), caption }));
      const existing = input.conceptId === undefined ? null : concepts.get(input.conceptId);
      const name = existing?.name ?? input.name ?? chosen.map(({ clip }) => clip.name).join(' + ');
      for (const { caption } of chosen) checkCaption(caption.static, input.recipe.method);
      if (input.recipe.stepsIdentity + input.recipe.stepsMotion === 0)
        throw new AppError('invalid-input', 'Both stages have 0 steps: nothing would be learned.', {
          hint: 'Leave the numbers of steps out for the defaults.',
        });
      return {
        input: {
          ...input,
          name,
          conceptId: existing?.id,
          clips: chosen.map(({ clip, caption }) => ({ clipId: clip.id, caption })),
        },
        title: existing ? `Learn ${name} again` : `Learn ${name}`,
        targetName: name,
      };
    },
    async run({ input, target, folder, signal, onProgress, onEvent }) {
      const model = await models.get(input.model);
      const used = input.clips.map(({ clipId }) => clips.byId(clipId));
      for (const clip of used) requireFit(clip, model);
      const reference = models.reference(model);
      const device = await engine.device({});
      const timed = await timedLearnings(concepts.list(), models);
      const plainErrors = used.map(({ frames }) => plainError(readFileSync(library.absolutePath(frames.file))));
      const plainMse = plainErrors.reduce((sum, error) => sum + error, 0) / plainErrors.length;
      const learn = async (recipe: Recipe, name: string) => {
        const memoryBytes = device.memoryBytes ?? totalmem();
        const planned = planLearningTime(model, recipe, { device, memoryBytes, timed });
        const clock = new LearningClock(recipe, planned?.timing ?? null, performance.now());
        const made = join(folder, `result${name}`);
        mkdirSync(made, { recursive: true });
        const result = await engine.learn(
          {
            model: model.directory,
            clips: used.map((clip, index) => ({
              frames: { ...clip.frames, file: library.absolutePath(clip.frames.file) },
              caption: input.clips[index]!.caption,
            })),
            recipe,
            workDirectory: join(folder, `work${name}`),
            conceptFile: join(made, 'concept.safetensors'),
          },
          {
            signal,
            onEvent(event) {
              onEvent(event);
              if (event.type === 'progress') onProgress(clock.tell(event.progress, performance.now()));
            },
          },
        );
        const timing = clock.timing(performance.now());
        const { machine } = device;
        const told = readEvents(join(folder, 'events.jsonl')).flatMap((event) =>
          event.type === 'loss' ? [event.point] : [],
        );
        writeFileSync(join(made, lossesFile), JSON.stringify(mergeLosses(told, result.losses)));
        return {
          recipe,
          made,
          result,
          metrics: { ...result.metrics, plainMse, timing: timing && { machine, ...timing } },
        };
      };
      const first = await learn(input.recipe, '');
      const again = isWorthAnother(first) ? await learn(otherSeed(input.recipe), workAgain) : null;
      const { recipe, made, result, metrics } = again && errorOf(again) < errorOf(first) ? again : first;
      const id = input.conceptId ?? target;
      const version = concepts.nextVersion(id);
      const place = `concepts/${id}/v${version}`;
      return {
        output: { conceptId: id, version },
        move: { from: made, to: place },
        changed: 'concept',
        writeRows: () =>
          concepts.insert({
            id,
            name: input.name ?? id,
            version,
            clipIds: used.map((clip) => clip.id),
            captions: input.clips.map(({ caption }) => caption),
            recipe,
            model: reference,
            rank: result.rank,
            directionStrengths: result.directionStrengths,
            directionNames: {},
            metrics,
            file: `${place}/concept.safetensors`,
            tags: [],
            notes: again ? describeBoth(first, again) : '',
            createdAt: new Date().toISOString(),
          }),
      };
    },
  };
}

/** Learnings that were timed, on models that are still here. */
async function timedLearnings(learned: readonly Concept[], models: ModelRegistry): Promise<TimedLearning[]> {
  const known = (await models.list()).flatMap(({ info }) => info ?? []);
  return timedOn(learned, (concept) => known.find((model) => models.reference(model) === concept.model));
}

/** The words must say where the learned identity goes, unless the method has no token for it. */
function checkCaption(caption: string, method: LearnInput['recipe']['method']): void {
  if (needsIdentityToken(method) && !/\[v\d*\]/.test(caption)) {
    throw new AppError('invalid-input', `The static description "${caption}" has no [v].`, {
      hint: 'Put [v] before what is learned: "a [v] person in a blue jacket, in a park".',
    });
  }
}

interface Learned {
  recipe: Recipe;
  metrics: ConceptMetrics;
}

const otherSeed = (recipe: Recipe): Recipe => ({ ...recipe, seed: recipe.seed + 1 });
const errorOf = ({ metrics }: Learned) => metrics.reconstructionMse ?? Number.POSITIVE_INFINITY;

/**
 * Whether a clip whose layout was lost is learned once more, from another seed: which one loses it, if any, is chance. Not where fewer
 * steps were asked for, or taken, than two thirds of the method's own: those are too few with any seed.
 */
function isWorthAnother({ recipe: asked, metrics }: Learned): boolean {
  if (givesClipBack({ metrics }) !== false) return false;
  const usual = plannedSteps(recipe.parse({ method: asked.method })).reduce((sum, { steps }) => sum + steps, 0);
  const { identity, motion } = learnedSteps({ metrics, recipe: asked });
  return identity + motion >= (2 / 3) * usual;
}

function describeBoth(...both: Learned[]): string {
  const said = both.map(({ recipe: { seed }, metrics: { reconstructionPsnr } }) =>
    reconstructionPsnr === undefined ? `seed ${seed}` : `seed ${seed} ${reconstructionPsnr.toFixed(1)} dB`,
  );
  return `Learned twice, since the first lost the clip: ${said.join(', ')}. The better one was kept.`;
}
