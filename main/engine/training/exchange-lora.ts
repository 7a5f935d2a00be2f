import type { ExportLoraRequest, ImportedLora, ImportLoraRequest, LoraReport } from '../../../shared/domain/engine.ts';
import { recipe } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { conceptLayers } from '../adapters/concept-values.ts';
import { orderDirections } from '../adapters/directions.ts';
import { conceptFromLora } from '../adapters/lora.ts';
import type { Gains } from '../adapters/part-kind.ts';
import { kindOf, type LearnedPart } from '../adapters/parts.ts';
import { writeConcept } from '../formats/concept.ts';
import { type LoraLayer, readLora, writeLora } from '../formats/lora.ts';
import { openConcept } from '../sampling/open-concept.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { makeFolderOf } from './work-folder.ts';

type Model = Omit<OpenModel, 'sampler' | 'memoryBytes'>;

/** Writes a concept at one slider setting as a plain LoRA that other programs load. */
export async function exportLora(model: Model, request: ExportLoraRequest): Promise<LoraReport> {
  const { parts } = await openConcept(model, request.conceptFile);
  const layers = withRangeErrors(() => loraLayers(parts, request.sliders));
  const inBlocks = model.pipeline.shape.layers.filter(({ path }) => path.startsWith('blocks.'));
  await makeFolderOf(request.output);
  await writeLora(request.output, layers, request.dialect, inBlocks);
  return {
    file: request.output,
    dialect: request.dialect,
    rank: Math.max(...layers.map(({ rank }) => rank)),
    layers: layers.length,
  };
}

/** Throws `invalid-input` where something was learned that no LoRA file can hold. */
function loraLayers(parts: Readonly<Record<string, LearnedPart>>, gains: Gains): LoraLayer[] {
  const refuse = (why: string) =>
    new AppError('invalid-input', `This concept cannot become a LoRA file: ${why}.`, {
      hint: 'Save it as a .motif file, or learn it by Set-and-Sequence or as a plain LoRA.',
    });
  const layers = Object.values(parts).flatMap(({ part, values }) => {
    const { toLora } = kindOf(part);
    if (!toLora) throw refuse('what it learned is not a low-rank change of weights');
    return toLora(values, gains);
  });
  if (layers.length === 0) throw refuse('it learned words alone');
  return layers;
}

/**
 * A LoRA file of any dialect becomes a concept whose motion residual is zero and whose directions are in
 * order.
 */
export async function importLora(model: Model, request: ImportLoraRequest): Promise<ImportedLora> {
  const lora = await readLora(request.file);
  const { shape, values } = conceptFromLora(lora.layers, model.pipeline.shape.layers);
  const { values: ordered, strengths } = orderDirections(shape, values);
  await makeFolderOf(request.conceptFile);
  await writeConcept(request.conceptFile, {
    version: 1,
    rank: shape.rank,
    basisSide: shape.basisSide,
    directionStrengths: strengths,
    captions: [request.caption],
    recipe: recipe.parse({ method: 'lora', rank: shape.rank }),
    model: { name: model.name, fingerprint: model.fingerprint },
    layers: conceptLayers(shape, ordered),
    tokens: {},
  });
  return {
    file: request.conceptFile,
    dialect: lora.dialect,
    rank: lora.rank,
    layers: lora.layers.length,
    directionStrengths: strengths,
    alphaMissing: lora.alphaMissing,
  };
}

function withRangeErrors<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw new AppError('invalid-input', error.message, { cause: error });
    throw error;
  }
}
