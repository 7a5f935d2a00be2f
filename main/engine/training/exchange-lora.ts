import type { ExportLoraRequest, ImportedLora, ImportLoraRequest, LoraReport } from '../../../shared/domain/engine.ts';
import { recipe } from '../../../shared/domain/recipe.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { conceptLayers } from '../adapters/concept-values.ts';
import { orderDirections } from '../adapters/directions.ts';
import { bakeLora, conceptFromLora } from '../adapters/lora.ts';
import { linearLayers } from '../adapters/target-layers.ts';
import { writeConcept } from '../formats/concept.ts';
import { readLora, writeLora } from '../formats/lora.ts';
import { transformerSpecs } from '../models/wan/transformer-config.ts';
import { type GenerateModel, openConcept } from '../sampling/generate-clip.ts';
import { makeFolderOf } from './work-folder.ts';

type Model = Omit<GenerateModel, 'sampler'>;

/** Writes a concept at one slider setting as a plain LoRA that other programs load. */
export async function exportLora(model: Model, request: ExportLoraRequest): Promise<LoraReport> {
  const { shape, values } = await openConcept(model, request.conceptFile);
  const layers = withRangeErrors(() => bakeLora(shape, values, request.sliders));
  const inBlocks = linearLayers(transformerSpecs(model.pipeline.transformerConfig)).filter(({ path }) =>
    path.startsWith('blocks.'),
  );
  await makeFolderOf(request.output);
  await writeLora(request.output, layers, request.dialect, inBlocks);
  return { file: request.output, dialect: request.dialect, rank: shape.rank, layers: layers.length };
}

/** A LoRA file of any dialect becomes a concept whose motion residual is zero and whose directions are in order. */
export async function importLora(model: Model, request: ImportLoraRequest): Promise<ImportedLora> {
  const lora = await readLora(request.file);
  const { shape, values } = conceptFromLora(
    lora.layers,
    linearLayers(transformerSpecs(model.pipeline.transformerConfig)),
  );
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
