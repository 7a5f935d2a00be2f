import { editSettings } from '../../shared/domain/edit.ts';
import { recipe as recipeSchema } from '../../shared/domain/recipe.ts';
import { planEditSeconds, planLearningTime, timedOn } from '../../shared/domain/time-plan.ts';
import { editedFrames } from '../../shared/domain/work.ts';
import type { JobRequest, Services } from '../services/services.ts';
import type { CommandContext } from './context.ts';
import { formatDuration } from './progress-text.ts';

/** What takes less is not worth a word. */
const longSeconds = 10;

type Request<K extends JobRequest['kind']> = Omit<Extract<JobRequest, { kind: K }>, 'kind'>;

/** Says how long a learning will take, before it begins. */
export async function tellLearningTime(
  { output }: CommandContext,
  services: Services,
  { model, recipe }: Pick<Request<'learn'>, 'model' | 'recipe'>,
): Promise<void> {
  const info = await services.call['models.get']({ model });
  const { totalMemoryBytes } = await services.call['program.about']();
  const timed = await timedLearnings(services);
  const asked = recipeSchema.parse(recipe ?? {});
  const plan = async (measure: boolean) => {
    const device = await services.call['device.report']({ measure });
    const memoryBytes = device.memoryBytes ?? totalMemoryBytes;
    return planLearningTime(info, asked, { device, memoryBytes, timed });
  };
  const expected = (await plan(false)) ?? (await plan(true));
  if (!expected || expected.seconds < longSeconds) return;
  const how = expected.by === null ? 'a rough guess' : `going by how fast ${expected.by} was learned`;
  output.note(`This will take about ${formatDuration(expected.seconds)}, ${how}.`);
}

/** Says how long an edit will take, before it begins. */
export async function tellEditTime(
  { output }: CommandContext,
  services: Services,
  asked: Pick<Request<'generate'>, 'conceptId' | 'sourceClipId' | 'model' | 'settings'>,
): Promise<void> {
  const { conceptId } = asked;
  const settings = editSettings.parse(asked.settings);
  const concepts = await Promise.all(
    [...(conceptId ? [conceptId] : []), ...settings.others.map((other) => other.conceptId)].map((reference) =>
      services.call['concepts.get']({ reference }),
    ),
  );
  const [own] = concepts;
  const clip = await services.call['clips.get']({ reference: asked.sourceClipId ?? own!.clipIds[0]! });
  const info = await services.call['models.get']({ model: own?.model ?? asked.model ?? null });
  const rank = concepts.reduce((sum, concept) => sum + concept.rank, 0);
  const made = (await services.call['edits.list'](own ? { conceptId: own.id } : { clipId: clip.id })).find(
    ({ seconds, conceptId, model }) => seconds !== null && (conceptId !== null || model === (asked.model ?? null)),
  );
  const last = made ? { settings: made.settings, frames: made.frames, rank, seconds: made.seconds! } : null;
  const timed = await timedLearnings(services);
  const plan = async (measure: boolean) => {
    const device = await services.call['device.report']({ measure });
    return planEditSeconds(info, { settings, frames: editedFrames(clip, settings), rank }, { device, timed, last });
  };
  const seconds = (await plan(false)) ?? (await plan(true));
  if (seconds !== null && seconds >= longSeconds) output.note(`This will take about ${formatDuration(seconds)}.`);
}

async function timedLearnings(services: Services) {
  const known = (await services.call['models.list']()).flatMap(({ info }) => info ?? []);
  const concepts = await services.call['concepts.list']();
  return timedOn(concepts, (concept) =>
    known.find(({ name, directory }) => concept.model === name || concept.model === directory),
  );
}
