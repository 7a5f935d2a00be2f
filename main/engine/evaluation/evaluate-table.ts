import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { editSettings } from '../../../shared/domain/edit.ts';
import {
  type EvaluateTableRequest,
  type EvaluateTableResult,
  type PlannedRow,
  type TablePart,
  tablePart,
} from '../../../shared/domain/evaluation-table.ts';
import { plannedSteps, type Recipe, recipe as recipeSchema } from '../../../shared/domain/recipe.ts';
import { startSettings } from '../../../shared/domain/strength.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { openSuppliedMetrics, type SuppliedMetrics } from '../metrics/supplied/supplied-metrics.ts';
import { Random } from '../nn/random.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { keptOr, nameOfContent, openEvaluationFolder } from './folder.ts';
import { openEvaluationJudge } from './judging.ts';
import { withinPart } from './progress.ts';
import { standingOf } from './stamp.ts';
import { summariseTable, truthRow } from './summarise-table.ts';
import { costOf, type StepCosts, stepCosts, withinBudget } from './table-costs.ts';
import { evaluatePart, keptPart, type TableRun, truthPart } from './table-part.ts';
import { type ChosenPlan, type PlannedMethod, planOf } from './table-plan.ts';
import { type TableScene, tableScenes } from './table-scenes.ts';
import { Stage } from './table-stage.ts';

/**
 * Measures the rows of a table of the papers on scenes whose truth is known: every method learns as long as
 * the default recipe takes (processor time of its steps), and makes the same edits from pure noise and by the
 * editor's defaults. One JSON file a finished part (a row on a scene with a learning seed); a run with the
 * same settings and folder goes on where an earlier one stopped, within a learning too, and takes over what
 * other tables have measured. Learning seeds come last, so that a run that is stopped has rows with fewer
 * seeds. Throws as `evaluateModel` does, `invalid-input` for unknown rows, and what learning and generating
 * throw, but for methods that refuse a scene; of a user's metrics `not-found` and `damaged-file`.
 */
export async function evaluateTable(
  model: OpenModel,
  request: EvaluateTableRequest,
  options: EngineCallOptions = {},
): Promise<EvaluateTableResult> {
  const startedAt = performance.now();
  const { outputFolder: folder, hours } = request;
  const plan = planOf(request.table, request);
  const steps = request.steps ?? editSettings.parse({ prompt: '' }).steps;
  const judge = await openEvaluationJudge(request.judge);
  let metrics: SuppliedMetrics | null = null;
  try {
    if (request.metrics !== null) metrics = await openSuppliedMetrics(request.metrics);
    const supplied = [...(metrics?.used ?? [])];
    const standing = await standingOf(model, request.judge);
    await openEvaluationFolder(folder, { kind: 'tables', ...standing, size: request.size, steps });
    for (const name of ['concepts', 'costs', 'parts', 'scenes']) await mkdir(join(folder, name), { recursive: true });
    const sets = tableScenes(plan.set, model.pipeline.extras.worldEdition).slice(0, plan.scenes ?? undefined);
    const stage = new Stage(model, judge, request, folder, metrics);
    const { budget, recipes, planned, measured } = await equalTime(stage, plan, sets[0]!, options);

    const units = unitsOf(plan, sets);
    const meter = new Meter(units);
    const { ways, noiseSeeds } = plan;
    const run: TableRun = {
      model,
      directory: request.model,
      folder,
      ways,
      noiseSeeds,
      keepsConcepts: plan.set !== 'wide',
      steps,
      remakesClips: request.clips,
      whole: () => meter.whole(),
    };
    const parts: TablePart[] = [];
    const isOver = () => hours !== null && performance.now() - startedAt > hours * 3_600_000;
    let unfinished = 0;
    for (const unit of units) {
      const { scene, method, learningSeed } = unit;
      options.signal?.throwIfAborted();
      const base = method && recipes.get(method.row);
      const partPlan = method && { method, recipe: base ? { ...base, seed: learningSeed } : null, learningSeed };
      const made = partPlan && { recipe: partPlan.recipe, sliders: method.sliders ?? {}, learningSeed };
      const content = { version: 1, scene, made, ways, noiseSeeds, ...(metrics && { supplied }) };
      const file = join(folder, 'parts', `${scene.name}-${method?.row ?? truthRow}-${nameOfContent(content)}.json`);
      const kept = await keptPart(file, request.clips);
      if (kept?.finished) {
        meter.pass(unit, true);
        parts.push(kept);
      } else if (isOver()) {
        unfinished++;
        if (kept) parts.push(kept);
      } else {
        const prepared = await stage.prepare(scene, options);
        parts.push(
          partPlan
            ? await evaluatePart(run, prepared, partPlan, file, options)
            : (await keptOr(file, tablePart, () => truthPart(run, prepared))).value,
        );
        meter.pass(unit, false);
      }
    }
    const rows = [{ row: truthRow, label: 're-rendered truth' }, ...plan.methods];
    const scenes = sets.map(({ name }) => name);
    const summary = summariseTable(parts, { ...plan, rows, scenes });
    return {
      table: request.table,
      version: 1,
      fast: request.fast,
      effort: plan.effort,
      budget,
      sampling: { steps, guidance: startSettings(false).guidance },
      ways: [...ways],
      first: plan.first,
      planned,
      supplied,
      scenes: await stage.described(sets),
      learningSeeds: plan.learningSeeds,
      noiseSeeds: plan.noiseSeeds,
      ...summary,
      parts,
      unfinished,
      seconds: (performance.now() - startedAt) / 1000,
      takenOver: meter.takenOver + measured.kept,
      weights: standing.weights,
    };
  } finally {
    judge.dispose();
    metrics?.dispose();
  }
}

interface Unit {
  scene: TableScene;
  /** Null: the truth. */
  method: PlannedMethod | null;
  learningSeed: number;
}

/**
 * Scene by scene, learning seeds last; methods in another order for each scene, so that a busy hour hits all
 * alike.
 */
function unitsOf({ methods, learningSeeds }: ChosenPlan, scenes: readonly TableScene[]): Unit[] {
  return learningSeeds.flatMap((learningSeed, round) =>
    scenes.flatMap((scene): Unit[] => {
      const learning = new Random(`${scene.name} ${learningSeed}`).shuffle(methods.filter(({ recipe }) => recipe));
      const once = round === 0 ? [null, ...methods.filter(({ recipe }) => !recipe)] : [];
      return [
        ...once.map((method) => ({ scene, method, learningSeed: 0 })),
        ...learning.map((method) => ({ scene, method, learningSeed })),
      ];
    }),
  );
}

/**
 * Times a step of every row on the first scene, and gives each row as many steps as fit into the processor
 * time of the default recipe.
 */
async function equalTime(stage: Stage, plan: ChosenPlan, first: TableScene, options: EngineCallOptions) {
  const { caption, source } = await stage.learnable(first);
  const measured = { done: 0, kept: 0 };
  /** Rows of one recipe are timed once. */
  const timed = new Set<string>();
  const learning = plan.methods.filter(({ recipe }) => recipe);
  const total = learning.length + 1;
  const costsOf = async (recipe: Recipe, row: string): Promise<StepCosts> => {
    options.signal?.throwIfAborted();
    const stem = join(
      stage.folder,
      'costs',
      nameOfContent({ ...recipe, seed: 0, stepsIdentity: recipe.stepsIdentity > 0 }),
    );
    const { costs, isKept } = await stepCosts(
      stage.model,
      { directory: stage.request.model, recipe, caption, source, stem },
      {
        ...options,
        onEvent: withinPart(options.onEvent, ({ phase }) => ({
          phase: `timing ${row}: ${phase}`,
          message: `row ${measured.done + 1} of ${total}`,
        })),
      },
    );
    measured.done++;
    if (isKept && !timed.has(stem)) measured.kept++;
    timed.add(stem);
    return costs;
  };
  const usual = recipeSchema.parse({});
  const budget = plan.effort * costOf(usual, await costsOf(usual, 'the default recipe'));
  const recipes = new Map<string, Recipe>();
  const planned: PlannedRow[] = [];
  for (const { row, label, recipe: given, effort = 1 } of plan.methods) {
    if (!given) {
      planned.push({ row, label, stages: null });
      continue;
    }
    const own = recipeSchema.parse(given);
    const costs = await costsOf(own, row);
    const recipe = withinBudget(own, costs, budget * effort);
    recipes.set(row, recipe);
    const stages = plannedSteps(recipe).map((each) => ({ ...each, processorSecondsPerStep: costs[each.label] ?? 0 }));
    planned.push({ row, label, stages });
  }
  return { budget, recipes, planned, measured };
}

/**
 * How far a table is. The rate is that of the parts measured in this run, of which those that learn take
 * longest.
 */
class Meter {
  takenOver = 0;
  #done = 0;
  #measured = 0;
  #left: number;
  readonly #total: number;
  readonly #startedAt = performance.now();

  constructor(units: readonly Unit[]) {
    this.#total = units.length;
    this.#left = units.reduce((sum, unit) => sum + weightOf(unit), 0);
  }

  pass(unit: Unit, isKept: boolean): void {
    this.#done++;
    this.#left -= weightOf(unit);
    if (isKept) this.takenOver++;
    else this.#measured += weightOf(unit);
  }

  /** `part 3 of 20, about 95 min left for all` */
  whole(): string {
    const counted = `part ${this.#done + 1} of ${this.#total}`;
    if (this.#measured === 0) return counted;
    const minutes = (performance.now() - this.#startedAt) / 60_000;
    return `${counted}, about ${Math.max(1, Math.round((minutes / this.#measured) * this.#left))} min left for all`;
  }
}

/** How long a unit takes beside one that learns. */
function weightOf({ method }: Unit): number {
  return method?.recipe ? 1 : method ? 0.4 : 0.1;
}
